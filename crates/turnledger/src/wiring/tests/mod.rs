//! Tests of the wiring.

mod defaults;
mod interactions;
mod opening;

use layered_settings::Settings;

use crate::settings::{Sources, TurnledgerSettings};

/// The defaults with some values on top.
fn settings(explicit: &[(&str, &str)]) -> Settings {
    let sources =
        explicit.iter().fold(Sources::new(), |sources, (key, text)| sources.explicit(*key, *text));
    sources.load().unwrap().settings
}

fn typed(explicit: &[(&str, &str)]) -> TurnledgerSettings {
    TurnledgerSettings::from_settings(&settings(explicit)).unwrap()
}
