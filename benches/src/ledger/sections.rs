//! What is measured, section by section.

use super::settings::Settings;
use super::{counting, exact, overhead, window, writers};
use crate::program::Measurement;

/// All sections, in the order in which they are reported.
pub const SECTIONS: [Measurement<Settings>; 5] = [
    ("overhead", overhead::run),
    ("writers", writers::run),
    ("window", window::run),
    ("counting", counting::run),
    ("exact", exact::run),
];
