//! The table of all settings that a program knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::SettingsError;
use crate::relations::{Alternatives, Lead};
use crate::setting::Setting;
use crate::shown;

/// The settings that a program knows, in the order of their declaration.
///
/// Schemas of several crates are joined with [`merge`](Self::merge).
///
/// ```
/// use layered_settings::{Schema, Setting};
///
/// let schema = Schema::new([
///     Setting::text("counter.encoding").default_value("o200k_base"),
///     Setting::integer("queue.capacity", 1..).default_value("1000"),
/// ])?;
/// let keys: Vec<_> = schema.settings().iter().map(Setting::key).collect();
/// assert_eq!(keys, ["counter.encoding", "queue.capacity"]);
/// # Ok::<_, layered_settings::SettingsError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Schema {
    settings: Vec<Setting>,
    places: BTreeMap<&'static str, usize>,
    alternatives: Vec<Alternatives>,
    leads: Vec<Lead>,
}

impl Schema {
    /// Checks declarations and makes them a schema.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Declaration`] for a key that has no section or is not made of
    /// `a-z`, `0-9` and single `_`; for a key, section or flat variable that is declared twice;
    /// and for a default that is not what its own setting expects.
    pub fn new(settings: impl IntoIterator<Item = Setting>) -> Result<Self, SettingsError> {
        let mut schema = Self::default();
        schema.settings.extend(settings);
        schema.checked()
    }

    /// Joins two schemas; the other's settings come after those of this one.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Declaration`] where both declare the same key or variable.
    pub fn merge(mut self, other: Self) -> Result<Self, SettingsError> {
        self.settings.extend(other.settings);
        self.alternatives.extend(other.alternatives);
        self.leads.extend(other.leads);
        self.checked()
    }

    /// Declares that two groups of keys exclude each other, such as a URL and its parts.
    ///
    /// Keys of both groups in one layer are an error. Where they are in different layers, the
    /// higher layer's group replaces the other one whole, defaults included.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Undeclared`] for a key that this schema does not declare.
    pub fn alternatives(
        mut self,
        one: &[&'static str],
        other: &[&'static str],
    ) -> Result<Self, SettingsError> {
        for key in one.iter().chain(other) {
            self.find(key)?;
        }
        self.alternatives.push(Alternatives { sides: [one.to_vec(), other.to_vec()] });
        Ok(self)
    }

    /// Declares that other keys belong to the value of this one, such as a port to its host.
    ///
    /// A layer that gives the lead leaves behind what lower layers say of its followers, their
    /// defaults excepted: a password that was written for one host does not go to another.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Undeclared`] for a key that this schema does not declare.
    pub fn lead(
        mut self,
        lead: &'static str,
        followers: &[&'static str],
    ) -> Result<Self, SettingsError> {
        for key in std::iter::once(&lead).chain(followers) {
            self.find(key)?;
        }
        self.leads.push(Lead { key: lead, followers: followers.to_vec() });
        Ok(self)
    }

    /// All settings in the order of their declaration.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The setting with a key.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.place(key).map(|place| &self.settings[place])
    }

    pub(crate) fn place(&self, key: &str) -> Option<usize> {
        self.places.get(key).copied()
    }

    pub(crate) fn find(&self, key: &str) -> Result<&Setting, SettingsError> {
        self.get(key).ok_or_else(|| self.undeclared(key))
    }

    pub(crate) fn undeclared(&self, key: &str) -> SettingsError {
        SettingsError::Undeclared { key: shown::plain(key), nearest: self.nearest_key(key) }
    }

    pub(crate) fn nearest_key(&self, key: &str) -> Option<String> {
        shown::nearest(key, self.places.keys().copied())
    }

    /// Whether a path leads to settings without being one itself.
    pub(crate) fn is_section(&self, path: &str) -> bool {
        self.places.keys().any(|key| is_below(key, path))
    }

    pub(crate) fn sections(&self) -> BTreeSet<&'static str> {
        self.settings.iter().map(Setting::section).collect()
    }

    pub(crate) fn all_alternatives(&self) -> &[Alternatives] {
        &self.alternatives
    }

    pub(crate) fn all_leads(&self) -> &[Lead] {
        &self.leads
    }

    /// The keys that cannot stand beside a key.
    pub(crate) fn excluded_by(&self, key: &str) -> impl Iterator<Item = &'static str> {
        let excluded = move |alternatives: &Alternatives| {
            let [one, other] = &alternatives.sides;
            if one.contains(&key) {
                other.clone()
            } else if other.contains(&key) {
                one.clone()
            } else {
                Vec::new()
            }
        };
        self.alternatives.iter().flat_map(excluded)
    }

    fn checked(mut self) -> Result<Self, SettingsError> {
        self.places.clear();
        let mut variables = BTreeSet::new();
        for (place, setting) in self.settings.iter().enumerate() {
            let key = setting.key();
            let refuse = |reason| Err(SettingsError::Declaration { key, reason });
            if !is_well_formed(key) {
                return refuse("needs a section and parts of a-z, 0-9 and single _".to_owned());
            }
            if self.places.insert(key, place).is_some() {
                return refuse("is declared twice".to_owned());
            }
            for name in setting.variables() {
                if !variables.insert(*name) {
                    return refuse(format!("shares the variable {name} with another setting"));
                }
            }
            if setting.default_raw().is_some_and(|raw| setting.read(&raw).is_none()) {
                return refuse(format!("has a default that is not {}", setting.expected()));
            }
        }
        for setting in &self.settings {
            if self.is_section(setting.key()) {
                let reason = "is a section of other settings too".to_owned();
                return Err(SettingsError::Declaration { key: setting.key(), reason });
            }
        }
        Ok(self)
    }
}

fn is_below(key: &str, path: &str) -> bool {
    key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

/// Keys and their variables must translate into each other, hence no `__` in a part.
fn is_well_formed(key: &str) -> bool {
    let part_is_well_formed = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !part.contains("__")
            && !part.ends_with('_')
    };
    key.contains('.') && key.split('.').all(part_is_well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_declaration_is_refused() {
        let check = |settings: Vec<Setting>, expected: &str| {
            let error = Schema::new(settings).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        for key in ["", "a", "a.", ".a", "a.B", "a.b__c", "a._b", "a.b_", "a.b c", "a..b", "a.1"] {
            check(vec![Setting::text(key)], "needs a section");
        }
        check(vec![Setting::text("a.b"), Setting::path("a.b")], "a.b is declared twice");
        check(vec![Setting::text("a.b"), Setting::text("a.b.c")], "a.b is a section");
        check(
            vec![Setting::text("a.b").variable("X"), Setting::text("a.c").variable("X")],
            "a.c shares the variable X",
        );
        check(
            vec![Setting::duration("a.b", ..).default_value("30")],
            "default that is not a duration",
        );
        check(vec![Setting::integer("a.b", 1..=2).default_value("3")], "from 1 to 2");
    }

    #[test]
    fn schemas_are_joined_and_checked_together() {
        let one = || Schema::new([Setting::text("a.x"), Setting::text("a.y")]).unwrap();
        let two = Schema::new([Setting::text("a.z")]).unwrap();
        let both = one().merge(two).unwrap();
        let keys: Vec<_> = both.settings().iter().map(Setting::key).collect();
        assert_eq!(keys, ["a.x", "a.y", "a.z"]);
        assert!(both.get("a.z").is_some() && both.get("a.q").is_none());
        assert!(both.is_section("a") && !both.is_section("a.x"));
        assert!(one().merge(one()).is_err());
    }

    #[test]
    fn related_keys_must_be_declared() {
        let schema = Schema::new([Setting::url("r.url"), Setting::text("r.host")]).unwrap();
        assert!(schema.clone().alternatives(&["r.url"], &["r.host"]).is_ok());
        for error in [
            schema.clone().alternatives(&["r.url"], &["r.hots"]).unwrap_err().to_string(),
            schema.clone().lead("r.hots", &["r.url"]).unwrap_err().to_string(),
            schema.lead("r.url", &["r.hots"]).unwrap_err().to_string(),
        ] {
            assert!(error.contains("r.hots") && error.contains("r.host"), "{error}");
        }
    }
}
