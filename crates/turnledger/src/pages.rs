//! The Rust blocks of the front page and of the guides, as documentation tests.

/// The front page.
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The guide to the settings.
#[doc = include_str!("../../../docs/configuration/settings.md")]
struct SettingsGuide;

/// The list of the metrics.
#[doc = include_str!("../../../docs/metrics.md")]
struct MetricsGuide;
