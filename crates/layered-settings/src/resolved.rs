//! One setting with its value.

use crate::layer::{Layer, Origin};
use crate::setting::Setting;
use crate::value::Value;

/// One setting with its value and where that comes from.
#[derive(Debug, Clone, Copy)]
pub struct ResolvedSetting<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) held: &'a Held,
}

/// A value and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

impl<'a> ResolvedSetting<'a> {
    /// The setting's key.
    pub fn key(&self) -> &'static str {
        self.setting.key()
    }

    /// The setting's declaration.
    pub fn setting(&self) -> &'a Setting {
        self.setting
    }

    /// What the setting does.
    pub fn description(&self) -> &'static str {
        self.setting.description()
    }

    /// The value.
    pub fn value(&self) -> &'a Value {
        &self.held.value
    }

    /// The layer that the value comes from.
    pub fn layer(&self) -> Layer {
        self.held.origin.layer
    }

    /// The variable's name, the file's path, or the key that the value is derived from.
    pub fn source(&self) -> Option<&'a str> {
        self.held.origin.source.as_deref()
    }
}

impl Held {
    /// The value and its origin for a message: `100 (default)`.
    pub(crate) fn described(&self) -> String {
        if self.value.is_present() {
            format!("{} ({})", self.value.quoted(), self.origin)
        } else {
            "not set".to_owned()
        }
    }
}
