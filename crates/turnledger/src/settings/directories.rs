//! Where a user's files are.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

use crate::store_url;

/// The folder of this program below each of the user's directories.
const FOLDER: &str = "turnledger";

/// The name of a settings file, in the working directory as in the user's.
pub(super) const SETTINGS_FILE: &str = "turnledger.toml";

/// The file of the default store.
const STORE_FILE: &str = "memory.redb";

/// The directories in which a user's settings and conversations are kept.
///
/// # Examples
///
/// ```
/// use turnledger::settings::UserDirectories;
///
/// let directories = UserDirectories::new("config", "data");
/// assert!(directories.settings_file().ends_with("turnledger/turnledger.toml"));
/// assert_eq!(directories.default_store_url(), "file:data/turnledger/memory.redb");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDirectories {
    config: PathBuf,
    data: PathBuf,
}

impl UserDirectories {
    /// Names the directories that hold the files of all programs.
    pub fn new(config: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self { config: config.into(), data: data.into() }
    }

    /// Asks the system for the directories of this process's user.
    ///
    /// They are `%APPDATA%` on Windows. Everywhere else they are `$XDG_CONFIG_HOME` and
    /// `$XDG_DATA_HOME`, or `.config` and `.local/share` in the home directory. None where the
    /// user has no home directory.
    pub fn of_process() -> Option<Self> {
        let base = etcetera::choose_base_strategy().ok()?;
        Some(Self::new(base.config_dir(), base.data_dir()))
    }

    /// The settings file that is read where no other is named or found.
    pub fn settings_file(&self) -> PathBuf {
        self.config.join(FOLDER).join(SETTINGS_FILE)
    }

    /// The store that is opened where none is named.
    pub fn default_store_url(&self) -> String {
        store_url::of_file(&self.data.join(FOLDER).join(STORE_FILE))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_files_stand_in_a_folder_of_this_program() {
        let directories = UserDirectories::new("/c", "/d e");
        assert_eq!(directories.settings_file(), Path::new("/c/turnledger/turnledger.toml"));
        assert_eq!(directories.default_store_url(), "file:/d e/turnledger/memory.redb");
    }
}
