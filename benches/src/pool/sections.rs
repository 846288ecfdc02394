//! What is measured, section by section.

use super::{many, scripted, sequential};
use crate::ledger::Settings;
use crate::program::Measurement;

/// All sections, in the order in which they are reported.
pub const SECTIONS: [Measurement<Settings>; 3] =
    [("sequential", sequential::run), ("lanes", many::run), ("scripted", scripted::run)];
