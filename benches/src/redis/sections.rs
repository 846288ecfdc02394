//! What is measured, section by section.

use super::{appends, memory, original, settle, waiting, window};
use crate::ledger::Settings;
use crate::program::Measurement;

/// All sections, in the order in which they are reported.
pub const SECTIONS: [Measurement<Settings>; 6] = [
    ("appends", appends::run),
    ("original", original::run),
    ("window", window::run),
    ("memory", memory::run),
    ("settle", settle::run),
    ("adaptive", waiting::run),
];
