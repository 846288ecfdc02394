//! What is measured, section by section.

use super::outcome::Outcome;
use super::report::Section;
use super::settings::Settings;
use super::{counting, exact, overhead, window, writers};

/// A section's short name, and what measures it.
pub type Measurement = (&'static str, fn(&Settings) -> Outcome<Section>);

/// All sections, in the order in which they are reported.
pub const SECTIONS: [Measurement; 5] = [
    ("overhead", overhead::run),
    ("writers", writers::run),
    ("window", window::run),
    ("counting", counting::run),
    ("exact", exact::run),
];
