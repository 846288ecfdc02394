//! The way from layers to settings.

use std::fmt;
use std::path::PathBuf;

use crate::environment::Environment;
use crate::error::SettingsError;
use crate::file;
use crate::kind::Raw;
use crate::layer::Layer;
use crate::partial::{Partial, merge};
use crate::schema::Schema;
use crate::settings::{Settings, read_explicit};
use crate::variables::{self, Variables};

/// The prefix of variables where none is set.
const PREFIX: &str = "TURNLEDGER";

/// Collects the layers, and merges them into [`Settings`].
///
/// Nothing is read before [`build`](Self::build), and no environment unless
/// [`environment`](Self::environment) gives one.
#[must_use]
pub struct Loader {
    schema: Schema,
    named: Option<PathBuf>,
    candidates: Vec<PathBuf>,
    environment: Option<Box<dyn Environment + Send + Sync>>,
    prefix: String,
    explicit: Vec<(String, String)>,
    strict: bool,
}

impl Loader {
    /// Starts with the schema's defaults alone.
    pub fn new(schema: Schema) -> Self {
        Self {
            schema,
            named: None,
            candidates: Vec::new(),
            environment: None,
            prefix: PREFIX.to_owned(),
            explicit: Vec::new(),
            strict: false,
        }
    }

    /// Names the settings file, which must exist; it is read instead of any from a search.
    ///
    /// Its format follows from its extension: `.toml`, `.yaml`, `.yml` or `.json`.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.named = Some(path.into());
        self
    }

    /// Adds files that may exist; the first that does is read, and only that one.
    pub fn search<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.candidates.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Reads variables from an environment, such as
    /// [`ProcessEnvironment`](crate::ProcessEnvironment).
    ///
    /// The setting `redis.pool.size` is read from `PREFIX__REDIS__POOL__SIZE`, otherwise from the
    /// flat variables of its declaration. An empty variable counts as not set.
    pub fn environment(mut self, environment: impl Environment + Send + Sync + 'static) -> Self {
        self.environment = Some(Box::new(environment));
        self
    }

    /// Sets the prefix of variables, `TURNLEDGER` where none is set.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets a value, written as in a variable; of several for one key the last one holds.
    pub fn explicit(mut self, key: impl Into<String>, text: impl Into<String>) -> Self {
        self.explicit.push((key.into(), text.into()));
        self
    }

    /// Says whether a variable that cannot be read is an error, instead of a warning.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Reads and merges all layers.
    ///
    /// # Errors
    ///
    /// Returns an error where a named file is missing; where the file cannot be read, is longer
    /// than 1 MiB, or does not follow its format; where it has an unknown section or key, or a
    /// value that its setting cannot read; where an explicit value is of that kind or has an
    /// unknown key; where one layer has both sides of
    /// [alternatives](crate::Schema::alternatives); and, if strict, where a variable cannot be
    /// read.
    pub fn build(self) -> Result<Settings, SettingsError> {
        let mut layers = vec![Partial::defaults(&self.schema)];
        let document = match &self.named {
            Some(path) => Some(file::read_named(path)?),
            None => file::read_first(&self.candidates)?,
        };
        if let Some(document) = &document {
            layers.push(document.layer(&self.schema)?);
        }
        let (mut rejected, mut warnings) = (Vec::new(), Vec::new());
        if let Some(environment) = &self.environment {
            let found = variables::collect(&self.schema, &self.prefix, environment, self.strict)?;
            let Variables { partial, rejected: unread, warnings: told } = found;
            layers.push(partial);
            (rejected, warnings) = (unread, told);
        }
        layers.push(self.explicit_layer()?);

        let merged = merge(&self.schema, layers)?;
        let mut settings =
            Settings::new(self.schema, merged, document.map(|document| document.path))?;
        settings.note_rejected(rejected)?;
        settings.note(warnings);
        Ok(settings)
    }

    fn explicit_layer(&self) -> Result<Partial, SettingsError> {
        let mut partial = Partial::new(Layer::Explicit);
        for (key, text) in &self.explicit {
            let setting = self.schema.find(key)?;
            read_explicit(setting, text)?;
            partial.insert(setting, Raw::Loose(text.clone()), None);
        }
        Ok(partial)
    }
}

/// Shows which layers there are, and no value of them.
impl fmt::Debug for Loader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explicit: Vec<_> = self.explicit.iter().map(|(key, _)| key).collect();
        formatter
            .debug_struct("Loader")
            .field("named", &self.named)
            .field("candidates", &self.candidates)
            .field("environment", &self.environment.is_some())
            .field("prefix", &self.prefix)
            .field("explicit", &explicit)
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}
