//! The merged settings.

use std::any::type_name;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::SettingsError;
use crate::kind::Raw;
use crate::layer::{Layer, Origin};
use crate::partial::{Merge, Merged};
use crate::read::FromValue;
use crate::resolved::{Held, ResolvedSetting};
use crate::schema::Schema;
use crate::setting::Setting;
use crate::value::Value;
use crate::variables::Rejected;
use crate::warning::Warning;

/// Every setting of a schema with its value and where that comes from.
#[derive(Debug, Clone)]
pub struct Settings {
    schema: Schema,
    /// One for each setting, in the schema's order.
    held: Vec<Held>,
    /// Where values were that alternatives of higher layers replaced.
    replaced: BTreeMap<&'static str, String>,
    warnings: Vec<Warning>,
    file: Option<PathBuf>,
}

impl Settings {
    /// Reads a setting's value as a type; `Option` takes a value that is absent or off as `None`.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Undeclared`] for a key that the schema does not declare,
    /// [`SettingsError::WrongType`] where the type cannot hold the value, and
    /// [`SettingsError::Unset`] where there is no value and the type needs one.
    pub fn get<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<T, SettingsError> {
        let ResolvedSetting { setting, held } = self.resolved(key)?;
        if matches!(held.value, Value::Absent | Value::Off) {
            return T::from_absent().ok_or_else(|| SettingsError::Unset {
                key: key.to_owned(),
                expected: setting.expected(),
            });
        }
        T::from_value(&held.value).ok_or_else(|| SettingsError::WrongType {
            key: key.to_owned(),
            kind: setting.kind_name(),
            wanted: type_name::<T>(),
        })
    }

    /// A setting with its value, layer and source.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Undeclared`] for a key that the schema does not declare.
    pub fn resolved(&self, key: &str) -> Result<ResolvedSetting<'_>, SettingsError> {
        let place = self.place(key)?;
        Ok(ResolvedSetting { setting: &self.schema.settings()[place], held: &self.held[place] })
    }

    /// The layer that a setting's value comes from.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Undeclared`] for a key that the schema does not declare.
    pub fn layer(&self, key: &str) -> Result<Layer, SettingsError> {
        self.resolved(key).map(|resolved| resolved.layer())
    }

    /// Where a setting without a value had one, if an alternative of a higher layer replaced it.
    ///
    /// It reads like `file turnledger.toml`. Defaults that were replaced are not told.
    pub fn replaced(&self, key: &str) -> Option<&str> {
        self.replaced.get(key).map(String::as_str)
    }

    /// All settings in the order of their declaration.
    pub fn iter(&self) -> impl Iterator<Item = ResolvedSetting<'_>> {
        let pairs = self.schema.settings().iter().zip(&self.held);
        pairs.map(|(setting, held)| ResolvedSetting { setting, held })
    }

    /// All settings as one JSON object in the order of their declaration.
    ///
    /// Each key has an object of `value`, `layer` and `source`, as in
    /// `{"counter.encoding":{"value":"o200k_base","layer":"default","source":null}}`.
    pub fn to_json(&self) -> String {
        let row = |resolved: ResolvedSetting<'_>| {
            let key = serde_json::Value::from(resolved.key());
            let value = resolved.value().json();
            let layer = serde_json::Value::from(resolved.layer().as_str());
            let source = serde_json::Value::from(resolved.source());
            format!(r#"{key}:{{"value":{value},"layer":{layer},"source":{source}}}"#)
        };
        let rows: Vec<_> = self.iter().map(row).collect();
        format!("{{{}}}", rows.join(","))
    }

    /// The settings file that was read.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What the operator should be told.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The schema that the settings follow.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Sets a value that is computed from another setting, where no layer gives one.
    ///
    /// The value is written as in a variable. Its layer becomes [`Layer::Derived`], its source
    /// the key `from`. Returns false, and changes nothing, where the value is more than a default.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Undeclared`] for a key that the schema does not declare, and
    /// [`SettingsError::GivenValue`] for a value that the setting cannot read.
    pub fn derive(&mut self, key: &str, text: &str, from: &str) -> Result<bool, SettingsError> {
        let place = self.place(key)?;
        let value = read_explicit(&self.schema.settings()[place], text)?;
        self.schema.find(from)?;
        if self.held[place].origin.layer != Layer::Default {
            return Ok(false);
        }
        self.replace(place, value, from);
        Ok(true)
    }

    /// Replaces a value that contradicts another setting, and leaves a warning.
    ///
    /// Like [`derive`](Self::derive), but whatever the value's layer is.
    ///
    /// # Errors
    ///
    /// As for [`derive`](Self::derive).
    pub fn adjust(
        &mut self,
        key: &str,
        text: &str,
        from: &str,
        reason: impl Into<String>,
    ) -> Result<(), SettingsError> {
        let place = self.place(key)?;
        let value = read_explicit(&self.schema.settings()[place], text)?;
        self.schema.find(from)?;
        let given = self.held[place].described();
        self.warnings.push(Warning::Adjusted {
            key: key.to_owned(),
            given,
            used: value.quoted(),
            reason: reason.into(),
        });
        self.replace(place, value, from);
        Ok(())
    }

    /// An error which says that a setting's value contradicts another one.
    ///
    /// It names the key, the value (without secrets), its layer and source, and what was expected.
    pub fn refuse(&self, key: &str, expected: impl Into<String>) -> SettingsError {
        match self.resolved(key) {
            Ok(resolved) => SettingsError::Contradiction {
                key: key.to_owned(),
                value: resolved.value().quoted(),
                place: resolved.held.origin.to_string(),
                expected: expected.into(),
            },
            Err(undeclared) => undeclared,
        }
    }

    pub(crate) fn new(
        schema: Schema,
        merge: Merge,
        file: Option<PathBuf>,
    ) -> Result<Self, SettingsError> {
        let Merge { values, mut replaced } = merge;
        let held = schema.settings().iter().map(|setting| {
            let Some(Merged { raw, origin }) = values.get(setting.key()) else {
                let origin = Origin::new(Layer::Default, None);
                return Ok(Held { value: Value::Absent, origin });
            };
            let value = setting.read(raw).ok_or_else(|| unreadable(setting, raw))?;
            Ok(Held { value, origin: origin.clone() })
        });
        let held = held.collect::<Result<_, SettingsError>>()?;
        replaced.retain(|key, _| !values.contains_key(key));
        let replaced =
            replaced.into_iter().map(|(key, origin)| (key, origin.to_string())).collect();
        Ok(Self { schema, held, replaced, warnings: Vec::new(), file })
    }

    pub(crate) fn note(&mut self, warnings: Vec<Warning>) {
        self.warnings.extend(warnings);
    }

    pub(crate) fn note_rejected(&mut self, rejected: Vec<Rejected>) -> Result<(), SettingsError> {
        for variable in rejected {
            let used = self.described(variable.key)?;
            self.warnings.push(variable.into_warning(used));
        }
        Ok(())
    }

    /// What holds for a key; where that is nothing, an alternative that holds instead.
    fn described(&self, key: &str) -> Result<String, SettingsError> {
        let used = self.resolved(key)?.held.described();
        if self.resolved(key)?.value().is_present() {
            return Ok(used);
        }
        for other in self.schema.excluded_by(key) {
            let resolved = self.resolved(other)?;
            if resolved.value().is_present() {
                return Ok(format!("{used}, since {other} is {}", resolved.held.described()));
            }
        }
        Ok(used)
    }

    fn place(&self, key: &str) -> Result<usize, SettingsError> {
        self.schema.place(key).ok_or_else(|| self.schema.undeclared(key))
    }

    fn replace(&mut self, place: usize, value: Value, from: &str) {
        let origin = Origin::new(Layer::Derived, Some(from.to_owned()));
        self.held[place] = Held { value, origin };
        // A warning which says what holds instead of a variable must go on saying the truth.
        let key = self.schema.settings()[place].key();
        for warning in &mut self.warnings {
            if let Warning::IgnoredVariable { key: warned, used, .. } = warning
                && warned == key
            {
                *used = self.held[place].described();
            }
        }
    }
}

/// Reads a value that the program itself gives.
pub(crate) fn read_explicit(setting: &Setting, text: &str) -> Result<Value, SettingsError> {
    let raw = Raw::Loose(text.to_owned());
    setting.read(&raw).ok_or_else(|| unreadable(setting, &raw))
}

fn unreadable(setting: &Setting, raw: &Raw) -> SettingsError {
    SettingsError::GivenValue {
        key: setting.key().to_owned(),
        value: setting.shown(raw),
        expected: setting.expected(),
    }
}
