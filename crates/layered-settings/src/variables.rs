//! The layer of environment variables.

use std::collections::BTreeSet;

use crate::environment::Environment;
use crate::error::SettingsError;
use crate::kind::Raw;
use crate::layer::Layer;
use crate::partial::Partial;
use crate::schema::Schema;
use crate::setting::Setting;
use crate::shown;
use crate::value::Value;
use crate::warning::Warning;

/// Edits between two names of sections up to which one counts as a slip for the other.
const SLIP: usize = 2;

/// What the environment gives: a layer, and what is wrong with the rest.
pub(crate) struct Variables {
    pub(crate) partial: Partial,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) warnings: Vec<Warning>,
}

/// A variable that its setting cannot read.
pub(crate) struct Rejected {
    pub(crate) variable: String,
    pub(crate) key: &'static str,
    pub(crate) value: String,
    pub(crate) expected: String,
}

/// The variable that a setting is read from.
struct Accepted {
    variable: String,
    raw: Raw,
    value: Value,
}

/// Reads the variables of all settings.
///
/// # Errors
///
/// Returns [`SettingsError::Variable`] for the first one that its setting cannot read, if `strict`.
pub(crate) fn collect(
    schema: &Schema,
    prefix: &str,
    environment: &dyn Environment,
    strict: bool,
) -> Result<Variables, SettingsError> {
    let partial = Partial::new(Layer::Environment);
    let mut found = Variables { partial, rejected: Vec::new(), warnings: Vec::new() };
    for setting in schema.settings() {
        found.read(setting, prefix, environment);
        if strict && let Some(rejected) = found.rejected.drain(..).next() {
            return Err(rejected.into_error());
        }
    }
    found.warnings.extend(unknown(schema, prefix, environment));
    Ok(found)
}

impl Variables {
    fn read(&mut self, setting: &Setting, prefix: &str, environment: &dyn Environment) {
        let mut accepted: Option<Accepted> = None;
        let flat = setting.variables().iter().map(|name| (*name).to_owned());
        for variable in std::iter::once(setting.prefixed_variable(prefix)).chain(flat) {
            let Some(given) = environment.variable(&variable) else { continue };
            if given.is_empty() {
                continue;
            }
            let Ok(text) = given.into_string() else {
                self.reject(setting, variable, "not valid UTF-8".to_owned());
                continue;
            };
            let raw = Raw::Loose(text);
            let Some(value) = setting.read(&raw) else {
                self.reject(setting, variable, setting.shown(&raw));
                continue;
            };
            match &accepted {
                None => accepted = Some(Accepted { variable, raw, value }),
                Some(first) if first.value != value => {
                    self.warnings.push(Warning::OverriddenVariable {
                        variable,
                        value: setting.shown(&raw),
                        key: setting.key().to_owned(),
                        by: first.variable.clone(),
                        used: setting.shown(&first.raw),
                    });
                }
                Some(_) => {}
            }
        }
        if let Some(Accepted { variable, raw, .. }) = accepted {
            self.partial.insert(setting, raw, Some(variable));
        }
    }

    fn reject(&mut self, setting: &Setting, variable: String, value: String) {
        let (key, expected) = (setting.key(), setting.expected());
        self.rejected.push(Rejected { variable, key, value, expected });
    }
}

impl Rejected {
    fn into_error(self) -> SettingsError {
        let Self { variable, key, value, expected } = self;
        SettingsError::Variable { variable, key: key.to_owned(), value, expected }
    }

    /// The warning, once it is known what holds instead.
    pub(crate) fn into_warning(self, used: String) -> Warning {
        let Self { variable, key, value, expected } = self;
        Warning::IgnoredVariable { variable, key: key.to_owned(), value, expected, used }
    }
}

/// Variables that look like settings, but are none.
///
/// Other crates may have sections of their own under the same prefix. So only a section that is
/// known, or spelt almost like a known one, makes a variable suspicious.
fn unknown(schema: &Schema, prefix: &str, environment: &dyn Environment) -> Vec<Warning> {
    let known: BTreeSet<String> =
        schema.settings().iter().map(|setting| setting.prefixed_variable(prefix)).collect();
    let sections = schema.sections();
    let mut strangers: Vec<String> = environment
        .names()
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| !known.contains(name))
        .filter(|name| is_suspicious(name, prefix, &sections))
        .filter(|name| environment.variable(name).is_some_and(|value| !value.is_empty()))
        .collect();
    strangers.sort_unstable();
    let warning = |name: String| {
        let nearest = shown::nearest(&name, known.iter().map(String::as_str));
        Warning::UnknownVariable { variable: shown::plain(&name), nearest }
    };
    strangers.into_iter().map(warning).collect()
}

fn is_suspicious(name: &str, prefix: &str, sections: &BTreeSet<&str>) -> bool {
    let Some(rest) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix("__")) else {
        return false;
    };
    let section: String =
        rest.split("__").next().unwrap_or(rest).chars().take(64).collect::<String>();
    let section = section.to_lowercase();
    sections.iter().any(|known| {
        let slip = SLIP.min(known.len() / 2);
        strsim::osa_distance(&section, known) <= slip
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use mockall::predicate::eq;

    use super::*;
    use crate::environment::MockEnvironment;

    fn schema() -> Schema {
        Schema::new([
            Setting::integer("redis.pool.size", 1..).variable("REDIS_POOL_SIZE"),
            Setting::url("redis.url").variable("REDIS_URL").variable("REDIS_ADDRESS"),
        ])
        .unwrap()
    }

    fn from_map(pairs: &[(&str, &str)], strict: bool) -> Result<Variables, SettingsError> {
        let map: BTreeMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        collect(&schema(), "APP", &map, strict)
    }

    fn warnings(pairs: &[(&str, &str)]) -> Vec<String> {
        from_map(pairs, false).unwrap().warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_variable_is_asked_for_by_name() {
        let mut environment = MockEnvironment::new();
        let names = [
            "APP__REDIS__POOL__SIZE",
            "REDIS_POOL_SIZE",
            "APP__REDIS__URL",
            "REDIS_URL",
            "REDIS_ADDRESS",
        ];
        for name in names {
            environment.expect_variable().with(eq(name)).once().return_const(None);
        }
        environment.expect_names().once().return_const(Vec::<OsString>::new());
        let found = collect(&schema(), "APP", &environment, false).ok().unwrap();
        assert!(found.warnings.is_empty() && found.rejected.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf8_is_named_and_not_used() {
        use std::os::unix::ffi::OsStringExt;

        let environment = || {
            let mut environment = MockEnvironment::new();
            environment.expect_variable().returning(|name| {
                (name == "REDIS_URL").then(|| OsString::from_vec(b"redis://u:canary\xff@h".into()))
            });
            environment.expect_names().return_const(vec![OsString::from_vec(b"APP__\xff".into())]);
            environment
        };
        let lenient = collect(&schema(), "APP", &environment(), false).ok().unwrap();
        assert_eq!(lenient.rejected.len(), 1);
        assert_eq!(lenient.rejected[0].value, "not valid UTF-8");
        let error = collect(&schema(), "APP", &environment(), true).err().unwrap();
        assert_eq!(
            error.to_string(),
            "environment variable REDIS_URL is not valid UTF-8, expected a URL, such as \
             scheme://host/path for redis.url",
        );
    }

    #[test]
    fn the_prefixed_variable_beats_its_flat_twin() {
        let check = |flat: &str, expected: &[&str]| {
            let given = [("APP__REDIS__POOL__SIZE", "30"), ("REDIS_POOL_SIZE", flat)];
            assert_eq!(warnings(&given), expected);
        };
        check("30", &[]);
        check(" 30", &[]);
        check("", &[]);
        check(
            "20",
            &["environment variable REDIS_POOL_SIZE (\"20\") is ignored, because \
               APP__REDIS__POOL__SIZE (\"30\") differs from it and stands for redis.pool.size too"],
        );
        let urls = warnings(&[("REDIS_URL", "redis://a:canary@h"), ("REDIS_ADDRESS", "redis://h")]);
        assert!(urls[0].contains("REDIS_ADDRESS (***)") && urls[0].contains("REDIS_URL (***)"));
    }

    #[test]
    fn strict_refuses_what_lenient_ignores() {
        let given = [("REDIS_POOL_SIZE", "seven"), ("APP__REDIS__URL", "canary")];
        let found = from_map(&given, false).ok().unwrap();
        let rejected: Vec<_> = found.rejected.iter().map(|r| (r.key, r.value.as_str())).collect();
        assert_eq!(rejected, [("redis.pool.size", "\"seven\""), ("redis.url", "***")]);
        assert_eq!(
            from_map(&given, true).err().unwrap().to_string(),
            "environment variable REDIS_POOL_SIZE is \"seven\", expected an integer of at least 1 \
             for redis.pool.size",
        );
        assert!(!from_map(&given[1..], true).err().unwrap().to_string().contains("canary"));
    }

    #[test]
    fn a_misspelt_variable_is_told() {
        let check = |name: &str, nearest: Option<&str>| {
            let expected: Vec<String> = nearest
                .map(|known| {
                    format!(
                        "environment variable {name} names no setting; the nearest known one is \
                         {known}"
                    )
                })
                .into_iter()
                .collect();
            assert_eq!(warnings(&[(name, "1")]), expected);
        };
        check("APP__REDIS__POOL__SIZES", Some("APP__REDIS__POOL__SIZE"));
        check("APP__REDIS__ULR", Some("APP__REDIS__URL"));
        check("APP__REDSI__POOL__SIZE", Some("APP__REDIS__POOL__SIZE"));
        check("APP__redis__url", Some("APP__REDIS__URL"));
        check("APP__COUNTER__ENCODING", None);
        check("APP_REDIS_URL", None);
        check("OTHER__REDIS__ULR", None);
        assert!(warnings(&[("APP__REDIS__ULR", "")]).is_empty());
    }
}
