//! One process of a server, and what makes sure that it does not outlive its test.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::error::Error;

/// Waits for the end of what it reads, which comes when the test process is gone, however it went.
const WATCH: &str = "read -r line; kill -9 \"$1\"";

/// A running process; dropping it kills and reaps it.
///
/// No server ends when its parent does. So each has a watchdog: a shell that reads from a pipe
/// which only the test's process holds open, and kills the server when that pipe closes. A test
/// process that is killed leaves a temporary folder behind, and no server.
#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    watchdog: Child,
}

impl Process {
    /// Starts a server; what it prints goes into `log`.
    pub(crate) fn start(program: &Path, arguments: &[&str], log: &Path) -> Result<Self, Error> {
        let file_error = |source| Error::File { path: log.to_owned(), source };
        let output = File::options().create(true).append(true).open(log).map_err(file_error)?;
        let errors = output.try_clone().map_err(file_error)?;
        let mut server = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|source| Error::Start { program: program.to_owned(), source })?;
        match watchdog(server.id()) {
            Ok(watchdog) => Ok(Self { server, watchdog }),
            Err(source) => {
                end(&mut server);
                Err(Error::Start { program: PathBuf::from("sh"), source })
            }
        }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// How it ended, if it did by itself.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.server.try_wait()
    }

    /// Stops it where it is, and returns when it stands still.
    pub(crate) fn pause(&self) -> io::Result<()> {
        let id = Pid::from_child(&self.server);
        kill_process(id, Signal::STOP)?;
        // Left in a waitable state: only this crate's `Child` may reap it.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(id), options)?;
        Ok(())
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.server), Signal::CONT)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog first: once the server is reaped, its id may be another process's.
        end(&mut self.watchdog);
        end(&mut self.server);
    }
}

fn watchdog(server: u32) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", WATCH, "watchdog", &server.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Kills a child and reaps it. Both fail only for one that is reaped already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
