//! One layer's settings, and the merging of layers.

use std::collections::BTreeMap;
use std::fmt;

use config::builder::{ConfigBuilder, DefaultState};
use config::{Config, ConfigError, Map, ValueKind};

use crate::error::SettingsError;
use crate::kind::Raw;
use crate::layer::{Layer, Origin};
use crate::schema::{Alternatives, Schema};
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

    fn first_of(&self, keys: &[&'static str]) -> Option<(&'static str, &Entry)> {
        keys.iter().find_map(|key| self.entries.get(key).map(|entry| (*key, entry)))
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
pub(crate) fn merge(
    schema: &Schema,
    mut partials: Vec<Partial>,
) -> Result<BTreeMap<&'static str, Merged>, SettingsError> {
    for alternatives in schema.all_alternatives() {
        choose(alternatives, &mut partials)?;
    }
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
    Ok(values)
}

/// Removes the side of alternatives that a higher layer's other side replaces.
fn choose(alternatives: &Alternatives, partials: &mut [Partial]) -> Result<(), SettingsError> {
    let mut winner = None;
    for partial in partials.iter().filter(|partial| partial.layer > Layer::Default) {
        let [one, other] = &alternatives.sides;
        match (partial.first_of(one), partial.first_of(other)) {
            (Some(one), Some(other)) => return Err(conflict(partial.layer, one, other)),
            (Some(_), None) => winner = Some((partial.layer, other)),
            (None, Some(_)) => winner = Some((partial.layer, one)),
            (None, None) => {}
        }
    }
    if let Some((layer, loser)) = winner {
        for partial in partials.iter_mut().filter(|partial| partial.layer < layer) {
            partial.entries.retain(|key, _| !loser.contains(key));
        }
    }
    Ok(())
}

fn conflict(layer: Layer, one: (&str, &Entry), other: (&str, &Entry)) -> SettingsError {
    let named = |(key, entry): (&str, &Entry)| match (&entry.source, layer) {
        (Some(variable), Layer::Environment) => format!("{key} ({variable})"),
        _ => key.to_owned(),
    };
    let source = one.1.source.clone().filter(|_| layer == Layer::File);
    let place = Origin::new(layer, source).to_string();
    SettingsError::Conflict { one: named(one), other: named(other), place }
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
            let merged = merge(&schema, partials.collect()).unwrap();
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
    fn a_higher_alternative_replaces_the_lower_one_whole() {
        let schema = schema().alternatives(&["a.x"], &["a.y", "b.c.z"]).unwrap();
        let check = |given: &[(Layer, &[&str])], expected: &[&str]| {
            let partials = given.iter().map(|(layer, keys)| partial(&schema, *layer, keys));
            let merged = merge(&schema, partials.collect()).unwrap();
            assert_eq!(merged.into_keys().collect::<Vec<_>>(), expected, "{given:?}");
        };
        check(&[(Layer::Default, &KEYS)], &KEYS);
        check(&[(Layer::Default, &KEYS), (Layer::File, &["a.x"])], &["a.x"]);
        check(&[(Layer::Default, &KEYS), (Layer::File, &["a.y"])], &["a.y", "b.c.z"]);
        check(&[(Layer::File, &["a.y", "b.c.z"]), (Layer::Environment, &["a.x"])], &["a.x"]);
        check(
            &[(Layer::File, &["a.x"]), (Layer::Environment, &[]), (Layer::Explicit, &["b.c.z"])],
            &["b.c.z"],
        );
    }

    #[test]
    fn both_alternatives_in_one_layer_are_refused() {
        let schema = schema().alternatives(&["a.x"], &["a.y", "b.c.z"]).unwrap();
        let check = |layer: Layer, expected: &str| {
            let both = vec![partial(&schema, layer, &["a.x", "b.c.z"])];
            assert_eq!(merge(&schema, both).err().unwrap().to_string(), expected);
        };
        check(
            Layer::Explicit,
            "a.x and b.c.z exclude each other, and both are set in the layer explicit; remove one",
        );
        check(
            Layer::File,
            "a.x and b.c.z exclude each other, and both are set in the layer file file of a.x; \
             remove one",
        );
        check(
            Layer::Environment,
            "a.x (environment of a.x) and b.c.z (environment of b.c.z) exclude each other, and \
             both are set in the layer environment; remove one",
        );
    }

    #[test]
    fn debug_shows_no_value() {
        let debug = format!("{:?}", partial(&schema(), Layer::File, &KEYS));
        assert!(debug.contains("a.x") && !debug.contains(" by "), "{debug}");
    }
}
