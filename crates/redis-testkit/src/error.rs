//! What can go wrong with a server, or with the network before it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::binary::{SERVER_VARIABLE, Version};

/// A cause that another crate reported.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a server or a proxy did not do what a test asked for.
///
/// It prints the same text for people and for developers, with its causes: a test that unwraps one
/// has to say what to do.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no program to start.
    #[error(
        "no redis-server or valkey-server {} or newer was found ({looked}); run the tests by \
         `cargo xtask test`, which installs one, or install one, or name it in {SERVER_VARIABLE}",
        Version::OLDEST
    )]
    NoServer {
        /// What was looked at, and what was wrong with it.
        looked: String,
    },
    /// The variable names a program that does not serve.
    #[error("{SERVER_VARIABLE} names {}, which {reason}; mend or unset it", path.display())]
    NamedServer {
        /// What the variable names.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A server with TLS was asked for, and the program has none.
    #[error("{} was built without TLS; install redis-server, or name one in {SERVER_VARIABLE}", path.display())]
    NoTls {
        /// The program.
        path: PathBuf,
    },
    /// An option of a builder cannot be written down for the server.
    #[error("{option} {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong with its value.
        reason: &'static str,
    },
    /// A file of the test's own folder could not be made.
    #[error("cannot write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificates could not be made.
    #[error("cannot make the certificates for a test")]
    Certificates(#[source] Source),
    /// A program could not be started.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A signal did not reach a process.
    #[error("cannot {what} the server on port {port}")]
    Signal {
        /// What was to be done to it.
        what: &'static str,
        /// The server's port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// There is no process, because it was killed and not started again.
    #[error("the server on port {port} is not running; restart it first")]
    NotRunning {
        /// The server's port.
        port: u16,
    },
    /// The process ended by itself.
    #[error("the server on port {port} ended by itself ({status}); its log ends with: {log}")]
    Ended {
        /// The server's port.
        port: u16,
        /// How it ended.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// No port was free.
    #[error("no free port was found on 127.0.0.1 in {attempts} attempts")]
    NoPort {
        /// How many were tried.
        attempts: usize,
        /// Why the last one was not free.
        source: io::Error,
    },
    /// Something did not come about in time.
    #[error("{what}: not within {limit:?}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// What was in the way when the time was over.
        source: Option<Box<Error>>,
    },
    /// A server could not be asked over the control connection.
    #[error("the server on port {port} cannot be asked for `{command}`")]
    Unreachable {
        /// The server's port.
        port: u16,
        /// The command's name.
        command: String,
        /// Why.
        source: Source,
    },
    /// A server answered a command with an error.
    #[error("the server on port {port} refused `{command}`: {reply}")]
    Refused {
        /// The server's port.
        port: u16,
        /// The command's name.
        command: String,
        /// What it answered.
        reply: String,
    },
    /// A server answered something that this crate does not expect.
    #[error("the server on port {port} answered `{command}` without {missing}")]
    Answer {
        /// The server's port.
        port: u16,
        /// The command's name.
        command: String,
        /// What its answer lacks.
        missing: String,
    },
    /// The proxy could not be started, or cannot listen again.
    #[error("the proxy cannot listen on port {port}")]
    Listen {
        /// The proxy's port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The proxy has ended.
    #[error("the proxy on port {port} has ended")]
    ProxyEnded {
        /// The proxy's port.
        port: u16,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            write!(f, "; because {inner}")?;
            cause = inner.source();
        }
        Ok(())
    }
}

impl Error {
    /// Whether waiting longer cannot help.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::NotRunning { .. } | Self::ProxyEnded { .. })
    }

    /// Whether a server ended because somebody else has one of its ports.
    pub(crate) fn is_taken_port(&self) -> bool {
        matches!(self, Self::Ended { log, .. } if log.contains("Address already in use"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_prints_says_what_to_do_and_why() {
        let source = Some(Box::new(Error::NotRunning { port: 7 }));
        let late = Error::Late { what: "waited".to_owned(), limit: Duration::from_secs(1), source };
        let expected =
            "waited: not within 1s; because the server on port 7 is not running; restart it first";
        assert_eq!(format!("{late:?}"), expected);
        let printed = format!("{:?}", Error::NoTls { path: "/bin/server".into() });
        assert!(printed.contains("install redis-server"), "{printed}");
    }
}
