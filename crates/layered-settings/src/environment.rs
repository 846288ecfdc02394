//! Where variables come from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

/// A place to look up variables in.
///
/// Libraries get it from their caller, so that they read the process's environment only when
/// asked to. A map from names to values is one too:
///
/// ```
/// use std::collections::BTreeMap;
/// use layered_settings::Environment;
///
/// let environment = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
/// assert_eq!(environment.variable("HOME"), Some("/root".into()));
/// assert_eq!(environment.variable("home"), None);
/// ```
#[cfg_attr(test, mockall::automock)]
pub trait Environment {
    /// A variable's value; none where it is not set.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// The names of all variables that are set, in any order.
    fn names(&self) -> Vec<OsString>;
}

/// The environment of this process, as it is at the time of each look-up.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn names(&self) -> Vec<OsString> {
        std::env::vars_os().map(|(name, _)| name).collect()
    }
}

impl Environment for BTreeMap<String, String> {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.get(name).map(OsString::from)
    }

    fn names(&self) -> Vec<OsString> {
        self.keys().map(OsString::from).collect()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<E: Environment + ?Sized> Environment for Arc<E> {
    fn variable(&self, name: &str) -> Option<OsString> {
        (**self).variable(name)
    }

    fn names(&self) -> Vec<OsString> {
        (**self).names()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<E: Environment + ?Sized> Environment for Box<E> {
    fn variable(&self, name: &str) -> Option<OsString> {
        (**self).variable(name)
    }

    fn names(&self) -> Vec<OsString> {
        (**self).names()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_environment_is_the_real_one() {
        // Cargo sets this one for every test.
        let name = "CARGO_MANIFEST_DIR";
        assert_eq!(ProcessEnvironment.variable(name), std::env::var_os(name));
        assert!(ProcessEnvironment.names().contains(&OsString::from(name)));
        assert_eq!(ProcessEnvironment.variable("a=b"), None);
        assert_eq!(ProcessEnvironment.variable("LAYERED_SETTINGS_UNSET"), None);
    }
}
