//! What is measured, section by section.

use super::settings::Settings;
use super::{competitors, estimator, first_use, hostile, submit, threads};
use crate::program::Measurement;

/// All sections, in the order in which they are reported.
pub const SECTIONS: [Measurement<Settings>; 6] = [
    ("competitors", competitors::run),
    ("threads", threads::run),
    ("first-use", first_use::run),
    ("hostile", hostile::run),
    ("estimator", estimator::run),
    ("submit", submit::run),
];
