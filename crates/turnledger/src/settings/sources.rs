//! From sources to settings.

use std::fmt;
use std::path::{Path, PathBuf};

use cache_redis::RedisSettings;
use layered_settings::{Environment, Loader, ProcessEnvironment, Settings, SettingsError, Warning};

use super::directories::{SETTINGS_FILE, UserDirectories};
use super::schema::schema_for;
use super::typed::TurnledgerSettings;

/// Where settings are loaded from.
///
/// Nothing is read before [`load`](Self::load), and only what was asked for: [`new`](Self::new)
/// alone gives the defaults.
///
/// # Examples
///
/// What a program does, with an option of its own on top:
///
/// ```no_run
/// use turnledger::settings::Sources;
///
/// let loaded = Sources::of_process().explicit("store.url", "file:notes.redb").load()?;
/// for warning in &loaded.warnings {
///     eprintln!("warning: {warning}");
/// }
/// # Ok::<(), turnledger::settings::SettingsError>(())
/// ```
#[derive(Default)]
#[must_use]
pub struct Sources {
    file: Option<PathBuf>,
    candidates: Vec<PathBuf>,
    directories: Option<UserDirectories>,
    environment: Option<Box<dyn Environment + Send + Sync>>,
    explicit: Vec<(String, String)>,
    strict: bool,
}

/// Settings that were loaded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// Every setting with its value, layer and source.
    pub settings: Settings,
    /// What the operator should be told.
    pub warnings: Vec<Warning>,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// Starts with the defaults alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts with what a program reads by default: `turnledger.toml` in the working directory,
    /// otherwise in the user's configuration directory, and the environment.
    pub fn of_process() -> Self {
        Self::new().search("", UserDirectories::of_process()).environment(ProcessEnvironment)
    }

    /// Names the settings file, which must exist; it is read instead of any from a search.
    ///
    /// Its format follows from its extension: `.toml`, `.yaml`, `.yml` or `.json`.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Searches `turnledger.toml` in a working directory, otherwise in the user's configuration
    /// directory; the first that exists is read.
    ///
    /// With the user's directories `store.url` has a default, a file in the data directory.
    pub fn search(
        mut self,
        working_directory: impl AsRef<Path>,
        user: Option<UserDirectories>,
    ) -> Self {
        self.candidates = vec![working_directory.as_ref().join(SETTINGS_FILE)];
        self.candidates.extend(user.as_ref().map(UserDirectories::settings_file));
        self.directories = user;
        self
    }

    /// Reads variables such as `TURNLEDGER__QUEUE__CAPACITY` from an environment.
    pub fn environment(mut self, environment: impl Environment + Send + Sync + 'static) -> Self {
        self.environment = Some(Box::new(environment));
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

    /// Reads and merges all layers, and checks that the values agree with each other.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the key, and the file or variable, of what is unknown, cannot be
    /// read or contradicts another setting; and a file that was named and does not exist.
    pub fn load(self) -> Result<Loaded, SettingsError> {
        let mut loader = Loader::new(schema_for(self.directories.as_ref())?)
            .search(self.candidates)
            .strict(self.strict);
        if let Some(path) = self.file {
            loader = loader.file(path);
        }
        if let Some(environment) = self.environment {
            loader = loader.environment(environment);
        }
        for (key, text) in self.explicit {
            loader = loader.explicit(key, text);
        }
        let mut settings = loader.build()?;
        // What follows from other values is a part of what is shown.
        RedisSettings::settle(&mut settings)?;
        // What contradicts another setting is told here, and not only where a memory is built.
        TurnledgerSettings::from_settings(&settings)?;
        let warnings = settings.warnings().to_vec();
        let file = settings.file().map(Path::to_path_buf);
        Ok(Loaded { settings, warnings, file })
    }
}

/// Shows which sources there are, and no value of them.
impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explicit: Vec<_> = self.explicit.iter().map(|(key, _)| key).collect();
        formatter
            .debug_struct("Sources")
            .field("file", &self.file)
            .field("candidates", &self.candidates)
            .field("environment", &self.environment.is_some())
            .field("explicit", &explicit)
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use layered_settings::Layer;

    use super::*;

    /// A working directory and a user's directories, with a settings file in those named.
    fn folder(files: &[&str]) -> (tempfile::TempDir, UserDirectories) {
        let folder = tempfile::tempdir().unwrap();
        for (number, name) in files.iter().enumerate() {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("[queue]\ncapacity = {}\n", number + 1)).unwrap();
        }
        let user = UserDirectories::new(folder.path().join("config"), folder.path().join("data"));
        (folder, user)
    }

    #[test]
    fn the_first_file_that_is_there_is_read_and_told() {
        const WORKING: &str = "turnledger.toml";
        const USER: &str = "config/turnledger/turnledger.toml";
        let check = |files: &[&str], named: Option<&str>, read: Option<&str>, capacity: u64| {
            let (folder, user) = folder(files);
            let mut sources = Sources::new().search(folder.path(), Some(user));
            if let Some(named) = named {
                sources = sources.file(folder.path().join(named));
            }
            let loaded = sources.load().unwrap();
            assert_eq!(loaded.file, read.map(|name| folder.path().join(name)), "{files:?}");
            assert_eq!(loaded.settings.get::<u64>("queue.capacity").unwrap(), capacity);
        };
        check(&[], None, None, 1000);
        check(&[USER], None, Some(USER), 1);
        check(&[USER, WORKING], None, Some(WORKING), 2);
        check(&[USER, WORKING, "x.toml"], Some("x.toml"), Some("x.toml"), 3);
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error() {
        let (folder, user) = folder(&["turnledger.toml"]);
        let sources = Sources::new().search(folder.path(), Some(user));
        let error = sources.file(folder.path().join("x.toml")).load().unwrap_err();
        assert!(matches!(error, SettingsError::MissingFile { .. }), "{error}");
        assert!(error.to_string().contains("x.toml"), "{error}");
    }

    #[test]
    fn nothing_is_read_that_was_not_asked_for() {
        let loaded = Sources::new().load().unwrap();
        assert_eq!(loaded.file, None);
        assert!(loaded.warnings.is_empty());
        assert!(loaded.settings.iter().all(|setting| setting.layer() == Layer::Default));
        assert_eq!(
            loaded.settings.get::<Option<layered_settings::Url>>("store.url").unwrap(),
            None
        );
    }

    #[test]
    fn the_default_store_is_in_the_users_data_directory() {
        let (folder, user) = folder(&[]);
        let loaded = Sources::new().search(folder.path(), Some(user)).load().unwrap();
        let url = loaded.settings.resolved("store.url").unwrap();
        let expected = format!("file:{}/data/turnledger/memory.redb", folder.path().display());
        assert_eq!((url.value().to_string(), url.layer()), (expected, Layer::Default));
    }

    #[test]
    fn every_layer_beats_the_one_below_it() {
        let (folder, user) = folder(&["turnledger.toml"]);
        let variable = |text: &str| {
            BTreeMap::from([("TURNLEDGER__QUEUE__CAPACITY".to_owned(), text.to_owned())])
        };
        let sources = || Sources::new().search(folder.path(), Some(user.clone()));
        let check = |sources: Sources, value: u64, layer: Layer| {
            let settings = sources.load().unwrap().settings;
            assert_eq!(settings.get::<u64>("queue.capacity").unwrap(), value);
            assert_eq!(settings.layer("queue.capacity").unwrap(), layer);
        };
        check(Sources::new(), 1000, Layer::Default);
        check(sources(), 1, Layer::File);
        check(sources().environment(variable("20")), 20, Layer::Environment);
        check(sources().environment(variable("many")), 1, Layer::File);
        check(
            sources().environment(variable("20")).explicit("queue.capacity", "30"),
            30,
            Layer::Explicit,
        );
        let error = sources().environment(variable("many")).strict(true).load().unwrap_err();
        assert!(error.to_string().contains("TURNLEDGER__QUEUE__CAPACITY"), "{error}");
    }

    #[test]
    fn a_value_that_contradicts_another_one_is_told_with_its_source() {
        let check = |sources: Sources, value: &str, place: &str| {
            let error = sources.load().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "memory.namespace is \"{value}\" ({place}), expected text of 1 to 32 bytes, as \
                     limits.id_bytes says"
                )
            );
        };
        let long = "n".repeat(33);
        let short = || Sources::new().explicit("limits.id_bytes", "32");
        check(short().explicit("memory.namespace", &long), &long, "explicit");
        let variable = "TURNLEDGER__MEMORY__NAMESPACE";
        let environment = BTreeMap::from([(variable.to_owned(), long.clone())]);
        check(short().environment(environment), &long, &format!("environment {variable}"));
        let (folder, _) = folder(&[]);
        let path = folder.path().join("x.toml");
        fs::write(&path, format!("[memory]\nnamespace = \"{long}\"\n")).unwrap();
        check(short().file(&path), &long, &format!("file {}", path.display()));
        assert!(short().explicit("memory.namespace", "n".repeat(32)).load().is_ok());
    }

    #[test]
    fn debug_shows_no_value() {
        let sources = Sources::new()
            .explicit("store.url", "redis://u:canary@h")
            .environment(BTreeMap::from([("A".to_owned(), "canary".to_owned())]));
        let shown = format!("{sources:?}");
        assert!(shown.contains("store.url") && !shown.contains("canary"), "{shown}");
    }
}
