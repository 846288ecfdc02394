//! Which keys of lower layers a key of a higher layer takes away.

use std::collections::BTreeMap;

use crate::error::SettingsError;
use crate::layer::{Layer, Origin};
use crate::partial::Partial;
use crate::schema::Schema;

/// Two groups of keys that say the same thing in two ways.
#[derive(Debug, Clone)]
pub(crate) struct Alternatives {
    pub(crate) sides: [Vec<&'static str>; 2],
}

/// A key, and those that belong to its value.
#[derive(Debug, Clone)]
pub(crate) struct Lead {
    pub(crate) key: &'static str,
    pub(crate) followers: Vec<&'static str>,
}

/// Keys whose values an alternative of a higher layer took away, and where they were given.
pub(crate) type Replaced = BTreeMap<&'static str, Origin>;

/// Takes away what a higher layer replaces, from the lowest layer to the highest.
///
/// # Errors
///
/// Returns [`SettingsError::Conflict`] where one layer holds both sides of alternatives.
pub(crate) fn settle(schema: &Schema, partials: &mut [Partial]) -> Result<Replaced, SettingsError> {
    let mut replaced = Replaced::new();
    for alternatives in schema.all_alternatives() {
        for place in 0..partials.len() {
            choose(alternatives, &mut partials[..=place], &mut replaced)?;
        }
    }
    for lead in schema.all_leads() {
        for place in 0..partials.len() {
            follow(lead, &mut partials[..=place]);
        }
    }
    Ok(replaced)
}

/// Lets the highest of these layers choose between alternatives for all of them.
fn choose(
    alternatives: &Alternatives,
    partials: &mut [Partial],
    replaced: &mut Replaced,
) -> Result<(), SettingsError> {
    let Some((highest, below)) = above_defaults(partials) else { return Ok(()) };
    let [one, other] = &alternatives.sides;
    let loser = match (highest.first_of(one), highest.first_of(other)) {
        (Some(one), Some(other)) => return Err(conflict(highest, one, other)),
        (Some(_), None) => other,
        (None, Some(_)) => one,
        (None, None) => return Ok(()),
    };
    for partial in below {
        for (key, origin) in partial.take(loser) {
            if origin.layer > Layer::Default {
                replaced.insert(key, origin);
            }
        }
    }
    Ok(())
}

/// Lets the highest of these layers take the followers along, if it has the lead.
fn follow(lead: &Lead, partials: &mut [Partial]) {
    let Some((highest, below)) = above_defaults(partials) else { return };
    if highest.first_of(&[lead.key]).is_none() {
        return;
    }
    for partial in below.iter_mut().filter(|partial| partial.layer() > Layer::Default) {
        partial.take(&lead.followers);
    }
}

fn above_defaults(partials: &mut [Partial]) -> Option<(&Partial, &mut [Partial])> {
    let (highest, below) = partials.split_last_mut()?;
    (highest.layer() > Layer::Default).then_some((&*highest, below))
}

fn conflict(partial: &Partial, one: &'static str, other: &'static str) -> SettingsError {
    let named = |key: &'static str| match (partial.source(key), partial.layer()) {
        (Some(variable), Layer::Environment) => format!("{key} ({variable})"),
        _ => key.to_owned(),
    };
    let file = partial.source(one).filter(|_| partial.layer() == Layer::File);
    let place = Origin::new(partial.layer(), file.map(str::to_owned)).to_string();
    SettingsError::Conflict { one: named(one), other: named(other), place }
}

#[cfg(test)]
mod tests {
    use Layer::{Default, Environment, Explicit, File};

    use super::*;
    use crate::kind::Raw;
    use crate::setting::Setting;

    const KEYS: [&str; 3] = ["a.x", "a.y", "b.c.z"];

    fn schema() -> Schema {
        Schema::new(KEYS.map(Setting::text)).unwrap()
    }

    fn alternatives() -> Schema {
        schema().alternatives(&["a.x"], &["a.y", "b.c.z"]).unwrap()
    }

    fn partial(layer: Layer, keys: &[&str]) -> Partial {
        let schema = schema();
        let mut partial = Partial::new(layer);
        for key in keys {
            let source = Some(format!("{layer} of {key}"));
            partial.insert(schema.get(key).unwrap(), Raw::Loose(String::new()), source);
        }
        partial
    }

    /// What is left, as `layer key`, and what was replaced.
    fn outcome(schema: &Schema, given: &[(Layer, &[&str])]) -> (Vec<String>, Vec<&'static str>) {
        let mut partials: Vec<_> =
            given.iter().map(|(layer, keys)| partial(*layer, keys)).collect();
        let replaced = settle(schema, &mut partials).unwrap();
        let left = partials.iter().flat_map(|partial| {
            let held = KEYS.into_iter().filter(|key| partial.first_of(&[*key]).is_some());
            held.map(|key| format!("{} {key}", partial.layer()))
        });
        (left.collect(), replaced.into_keys().collect())
    }

    #[test]
    fn a_higher_alternative_replaces_the_lower_one_whole() {
        let check = |given: &[(Layer, &[&str])], left: &[&str], replaced: &[&str]| {
            let found = outcome(&alternatives(), given);
            assert_eq!(found.0, left, "{given:?}");
            assert_eq!(found.1, replaced, "{given:?}");
        };
        check(&[(Default, &KEYS)], &["default a.x", "default a.y", "default b.c.z"], &[]);
        check(&[(Default, &KEYS), (File, &["a.x"])], &["default a.x", "file a.x"], &[]);
        check(
            &[(Default, &KEYS), (File, &["a.y"])],
            &["default a.y", "default b.c.z", "file a.y"],
            &[],
        );
        check(
            &[(File, &["a.y", "b.c.z"]), (Environment, &["a.x"])],
            &["environment a.x"],
            &["a.y", "b.c.z"],
        );
        check(
            &[(File, &["a.x"]), (Environment, &[]), (Explicit, &["b.c.z"])],
            &["explicit b.c.z"],
            &["a.x"],
        );
        // What the layer in the middle replaced does not come back with the highest one.
        check(
            &[(File, &["a.y"]), (Environment, &["a.x"]), (Explicit, &["b.c.z"])],
            &["explicit b.c.z"],
            &["a.x", "a.y"],
        );
    }

    #[test]
    fn both_alternatives_in_one_layer_are_refused() {
        let check = |layer: Layer, expected: &str| {
            let mut both = [partial(layer, &["a.x", "b.c.z"])];
            assert_eq!(settle(&alternatives(), &mut both).unwrap_err().to_string(), expected);
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
    fn a_lead_leaves_behind_what_belonged_to_another_one() {
        let schema = schema().lead("a.x", &["a.y"]).unwrap();
        let check = |given: &[(Layer, &[&str])], left: &[&str]| {
            assert_eq!(
                outcome(&schema, given),
                (left.iter().map(ToString::to_string).collect(), vec![])
            );
        };
        check(
            &[(Default, &KEYS), (File, &["a.x", "a.y"])],
            &["default a.x", "default a.y", "default b.c.z", "file a.x", "file a.y"],
        );
        check(
            &[(File, &KEYS), (Environment, &["a.x"])],
            &["file a.x", "file b.c.z", "environment a.x"],
        );
        check(
            &[(File, &KEYS), (Environment, &["a.y"]), (Explicit, &["b.c.z"])],
            &["file a.x", "file a.y", "file b.c.z", "environment a.y", "explicit b.c.z"],
        );
    }
}
