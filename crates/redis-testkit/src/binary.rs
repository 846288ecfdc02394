//! Finding the program that is a Redis server.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::error::Error;

/// The variable that names the program, before any other place.
pub const SERVER_VARIABLE: &str = "TURNLEDGER_REDIS_SERVER";

/// What the program is called, the preferred one first.
const NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// Where packages put it, also for users whose `PATH` lacks it.
const USUAL: [&str; 2] = ["/usr/bin", "/usr/local/bin"];

/// A server's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl Version {
    /// The oldest that is supported.
    pub const OLDEST: Self = Self { major: 7, minor: 0, patch: 0 };

    /// Reads it from what `--version` prints: `Redis server v=7.0.15 sha=…`.
    fn parse(printed: &str) -> Option<Self> {
        let text = printed.split_whitespace().find_map(|word| word.strip_prefix("v="))?;
        let mut numbers = text.split('.').map(|part| part.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { major: next()?, minor: next()?, patch: next()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A program that is a Redis server of a supported version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinary {
    path: PathBuf,
    version: Version,
}

impl ServerBinary {
    /// Finds it once for this process.
    ///
    /// What [`SERVER_VARIABLE`] names is taken or refused, and nothing else is looked at. Without
    /// it `redis-server`, then `valkey-server`, is looked for on the `PATH` and in `/usr/bin` and
    /// `/usr/local/bin`.
    ///
    /// # Errors
    ///
    /// [`Error::NamedServer`] where the variable names none that serves, [`Error::NoServer`] where
    /// none was found. Tests do not skip then: they fail with this text.
    pub fn find() -> Result<Self, Error> {
        static FOUND: OnceLock<ServerBinary> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let path = std::env::var_os("PATH");
        let found = find(std::env::var_os(SERVER_VARIABLE), path.as_deref(), ask)?;
        Ok(FOUND.get_or_init(|| found).clone())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version.
    pub fn version(&self) -> Version {
        self.version
    }
}

/// What a program prints for `--version`, or nothing where there is no such program.
fn ask(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn find(
    variable: Option<OsString>,
    path: Option<&OsStr>,
    ask: impl Fn(&Path) -> Option<String>,
) -> Result<ServerBinary, Error> {
    let check = |path: PathBuf| match ask(&path).as_deref().map(Version::parse) {
        None => Err((path, "is not there or cannot be started".to_owned())),
        Some(None) => Err((path, "is no server: it prints no version".to_owned())),
        Some(Some(version)) if version < Version::OLDEST => {
            Err((path, format!("is version {version}; {} is the oldest", Version::OLDEST)))
        }
        Some(Some(version)) => Ok(ServerBinary { path, version }),
    };
    if let Some(named) = variable.filter(|value| !value.is_empty()) {
        return check(PathBuf::from(named))
            .map_err(|(path, reason)| Error::NamedServer { path, reason });
    }
    let mut folders: Vec<PathBuf> =
        path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    folders.extend(USUAL.map(PathBuf::from));
    let mut refused = Vec::new();
    for name in NAMES {
        for folder in &folders {
            let path = folder.join(name);
            if ask(&path).is_none() {
                continue;
            }
            match check(path) {
                Ok(found) => return Ok(found),
                Err((path, reason)) => refused.push(format!("{} {reason}", path.display())),
            }
        }
    }
    let looked = if refused.is_empty() {
        "neither is on the PATH".to_owned()
    } else {
        refused.dedup();
        refused.join(", ")
    };
    Err(Error::NoServer { looked })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: u32, patch: u32) -> Version {
        Version { major, minor, patch }
    }

    fn check_version(printed: &str, expected: Option<Version>) {
        assert_eq!(Version::parse(printed), expected, "{printed}");
    }

    #[test]
    fn versions_are_read_from_what_servers_print() {
        check_version("Redis server v=7.0.15 sha=00000000:0 bits=64", Some(version(7, 0, 15)));
        check_version("Valkey server v=9.1.2 sha=00000000:1", Some(version(9, 1, 2)));
        check_version("Server v=7.2.5", Some(version(7, 2, 5)));
        check_version("redis-cli 7.0.15", None);
        check_version("v=7.x.1", None);
        check_version("", None);
    }

    /// What a machine holds: programs and what they print.
    const MACHINE: [(&str, &str); 5] = [
        ("/old/redis-server", "Redis server v=6.2.1"),
        ("/new/redis-server", "Redis server v=7.0.0"),
        ("/new/valkey-server", "Valkey server v=8.0.1"),
        ("/lone/valkey-server", "Valkey server v=8.1.0"),
        ("/odd/redis-server", "something else"),
    ];

    fn look(variable: Option<&str>, path: &str) -> Result<PathBuf, String> {
        let ask = |program: &Path| {
            let known = MACHINE.iter().find(|(path, _)| Path::new(path) == program);
            known.map(|(_, printed)| (*printed).to_owned())
        };
        find(variable.map(OsString::from), Some(OsStr::new(path)), ask)
            .map(|found| found.path)
            .map_err(|error| error.to_string())
    }

    fn check_found(variable: Option<&str>, path: &str, expected: &str) {
        assert_eq!(look(variable, path).as_deref(), Ok(Path::new(expected)), "{variable:?} {path}");
    }

    fn check_refused(variable: Option<&str>, path: &str, expected: &str) {
        let error = look(variable, path).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn what_the_variable_names_comes_first_and_alone() {
        check_found(Some("/lone/valkey-server"), "/new", "/lone/valkey-server");
        check_found(Some(""), "/new", "/new/redis-server");
        check_refused(Some("/gone"), "/new", "TURNLEDGER_REDIS_SERVER names /gone, which is not");
        check_refused(Some("/old/redis-server"), "/new", "is version 6.2.1; 7.0.0 is the oldest");
        check_refused(Some("/odd/redis-server"), "/new", "prints no version");
    }

    #[test]
    fn redis_is_preferred_and_old_ones_are_passed_over() {
        check_found(None, "/lone:/new", "/new/redis-server");
        check_found(None, "/old:/new", "/new/redis-server");
        check_found(None, "/old:/lone", "/lone/valkey-server");
    }

    #[test]
    fn without_a_server_the_text_says_what_to_do() {
        check_refused(None, "/empty", "neither is on the PATH");
        check_refused(None, "/empty", "run the tests by `cargo xtask test`");
        check_refused(None, "/old:/odd", "/old/redis-server is version 6.2.1");
    }
}
