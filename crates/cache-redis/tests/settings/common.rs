//! What the tests share: a file, variables and calls, and what comes of them.

use std::collections::BTreeMap;

use cache_redis::{Loader, RedisSettings, Settings, SettingsError};
use tempfile::TempDir;

/// The layers of one test.
#[derive(Default)]
pub(crate) struct Layers<'a> {
    pub(crate) file: &'a str,
    pub(crate) variables: &'a [(&'a str, &'a str)],
    pub(crate) explicit: &'a [(&'a str, &'a str)],
    pub(crate) strict: bool,
}

impl Layers<'_> {
    /// Loads and settles; the file is called `s.toml` in messages, without its folder.
    pub(crate) fn load(&self) -> Result<(RedisSettings, Settings), String> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, self.file).unwrap();
        let without_folder =
            |text: String| text.replace(&format!("{}/", folder.path().display()), "");
        let settle = || -> Result<_, SettingsError> {
            let mut settings =
                loader(self.variables, self.explicit).file(&path).strict(self.strict).build()?;
            let typed = RedisSettings::settle(&mut settings)?;
            Ok((typed, settings))
        };
        settle().map_err(|error| without_folder(error.to_string()))
    }

    /// Loads what has to be good.
    pub(crate) fn good(&self) -> (RedisSettings, Settings) {
        self.load().unwrap()
    }

    /// Loads what has to be refused, and returns why.
    pub(crate) fn refused(&self) -> String {
        self.load().unwrap_err()
    }
}

/// A loader of variables and calls.
pub(crate) fn loader(variables: &[(&str, &str)], explicit: &[(&str, &str)]) -> Loader {
    let environment: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let loader = Loader::new(RedisSettings::schema()).environment(environment);
    explicit.iter().fold(loader, |loader, (key, text)| loader.explicit(*key, *text))
}

/// A setting as `value (layer source)`.
pub(crate) fn row(settings: &Settings, key: &str) -> String {
    let resolved = settings.resolved(key).unwrap();
    let source = resolved
        .source()
        .map(|source| format!(" {}", source.rsplit_once('/').map_or(source, |(_, name)| name)));
    format!("{} ({}{})", resolved.value(), resolved.layer(), source.unwrap_or_default())
}

/// The warnings as texts.
pub(crate) fn warnings(settings: &Settings) -> Vec<String> {
    settings.warnings().iter().map(ToString::to_string).collect()
}
