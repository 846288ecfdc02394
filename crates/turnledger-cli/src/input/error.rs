//! What is wrong with input. Nothing here shows content.

use std::fmt;
use std::io;
use std::sync::Arc;

use turnledger::{IdError, MessageError};

/// Where something stands in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as it was named.
    pub(crate) file: Arc<str>,
    /// The line, from 1.
    pub(crate) line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, line {}", self.file, self.line)
    }
}

/// A piece of input that is no conversation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadInput {
    /// One conversation cannot be read; the next one may.
    #[error("{place}: the conversation cannot be read, and nothing of it is stored")]
    Conversation {
        /// Where it begins, or where the fault in it is, if that is known.
        place: Place,
        /// Why not.
        source: InputError,
    },
    /// The rest of a file cannot be read.
    #[error("{place}: the rest of the file cannot be read")]
    Rest {
        /// Where reading ended.
        place: Place,
        /// Why.
        source: InputError,
    },
    /// A line that is to be counted cannot be.
    #[error("{place}: the line cannot be counted")]
    Line {
        /// Where it stands.
        place: Place,
        /// Why not.
        source: InputError,
    },
    /// A text that is to be counted cannot be.
    #[error("{file} cannot be counted")]
    Text {
        /// The file, as it was named.
        file: Arc<str>,
        /// Why not.
        source: InputError,
    },
    /// A file cannot be read at all.
    #[error("{file} cannot be read")]
    File {
        /// The file, as it was named.
        file: Arc<str>,
        /// What the system says.
        source: InputError,
    },
}

/// Why input cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("the system refuses to read it")]
    Read { source: io::Error },
    #[error("it is a directory; name the files in it")]
    Directory,
    #[error("it is not UTF-8 text, from byte {byte} of the line on")]
    NotUtf8 { byte: usize },
    #[error("it is not UTF-8 text, from byte offset {offset} on; convert it to UTF-8")]
    NotUtf8At {
        /// The first byte that is not, from 0.
        offset: u64,
    },
    #[error("it is UTF-16 text; convert it to UTF-8")]
    Utf16,
    #[error("it is longer than {limit} bytes, the most that one conversation may take")]
    TooLong { limit: usize },
    #[error("it is not valid JSON{}", AtColumn(*.column))]
    Syntax {
        /// The fault's column, where the piece begins at the beginning of its line.
        column: Option<usize>,
        /// The parser's words, which never quote the text. The place that they name is one in the
        /// piece, and not in the file.
        source: serde_json::Error,
    },
    #[error(
        "it is not valid JSON: its line ends before it does; write each conversation on one line, \
         or all of them as one array, `[...]`, which may have several lines"
    )]
    Unfinished {
        /// The parser's words, as above.
        source: serde_json::Error,
    },
    #[error("it must be a JSON object, such as {{\"id\": \"a\", \"messages\": []}}")]
    NotAnObject,
    #[error("the file must begin with `[`, as an array of conversations does")]
    NotAnArray,
    #[error("the array ends without `]`")]
    UnclosedArray,
    #[error("what begins here does not end before the file does")]
    UnclosedElement,
    #[error("a conversation is missing between two commas, or before the closing `]`")]
    EmptyElement,
    #[error("after a conversation must come `,` or `]`")]
    NoComma,
    #[error("there is text behind the array's closing `]`")]
    TextAfterArray,
    #[error("`id` must be a text")]
    IdNotText,
    #[error("`id` cannot be used")]
    Id { source: IdError },
    #[error("it has neither `text` nor `messages`")]
    NoText,
    #[error("it has both `text` and `messages`; leave one out")]
    TextAndMessages,
    #[error("`text` must be a text")]
    TextNotText,
    #[error("it has neither `messages` nor `conversations`")]
    NoMessages,
    #[error("it has no `{key}`, which the forced format wants")]
    Missing { key: &'static str },
    #[error("it has both `messages` and `conversations`; choose one with --format")]
    Both,
    #[error("`{key}` must be an array")]
    NotAList { key: &'static str },
    #[error("message {number} cannot be used")]
    Message {
        /// Its place in the conversation, from 1.
        number: usize,
        source: Box<MessageFault>,
    },
    #[error("the id {id:?} comes twice: it stands at {first} already")]
    Twice { id: String, first: Place },
    #[error(
        "the id {id:?}, made of the file's name and the place, comes twice: it stands at {first} \
         already; name the file once, or give the conversations an `id`"
    )]
    ReadTwice { id: String, first: Place },
    #[error(
        "the id {id:?}, made of the file's name and the place, comes twice: it stands at {first} \
         already, and both files have the same name; rename one, or give the conversations an `id`"
    )]
    NamedAlike { id: String, first: Place },
    #[error(
        "the id made of the file's name and the place cannot be used; rename the file, or give \
         the conversations an `id`"
    )]
    MadeId { source: IdError },
}

/// What is wrong with one message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageFault {
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("it must be an object of `from` and `value`")]
    NotATurn { source: Option<serde_json::Error> },
    #[error("`{key}` must be a text")]
    NotText { key: &'static str },
    #[error(
        "unknown speaker {from:?} in `from`; use human, gpt, system, tool, function or observation"
    )]
    UnknownSpeaker {
        /// At most 32 characters of it.
        from: String,
    },
}

/// The column of a fault, where it is known.
struct AtColumn(Option<usize>);

impl fmt::Display for AtColumn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |column| write!(formatter, ", at column {column}"))
    }
}

/// A message's place, from 1, with its fault.
pub(crate) fn at_message(index: usize, fault: impl Into<MessageFault>) -> InputError {
    InputError::Message { number: index + 1, source: Box::new(fault.into()) }
}
