//! What the program can fail with, and the exit code of each.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use turnledger::settings::{Layer, SettingsError};
use turnledger::wiring::OpenError;
use turnledger::{ConversationKey, CountError, IdError, LoadError, MemoryError, PoolError, Seq};

use crate::input::{BadInput, Place};
use crate::output::{count, plain};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything was done.
    Done,
    /// Something was not done; it was told already.
    Failed,
    /// The command line makes no sense.
    Usage,
}

impl Outcome {
    /// The process's exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

/// A message of the input.
#[derive(Debug)]
pub(crate) struct MessagePlace {
    /// Where its conversation begins.
    pub(crate) place: Place,
    /// The conversation's id.
    pub(crate) id: String,
    /// Its place in the conversation, from 1.
    pub(crate) number: u64,
}

impl fmt::Display for MessagePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, id, number } = self;
        write!(formatter, "{place}: conversation {id:?}: message {number}")
    }
}

/// Why a conversation was not copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCopied {
    #[error("its message {seq} is another one in the other store, where nothing was written")]
    Differs {
        /// The message's place here.
        seq: Seq,
    },
    #[error(
        "it goes on in the other store, with a message {seq} that is not here; nothing was written"
    )]
    Longer {
        /// The place there.
        seq: Seq,
    },
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// What the program can fail with. Nothing here shows content of messages.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("the settings cannot be used")]
    Settings {
        #[from]
        source: SettingsError,
    },
    #[error("the store{} cannot be used", if *.target { " of --to" } else { "" })]
    Open {
        source: OpenError,
        /// Whether its URL was given on the command line.
        given: bool,
        /// Whether it is the one to copy to.
        target: bool,
    },
    #[error("the Redis pool cannot be made")]
    RedisPool {
        #[from]
        source: PoolError,
    },
    #[error("redis at {address} cannot be used")]
    Doctor {
        /// Where it was looked for.
        address: String,
        source: PoolError,
    },
    #[error("--to cannot be used: {expected} is expected")]
    Target {
        /// What it should be.
        expected: String,
    },
    #[error("{what} cannot be used")]
    Id {
        /// The argument or option.
        what: &'static str,
        source: IdError,
    },
    #[error("{reason}")]
    Usage { reason: String },
    #[error("there is no conversation {key}")]
    NoConversation { key: ConversationKey },
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("{reason}")]
    NoWindow { reason: String },
    #[error(transparent)]
    Input(#[from] BadInput),
    #[error(
        "{at}: conflict: another message, or the same written otherwise, is stored at its place"
    )]
    Conflict {
        at: Box<MessagePlace>,
        /// What the store says, where it was the one to find it.
        source: Option<MemoryError>,
    },
    #[error("{at} was not stored")]
    NotStored { at: Box<MessagePlace>, source: MemoryError },
    #[error("conflict: other content is stored under the message's id")]
    KnownId { source: MemoryError },
    #[error("conversation {id:?} was not copied")]
    NotCopied { id: String, source: NotCopied },
    #[error("conversation {id:?} was copied, and its sums differ: {detail}")]
    CopyDiffers { id: String, detail: String },
    #[error("standard input cannot be read")]
    StandardInput { source: io::Error },
    #[error("standard input holds no message; give one, or use --role and --content")]
    NoMessage,
    #[error("standard input is longer than {limit} bytes; append it in parts")]
    LongStandardInput { limit: u64 },
    #[error("standard input is not UTF-8 text")]
    StandardInputNotUtf8,
    #[error("standard input, line {line}: the message cannot be used, and nothing was stored")]
    BadMessage { line: usize, source: Box<dyn Error + Send + Sync> },
    #[error("the message cannot be used, and nothing was stored")]
    BadContent { source: Box<dyn Error + Send + Sync> },
    #[error(
        "{} of {} not counted yet; {advice}",
        count(*.messages, "message"), count(*.conversations, "conversation")
    )]
    StillPending {
        messages: u64,
        conversations: u64,
        /// What counts them.
        advice: &'static str,
    },
    #[error("{option} cannot be used")]
    Counter {
        /// The option or the setting that names the counter.
        option: &'static str,
        source: LoadError,
    },
    #[error("{at} was not counted")]
    NotCounted {
        /// The file, or the place in it.
        at: String,
        source: CountError,
    },
    #[error("standard output cannot be written")]
    Output { source: io::Error },
    #[error("a thread cannot be started")]
    Thread { source: io::Error },
    #[error("signals cannot be received")]
    Signals { source: io::Error },
    #[error("interrupted before the end; what was stored stays so")]
    Interrupted,
}

impl CliError {
    /// How the program ends with this error.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Usage { .. }
            | Self::Id { .. }
            | Self::Target { .. }
            | Self::Counter { source: LoadError::Unknown(_), .. }
            // Only options and arguments are values that the program itself gives.
            | Self::Settings { source: SettingsError::GivenValue { .. } }
            | Self::Open {
                given: true,
                source:
                    OpenError::NoScheme
                    | OpenError::UnknownScheme { .. }
                    | OpenError::StoreUrl { .. },
                ..
            } => Outcome::Usage,
            Self::Settings { source: SettingsError::Contradiction { place, .. } }
                if place == Layer::Explicit.as_str() =>
            {
                Outcome::Usage
            }
            _ => Outcome::Failed,
        }
    }
}

/// Says on standard error what failed, and why.
///
/// Where standard error is closed there is nobody to tell.
pub(crate) fn tell(error: &CliError) {
    let _ = io::stderr().lock().write_all(told(error).as_bytes());
}

/// The error in a line, and each of its causes in another one.
fn told(error: &dyn Error) -> String {
    let mut text = String::new();
    for (place, said) in chain(error).into_iter().enumerate() {
        let begin = if place == 0 { "error" } else { "  caused by" };
        let _ = writeln!(text, "{begin}: {said}");
    }
    text
}

/// The error and its causes in one line.
pub(crate) fn in_one_line(error: &dyn Error) -> String {
    chain(error).join(": ")
}

/// The error and each of its causes, but for those that the one above ends with already.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut chain = vec![plain(&error.to_string())];
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        let said = plain(without_place(&said));
        if !chain.last().is_some_and(|above| above.ends_with(&said)) {
            chain.push(said);
        }
        cause = error.source();
    }
    chain
}

/// What a JSON parser says, without the place: it is one in the piece of text that the parser was
/// given, and the error above names the one in the input.
fn without_place(said: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match said.rsplit_once(" at line ") {
        Some((fault, place))
            if place
                .split_once(" column ")
                .is_some_and(|(line, column)| digits(line) && digits(column)) =>
        {
            fault
        }
        _ => said,
    }
}

/// Says something else on standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_piece_is_not_taken_for_one_in_the_input() {
        let check = |said: &str, expected: &str| assert_eq!(without_place(said), expected);
        check("expected value at line 1 column 18", "expected value");
        check("expected value at line 1, column 18", "expected value at line 1, column 18");
        check("seen at line 3 column", "seen at line 3 column");
        check("seen at line  column 3", "seen at line  column 3");
    }

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let limit = turnledger::LimitKind::MessageBytes;
        let limits = turnledger::Limits { message_bytes: 5, ..Default::default() };
        let error = limits.check(limit, 6).unwrap_err();
        let said = told(&CliError::NotCopied {
            id: "a".to_owned(),
            source: NotCopied::Memory(MemoryError::Limit(error)),
        });
        let expected = "error: conversation \"a\" was not copied\n  \
                        caused by: nothing was done: 6 bytes of a message, and the limit is 5\n";
        assert_eq!(said, expected);
    }
}
