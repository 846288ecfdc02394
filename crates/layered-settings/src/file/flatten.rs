//! From a file's tables to settings.

use std::path::Path;

use config::{Map, Value, ValueKind};

use crate::error::SettingsError;
use crate::kind::Raw;
use crate::layer::Layer;
use crate::partial::Partial;
use crate::schema::Schema;
use crate::shown;

/// Where the numbers begin that no setting holds: 2 to the power of 64.
const HUGE: f64 = 18_446_744_073_709_551_616.0;

/// How such a number is shown.
const OUT_OF_RANGE: &str = "a number out of range";

/// Checks every key and value of a file against the schema.
///
/// # Errors
///
/// Returns an error for the first key, in alphabetical order, that is unknown or whose value its
/// setting cannot read. A null counts as not set.
pub(crate) fn flatten(
    schema: &Schema,
    path: &Path,
    table: Map<String, Value>,
) -> Result<Partial, SettingsError> {
    let partial = Partial::new(Layer::File);
    let source = path.to_string_lossy().into_owned();
    let mut walk = Walk { schema, path, source, partial };
    walk.table("", table)?;
    Ok(walk.partial)
}

struct Walk<'a> {
    schema: &'a Schema,
    path: &'a Path,
    source: String,
    partial: Partial,
}

impl Walk<'_> {
    fn table(&mut self, section: &str, table: Map<String, Value>) -> Result<(), SettingsError> {
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        for (name, value) in entries {
            let key = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
            // A dot inside a quoted key is no nesting, and no setting has one.
            let known = !name.contains('.');
            if known && self.schema.get(&key).is_some() {
                self.value(&key, value.kind)?;
            } else if known && self.schema.is_section(&key) {
                self.section(&key, value.kind)?;
            } else {
                return Err(self.unknown(section, &key, &value.kind));
            }
        }
        Ok(())
    }

    fn section(&mut self, key: &str, kind: ValueKind) -> Result<(), SettingsError> {
        match kind {
            ValueKind::Table(table) => self.table(key, table),
            ValueKind::Nil => Ok(()),
            // What it is instead is not shown: it may be a secret at the wrong place.
            _ => Err(self.refused(key, "no table".to_owned(), "a table of settings".to_owned())),
        }
    }

    fn value(&mut self, key: &str, kind: ValueKind) -> Result<(), SettingsError> {
        let Some(raw) = raw(kind) else { return Ok(()) };
        let setting = self.schema.find(key)?;
        if setting.read(&raw).is_none() {
            return Err(self.refused(key, setting.shown(&raw), setting.expected()));
        }
        self.partial.insert(setting, raw, Some(self.source.clone()));
        Ok(())
    }

    fn refused(&self, key: &str, value: String, expected: String) -> SettingsError {
        let (path, key) = (self.path.to_owned(), key.to_owned());
        SettingsError::FileValue { path, key, value, expected }
    }

    fn unknown(&self, section: &str, key: &str, kind: &ValueKind) -> SettingsError {
        let path = self.path.to_owned();
        if let Some((inner, name)) = key.rsplit_once('.')
            && inner != section
            && (self.schema.get(key).is_some() || self.schema.is_section(key))
        {
            let outer = section.len() + usize::from(!section.is_empty());
            let (section, name) = (inner.to_owned(), name.to_owned());
            return SettingsError::DottedKey { path, key: key[outer..].to_owned(), section, name };
        }
        match kind {
            ValueKind::Table(_) if section.is_empty() => {
                let inner = first_key(key, kind);
                SettingsError::UnknownSection {
                    path,
                    section: shown::plain(key),
                    key: shown::plain(&inner),
                    nearest: self.schema.nearest_key(&inner),
                }
            }
            _ => SettingsError::UnknownKey {
                path,
                key: shown::plain(key),
                nearest: self.schema.nearest_key(key),
            },
        }
    }
}

/// The first key of a value below a path that is no table itself.
fn first_key(path: &str, kind: &ValueKind) -> String {
    let first = match kind {
        ValueKind::Table(table) => table.iter().min_by_key(|(name, _)| *name),
        _ => None,
    };
    match first {
        Some((name, value)) => first_key(&format!("{path}.{name}"), &value.kind),
        None => path.to_owned(),
    }
}

fn raw(kind: ValueKind) -> Option<Raw> {
    Some(match kind {
        ValueKind::Nil => return None,
        ValueKind::String(text) => Raw::Text(text),
        ValueKind::Boolean(boolean) => Raw::Boolean(boolean),
        ValueKind::I64(number) => Raw::Integer(number.into()),
        ValueKind::U64(number) => Raw::Integer(number.into()),
        ValueKind::I128(number) => Raw::Integer(number),
        // Some parsers make one of these of an integer that they cannot hold.
        ValueKind::Float(number) if number.abs() < HUGE => Raw::Other("a number with a fraction"),
        ValueKind::Float(_) | ValueKind::U128(_) => Raw::Other(OUT_OF_RANGE),
        ValueKind::Table(_) => Raw::Other("a table"),
        ValueKind::Array(_) => Raw::Other("a list"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::format::Format;
    use crate::setting::Setting;

    fn schema() -> Schema {
        Schema::new([
            Setting::choice("counter.encoding", &["o200k_base", "cl100k_base"]),
            Setting::integer("redis.pool.size", 1..),
            Setting::duration("redis.pool.timeout", ..),
            Setting::url("redis.url"),
            Setting::secret("redis.password"),
        ])
        .unwrap()
    }

    fn load(format: Format, text: &str) -> Result<Partial, SettingsError> {
        flatten(&schema(), Path::new("x/y.toml"), format.parse(text).unwrap())
    }

    #[test]
    fn a_bad_value_is_named_with_file_and_key() {
        let check = |format: Format, text: &str, expected: &str| {
            let error = load(format, text).unwrap_err().to_string();
            assert_eq!(error, format!("settings file x/y.toml: {expected}"), "{text}");
            assert!(!error.contains("canary"));
        };
        let toml = |text: &str, expected: &str| check(Format::Toml, text, expected);
        toml(
            "redis.pool.size = \"7\"",
            "redis.pool.size is \"7\", expected an integer of at least 1",
        );
        toml("redis.pool.size = 0", "redis.pool.size is 0, expected an integer of at least 1");
        toml(
            "redis.pool.size = 1.5",
            "redis.pool.size is a number with a fraction, expected an integer of at least 1",
        );
        toml(
            "redis.pool.timeout = 30",
            "redis.pool.timeout is 30, expected a duration with its unit, such as 30s",
        );
        toml(
            "redis.pool.timeout = \"30\"",
            "redis.pool.timeout is \"30\", expected a duration with its unit, such as 30s",
        );
        toml(
            "redis.pool.size = 99999999999999999999",
            "redis.pool.size is 99999999999999999999, expected an integer of at least 1",
        );
        let out_of_range =
            "redis.pool.size is a number out of range, expected an integer of at least 1";
        toml(&format!("redis.pool.size = {}", "9".repeat(50)), out_of_range);
        toml("redis.pool.size = 1e999", out_of_range);
        toml("redis.pool.size = nan", out_of_range);
        check(Format::Json, r#"{"redis": {"pool": {"size": 99999999999999999999}}}"#, out_of_range);
        check(Format::Yaml, "redis: {pool: {size: 99999999999999999999}}", out_of_range);
        toml("redis.password = 99999999999999999999", "redis.password is ***, expected text");
        toml("redis.password = 4711", "redis.password is ***, expected text");
        toml(
            "redis.url = 'canary'",
            "redis.url is ***, expected a URL, such as scheme://host/path",
        );
        toml("redis = 'canary'", "redis is no table, expected a table of settings");
        toml(
            "[counter.encoding]\nx = 1",
            "counter.encoding is a table, expected one of o200k_base, cl100k_base",
        );
        check(
            Format::Yaml,
            "counter: {encoding: [canary]}",
            "counter.encoding is a list, expected one of o200k_base, cl100k_base",
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        let check = |text: &str, expected: &str| {
            let error = load(Format::Json, text).unwrap_err().to_string();
            assert_eq!(error, format!("settings file x/y.toml: {expected}"), "{text}");
        };
        check(
            r#"{"counter": {"encodng": "canary"}}"#,
            "unknown key counter.encodng; the nearest known one is counter.encoding",
        );
        check(
            r#"{"redis": {"pool": {"timout": 1}}}"#,
            "unknown key redis.pool.timout; the nearest known one is redis.pool.timeout",
        );
        check(
            r#"{"countre": {"encoding": "canary"}}"#,
            "unknown section [countre], with the key countre.encoding; the nearest known one is \
             counter.encoding",
        );
        check(
            r#"{"redsi": {}}"#,
            "unknown section [redsi], with the key redsi; the nearest known one is redis.url",
        );
        check(
            r#"{"encoding": "canary"}"#,
            "unknown key encoding; the nearest known one is counter.encoding",
        );
        check(
            r#"{"counter.encodng": "canary"}"#,
            "unknown key counter.encodng; the nearest known one is counter.encoding",
        );
    }

    #[test]
    fn a_key_with_a_dot_in_it_is_told_its_section() {
        let check = |format: Format, text: &str, expected: &str| {
            let error = load(format, text).unwrap_err().to_string();
            assert_eq!(error, format!("settings file x/y.toml: the key {expected}"), "{text}");
        };
        let encoding = "\"counter.encoding\" has a dot in it; write it as the key encoding in the \
                        section counter";
        check(Format::Json, r#"{"counter.encoding": "canary"}"#, encoding);
        check(Format::Toml, r#""counter.encoding" = "canary""#, encoding);
        check(Format::Yaml, "counter.encoding: canary", encoding);
        check(
            Format::Toml,
            "[redis]\n\"pool.size\" = 7",
            "\"pool.size\" has a dot in it; write it as the key size in the section redis.pool",
        );
        check(
            Format::Yaml,
            "redis.pool: {size: 7}",
            "\"redis.pool\" has a dot in it; write it as the key pool in the section redis",
        );
        // In TOML a dot outside of quotes is nesting.
        assert!(load(Format::Toml, "redis.pool.size = 7").is_ok());
    }

    #[test]
    fn null_counts_as_not_set() {
        for text in ["redis: {password: ~, url: }", "redis:", "redis: {pool: ~}", ""] {
            let partial = load(Format::Yaml, text).unwrap();
            assert!(format!("{partial:?}").contains("keys: []"), "{text}: {partial:?}");
        }
    }
}
