//! A server that runs, and its process.

use std::fmt::{self, Write as _};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::builder::ServerBuilder;
use super::config::{CONTROL_USER, Kind, Options};
use super::control::{Control, name_of};
use super::reply::Reply;
use crate::binary::ServerBinary;
use crate::certificates::write;
use crate::error::Error;
use crate::ports;
use crate::process::Process;
use crate::wait::{self, LIMIT};

/// How much of a log stands in an error.
const LOG_LINES: usize = 5;

/// How often a Sentinel does what it does, in milliseconds: up to fifty times as often as it does by
/// itself, so that a test need not wait for its rounds. The file of settings has no words for these.
///
/// While a master is down, a Sentinel asks its replicas once a second, and refuses to promote one
/// that it has heard of longer than five ping periods ago. After a pause of two seconds, as on a busy
/// machine, it would do nothing for half a minute.
const QUICK: [&str; 14] = [
    "SENTINEL",
    "DEBUG",
    "info-period",
    "200",
    "ping-period",
    "300",
    "ask-period",
    "100",
    "publish-period",
    "200",
    "min-link-reconnect-period",
    "100",
    "tilt-trigger",
    "30000",
];

/// A server of a test's own; dropping it kills the process and removes its folder.
pub struct RedisServer {
    // Before the folder, so that the process is gone when the folder goes.
    process: Mutex<Option<Process>>,
    folder: TempDir,
    program: PathBuf,
    port: u16,
    kind: Kind,
    password: Option<String>,
    has_tls: bool,
    control: Control,
}

impl RedisServer {
    /// Begins to say what a server is to have.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Writes the files of a server that does not run yet.
    pub(super) fn create(
        binary: &ServerBinary,
        port: u16,
        options: &Options,
    ) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("redis-")
            .tempdir()
            .map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
        let socket = folder.path().join("socket");
        write(&folder.path().join("server.conf"), &options.render(port, &socket, folder.path()))?;
        let control_password = format!("{:032x}", fastrand::u128(..));
        let credentials = match options.render_users(&control_password) {
            Some(users) => {
                write(&folder.path().join("users.acl"), &users)?;
                Some((Some(CONTROL_USER.to_owned()), control_password))
            }
            None => options.password.clone().map(|password| (None, password)),
        };
        Ok(Self {
            process: Mutex::new(None),
            program: binary.path().to_owned(),
            port,
            kind: options.kind,
            password: options.password.clone(),
            has_tls: options.tls.is_some(),
            control: Control::new(port, socket, credentials),
            folder,
        })
    }

    /// Where clients reach it.
    pub fn address(&self) -> SocketAddr {
        ports::local(self.port)
    }

    /// The port of [`address`](Self::address).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL for the default user and database 0, with the password where it has one.
    pub fn url(&self) -> String {
        let scheme = if self.has_tls { "rediss" } else { "redis" };
        let login = self.password.as_ref().map(|password| format!(":{}@", encoded(password)));
        format!("{scheme}://{}{}/0", login.unwrap_or_default(), self.address())
    }

    /// The folder that holds its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The id of its process, or nothing while it is killed.
    pub fn process_id(&self) -> Option<u32> {
        self.process().as_ref().map(Process::id)
    }

    /// Stops the process where it is (SIGSTOP), and returns when it stands still. Its sockets stay
    /// open, and the system goes on accepting connections for it.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] while it is killed.
    pub fn pause(&self) -> Result<(), Error> {
        self.signal("pause", Process::pause)
    }

    /// Lets a paused process go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] while it is killed.
    pub fn resume(&self) -> Result<(), Error> {
        self.signal("resume", Process::resume)
    }

    /// Kills the process (SIGKILL), and returns when it is gone. The files stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] where it is killed already.
    pub fn kill(&self) -> Result<(), Error> {
        self.control.forget();
        let process = self.process().take();
        process.map(drop).ok_or(Error::NotRunning { port: self.port })
    }

    /// Starts it again on the same port with the files that it left, and returns when it serves. A
    /// process that still runs is killed first.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] with its log where it ended by itself, [`Error::Late`] where it does not
    /// serve within 30 s.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have started it.
    pub async fn restart(&self) -> Result<(), Error> {
        self.restart_loading().await?;
        self.ready().await?;
        if self.kind == Kind::Sentinel {
            self.command(&QUICK).await?;
        }
        Ok(())
    }

    /// Starts it again, and returns as soon as it answers anything, which may be that it is loading
    /// its data. See [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// As for [`restart`](Self::restart).
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have started it.
    pub async fn restart_loading(&self) -> Result<(), Error> {
        self.control.forget();
        let config = self.folder.path().join("server.conf");
        let config = config.to_string_lossy();
        let log = self.folder.path().join("server.log");
        let mut arguments: Vec<&str> = vec![&config];
        if self.kind == Kind::Sentinel {
            arguments.push("--sentinel");
        }
        // The former one has to be gone before the port is free.
        drop(self.process().take());
        let process = Process::start(&self.program, &arguments, &log)?;
        *self.process() = Some(process);
        self.until("to answer", || async {
            match self.command(&["PING"]).await {
                Ok(_) | Err(Error::Refused { .. }) => Ok(Some(())),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Returns when it has loaded its data and serves.
    ///
    /// # Errors
    ///
    /// As for [`restart`](Self::restart).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn ready(&self) -> Result<(), Error> {
        self.until("to serve", || async { self.command(&["PING"]).await.map(|_| Some(())) }).await
    }

    /// Ends the delay of [`ServerBuilder::slow_loading`], and returns when it has loaded its data.
    ///
    /// # Errors
    ///
    /// As for [`restart`](Self::restart).
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have ended the delay.
    pub async fn load_quickly(&self) -> Result<(), Error> {
        self.command(&["CONFIG", "SET", "key-load-delay", "0"]).await?;
        self.ready().await
    }

    /// Sends a command over the control connection, which may do everything.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with what the server answered, [`Error::Unreachable`] where it answers
    /// nothing for 5 s.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have run the command.
    pub async fn command<W: AsRef<[u8]>>(&self, words: &[W]) -> Result<Reply, Error> {
        self.control.query(words).await
    }

    /// Waits for this server, and fails at once when its process has ended.
    pub(crate) async fn until<T, F>(
        &self,
        what: &str,
        mut look: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<Option<T>, Error>>,
    {
        let what = || format!("waited for the server on port {} {what}", self.port);
        wait::until(what, LIMIT, || {
            let running = self.check_running();
            let looked = running.is_ok().then(&mut look);
            async move {
                running?;
                match looked {
                    Some(looked) => looked.await,
                    None => Ok(None),
                }
            }
        })
        .await
    }

    /// An error for an answer that lacks something.
    pub(crate) fn answer_lacks(&self, words: &[&str], missing: &str) -> Error {
        let (command, missing) = (name_of(words), missing.to_owned());
        Error::Answer { port: self.port, command, missing }
    }

    fn check_running(&self) -> Result<(), Error> {
        let mut process = self.process();
        let running = process.as_mut().ok_or(Error::NotRunning { port: self.port })?;
        let ended = running.ended().map_err(|source| Error::Signal {
            what: "look after",
            port: self.port,
            source,
        })?;
        match ended {
            None => Ok(()),
            Some(status) => {
                *process = None;
                Err(Error::Ended { port: self.port, status: status.to_string(), log: self.log() })
            }
        }
    }

    /// The end of what it printed.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("server.log"));
        let log = log.unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join(" | ")
    }

    fn signal(
        &self,
        what: &'static str,
        send: impl FnOnce(&Process) -> io::Result<()>,
    ) -> Result<(), Error> {
        let port = self.port;
        let process = self.process();
        let process = process.as_ref().ok_or(Error::NotRunning { port })?;
        send(process).map_err(|source| Error::Signal { what, port, source })
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer")
            .field("port", &self.port)
            .field("kind", &self.kind)
            .field("folder", &self.folder.path())
            .finish_non_exhaustive()
    }
}

/// A password as it stands in a URL.
fn encoded(password: &str) -> String {
    let mut text = String::new();
    for byte in password.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing into a string does not fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_encoded_for_a_url() {
        assert_eq!(encoded("aZ09-._~"), "aZ09-._~");
        assert_eq!(encoded("p@ss/w:rd ü"), "p%40ss%2Fw%3Ard%20%C3%BC");
    }
}
