//! Why a command failed.

use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// A program ran and failed.
    #[error("{step} failed ({status})")]
    Step { step: String, status: String },
    /// A program could not be started.
    #[error("cannot start `{program}`: is it installed and on the PATH?")]
    Start { program: String, source: std::io::Error },
    /// The workspace could not be read.
    #[error("cannot read the workspace; run this inside the project")]
    Metadata(#[source] Box<cargo_metadata::Error>),
    /// A file or folder could not be read.
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    /// A bench's stored results could not be understood.
    #[error("{} holds no results of a bench; measure anew", path.display())]
    Results { path: PathBuf, source: serde_json::Error },
    /// The folder's files could not be listed.
    #[error("cannot list the project's files")]
    List(#[source] Box<ignore::Error>),
    /// A check found something.
    #[error("{check} found {count} to mend, listed above")]
    Findings { check: &'static str, count: usize },
    /// There is no bench of that name.
    #[error("no bench is named `{name}`; there are: {known}")]
    UnknownBench { name: String, known: String },
    /// The folder of real conversations was named, but is not there.
    #[error("TURNLEDGER_TEST_DATA names {}, which is not a folder; mend or unset it", path.display())]
    TestData { path: PathBuf },
    /// The build did not say where the program is.
    #[error("building {package} gave no program; is its [[bin]] still there?")]
    NoProgram { package: &'static str },
    /// The program showed its settings in another form.
    #[error("`config show --json` must print one object with a key for every setting")]
    Settings { source: Option<serde_json::Error> },
    /// A Redis server was named, but does not serve.
    #[error("{variable} names {}, which {reason}; mend or unset it", path.display())]
    NamedServer { variable: &'static str, path: PathBuf, reason: String },
    /// There is no Redis server, and none could be installed.
    #[error(
        "there is no Redis server for the tests ({tried}); install redis-server or valkey-server \
         7.0 or newer, or name one in {variable}"
    )]
    NoServer { variable: &'static str, tried: String },
}
