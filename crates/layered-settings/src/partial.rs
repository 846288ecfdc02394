//! One layer's settings, and the merging of layers.

use std::collections::BTreeMap;
use std::fmt;

use config::builder::{ConfigBuilder, DefaultState};
use config::{Config, ConfigError, Map, ValueKind};

use crate::error::SettingsError;
use crate::kind::Raw;
use crate::layer::{Layer, Origin};
use crate::relations::{self, Replaced};
use crate::schema::Schema;
use crate::setting::Setting;

/// The settings that one layer gives, each as a text that its setting reads.
#[derive(Clone)]
pub(crate) struct Partial {
    layer: Layer,
    entries: BTreeMap<&'static str, Entry>,
}

#[derive(Clone)]
struct Entry {
    text: String,
    source: Option<String>,
}

/// A merged value, and where it came from.
pub(crate) struct Merged {
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

/// All merged values, and what alternatives replaced.
pub(crate) struct Merge {
    pub(crate) values: BTreeMap<&'static str, Merged>,
    pub(crate) replaced: Replaced,
}

impl Partial {
    pub(crate) fn new(layer: Layer) -> Self {
        Self { layer, entries: BTreeMap::new() }
    }

    /// The defaults of all settings that have one.
    pub(crate) fn defaults(schema: &Schema) -> Self {
        let mut partial = Self::new(Layer::Default);
        for setting in schema.settings() {
            if let Some(raw) = setting.default_raw() {
                partial.insert(setting, raw, None);
            }
        }
        partial
    }

    /// Takes in a value that its setting has been seen to read.
    pub(crate) fn insert(&mut self, setting: &Setting, raw: Raw, source: Option<String>) {
        if let Some(text) = raw.into_text() {
            self.entries.insert(setting.key(), Entry { text, source });
        }
    }

    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// The first of some keys that this layer gives.
    pub(crate) fn first_of(&self, keys: &[&'static str]) -> Option<&'static str> {
        keys.iter().copied().find(|key| self.entries.contains_key(key))
    }

    /// The variable or file that gives a key.
    pub(crate) fn source(&self, key: &str) -> Option<&str> {
        self.entries.get(key).and_then(|entry| entry.source.as_deref())
    }

    /// Forgets some keys, and returns where their values came from.
    pub(crate) fn take(&mut self, keys: &[&'static str]) -> Vec<(&'static str, Origin)> {
        let taken = |key: &&'static str| {
            let entry = self.entries.remove(key)?;
            Some((*key, Origin::new(self.layer, entry.source)))
        };
        keys.iter().filter_map(taken).collect()
    }
}

/// Shows no value, since any may be a secret.
impl fmt::Debug for Partial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.entries.keys().collect();
        formatter
            .debug_struct("Partial")
            .field("layer", &self.layer)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

impl config::Source for Partial {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, config::Value>, ConfigError> {
        let tagged = |(key, entry): (&&str, &Entry)| {
            let tag = Origin::new(self.layer, entry.source.clone()).to_tag();
            ((*key).to_owned(), config::Value::new(Some(&tag), entry.text.clone()))
        };
        Ok(self.entries.iter().map(tagged).collect())
    }
}

/// Merges layers, the one that wins last.
///
/// # Errors
///
/// Returns [`SettingsError::Conflict`] where one layer holds both sides of alternatives.
pub(crate) fn merge(schema: &Schema, mut partials: Vec<Partial>) -> Result<Merge, SettingsError> {
    let replaced = relations::settle(schema, &mut partials)?;
    let layer = partials.last().map_or(Layer::Default, |partial| partial.layer);
    let failed = |error: ConfigError| SettingsError::Merge { layer, source: Box::new(error) };
    let add = ConfigBuilder::<DefaultState>::add_source;
    let builder = partials.into_iter().fold(Config::builder(), add);
    let merged = builder.build().map_err(failed)?;

    let mut values = BTreeMap::new();
    for setting in schema.settings() {
        if let Some(merged) = find(&merged.cache, setting.key()) {
            values.insert(setting.key(), merged);
        }
    }
    Ok(Merge { values, replaced })
}

fn find(root: &config::Value, key: &str) -> Option<Merged> {
    let found = key.split('.').try_fold(root, |value, part| match &value.kind {
        ValueKind::Table(table) => table.get(part),
        _ => None,
    })?;
    let ValueKind::String(text) = &found.kind else { return None };
    let origin = Origin::from_tag(found.origin()?)?;
    Some(Merged { raw: Raw::Loose(text.clone()), origin })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYS: [&str; 3] = ["a.x", "a.y", "b.c.z"];
    const LAYERS: [Layer; 4] = [Layer::Default, Layer::File, Layer::Environment, Layer::Explicit];

    fn schema() -> Schema {
        Schema::new(KEYS.map(Setting::text)).unwrap()
    }

    fn partial(schema: &Schema, layer: Layer, keys: &[&str]) -> Partial {
        let mut partial = Partial::new(layer);
        for key in keys {
            let setting = schema.get(key).unwrap();
            let source = Some(format!("{layer} of {key}"));
            partial.insert(setting, Raw::Loose(format!("{key} by {layer}")), source);
        }
        partial
    }

    proptest! {
        /// The model: for each key the last layer that has it, whatever the others hold.
        #[test]
        fn the_highest_layer_wins(present in proptest::array::uniform4(0_usize..8)) {
            let schema = schema();
            let has = |layer: usize, key: usize| present[layer] & (1 << key) != 0;
            let partials = (0..4).map(|layer| {
                let keys: Vec<_> = (0..3).filter(|key| has(layer, *key)).map(|k| KEYS[k]).collect();
                partial(&schema, LAYERS[layer], &keys)
            });
            let merged = merge(&schema, partials.collect()).unwrap().values;
            for (index, key) in KEYS.into_iter().enumerate() {
                let expected = (0..4).rev().find(|layer| has(*layer, index)).map(|l| LAYERS[l]);
                let found = merged.get(key);
                prop_assert_eq!(found.map(|found| found.origin.layer), expected);
                let Some((found, layer)) = found.zip(expected) else { continue };
                let source = format!("{layer} of {key}");
                prop_assert_eq!(found.origin.source.as_deref(), Some(source.as_str()));
                let Raw::Loose(text) = &found.raw else { panic!("merged values are texts") };
                prop_assert_eq!(text, &format!("{key} by {layer}"));
            }
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let debug = format!("{:?}", partial(&schema(), Layer::File, &KEYS));
        assert!(debug.contains("a.x") && !debug.contains(" by "), "{debug}");
    }
}
