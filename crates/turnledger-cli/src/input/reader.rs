//! All conversations of a run, one after the other.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::vec;

use turnledger::{ConversationId, Limits, Message};

use super::bytes::{Beginning, Bytes};
use super::elements::{Position, next_element};
use super::error::{BadInput, InputError, Place};
use super::lines::{Raw, next_line};
use super::record::Record;
use super::source::{self, SourceName};
use crate::args::ForcedFormat;

/// The longest text of one conversation, in bytes: it is held in memory while it is read.
const LONGEST: usize = 256 << 20;

/// A conversation whose messages are all valid.
#[derive(Debug)]
pub(crate) struct Conversation {
    /// Its own id, or one made of the file's name and the place in it.
    pub(crate) id: ConversationId,
    /// Where it begins.
    pub(crate) place: Place,
    /// Its messages, oldest first.
    pub(crate) messages: Vec<Message>,
}

/// Reads files one after the other.
pub(super) struct Reader {
    files: vec::IntoIter<PathBuf>,
    current: Option<Current>,
    forced: Option<ForcedFormat>,
    limits: Limits,
    longest: usize,
    seen: HashMap<ConversationId, Place>,
}

struct Current {
    name: SourceName,
    bytes: Bytes<Box<dyn BufRead>>,
    pieces: Pieces,
    /// How many pieces were read.
    read: u64,
}

/// How the pieces are told apart.
enum Pieces {
    Lines,
    Elements(Position),
}

impl Reader {
    pub(super) fn new(files: Vec<PathBuf>, forced: Option<ForcedFormat>, limits: Limits) -> Self {
        let (files, seen) = (files.into_iter(), HashMap::new());
        Self { files, current: None, forced, limits, longest: LONGEST, seen }
    }

    fn read(
        &mut self,
        raw: Raw,
        name: &SourceName,
        number: u64,
        on_lines: bool,
    ) -> Result<Conversation, BadInput> {
        let place = Place { file: Arc::clone(&name.shown), line: raw.line };
        let last = raw.last;
        self.conversation(raw, &place, name, number).map_err(|source| {
            let source = if on_lines { on_its_line(source) } else { source };
            if last {
                return BadInput::Rest { place, source };
            }
            BadInput::Conversation { place: at_fault(place, &source), source }
        })
    }

    fn conversation(
        &mut self,
        raw: Raw,
        place: &Place,
        name: &SourceName,
        number: u64,
    ) -> Result<Conversation, InputError> {
        let text = String::from_utf8(raw.bytes?)
            .map_err(|error| InputError::NotUtf8 { byte: error.utf8_error().valid_up_to() + 1 })?;
        let record = Record::parse(&text, self.forced)?;
        // The name is kept before the messages are read: it comes twice, however bad they are.
        let id = match &record.id {
            Some(id) => ConversationId::within(id, &self.limits)
                .map_err(|source| InputError::Id { source })?,
            None => ConversationId::within(format!("{}#{number}", name.short), &self.limits)
                .map_err(|source| InputError::MadeId { source })?,
        };
        if let Some(first) = self.seen.get(&id).cloned() {
            let made = record.id.is_none();
            let id = id.as_str().to_owned();
            return Err(match (made, first.file == place.file) {
                (false, _) => InputError::Twice { id, first },
                (true, true) => InputError::ReadTwice { id, first },
                (true, false) => InputError::NamedAlike { id, first },
            });
        }
        self.seen.insert(id.clone(), place.clone());
        let messages = record.messages(&self.limits)?;
        Ok(Conversation { id, place: place.clone(), messages })
    }
}

impl Iterator for Reader {
    type Item = Result<Conversation, BadInput>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(mut current) = self.current.take() else {
                let path = self.files.next()?;
                let name = SourceName::of(&path);
                match begin(&path, name.clone(), self.forced) {
                    Ok(begun) => self.current = begun,
                    Err(source) => return Some(Err(BadInput::File { file: name.shown, source })),
                }
                continue;
            };
            if let Some(raw) = current.next(self.longest) {
                let on_lines = matches!(current.pieces, Pieces::Lines);
                let read = self.read(raw, &current.name, current.read, on_lines);
                if !matches!(read, Err(BadInput::Rest { .. })) {
                    self.current = Some(current);
                }
                return Some(read);
            }
        }
    }
}

impl Current {
    fn next(&mut self, longest: usize) -> Option<Raw> {
        let raw = match &mut self.pieces {
            Pieces::Lines => next_line(&mut self.bytes, longest),
            Pieces::Elements(position) => next_element(&mut self.bytes, position, longest),
        };
        self.read += 1;
        raw
    }
}

/// Opens a file and recognises how its conversations are told apart; none where it is empty.
fn begin(
    path: &std::path::Path,
    name: SourceName,
    forced: Option<ForcedFormat>,
) -> Result<Option<Current>, InputError> {
    let mut bytes = Bytes::new(source::open(path)?);
    let beginning = bytes.beginning().map_err(|source| InputError::Read { source })?;
    let begins_as_array = match beginning {
        Beginning::Nothing => return Ok(None),
        Beginning::Utf16 => return Err(InputError::Utf16),
        Beginning::Byte(first) => first == b'[',
    };
    let in_array = match forced {
        Some(ForcedFormat::Jsonl) => false,
        Some(ForcedFormat::Json) => true,
        Some(ForcedFormat::Sharegpt) | None => begins_as_array,
    };
    let pieces = if in_array { Pieces::Elements(Position::Start) } else { Pieces::Lines };
    Ok(Some(Current { name, bytes, pieces, read: 0 }))
}

/// What is wrong with a line, which may hold only the beginning of a JSON text.
fn on_its_line(error: InputError) -> InputError {
    match error {
        InputError::Syntax { source, .. } if source.is_eof() => InputError::Unfinished { source },
        InputError::Syntax { source, .. } => {
            InputError::Syntax { column: Some(source.column()), source }
        }
        other => other,
    }
}

/// The line of a fault inside a conversation that is written over several lines.
fn at_fault(mut place: Place, error: &InputError) -> Place {
    if let InputError::Syntax { source, .. } = error {
        place.line += u64::try_from(source.line().saturating_sub(1)).unwrap_or(0);
    }
    place
}

#[cfg(test)]
mod tests;
