//! Messages that a number determines, so that both sides of a pipe know them.

use std::fmt::Write;
use std::sync::Arc;

use fastrand::Rng;
use memory_core::{Framing, Message, MessageClass, MessageId, TokenCounter, ToolCall};
use memory_instance::Entry;
use serde::{Deserialize, Serialize};

use super::counter::Counting;
use crate::chaos::error::{ChaosError, Outcome};

/// One message of an append, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// What determines its content, and its id where it has one.
    pub(crate) serial: u64,
    /// Whether it carries an id.
    pub(crate) with_id: bool,
    /// Whether its content is another than the one that belongs to the id.
    pub(crate) altered: bool,
}

/// What is expected to be stored for an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) payload: Arc<str>,
    pub(crate) class: MessageClass,
    /// The exact count, with framing.
    pub(crate) tokens: u64,
}

/// The messages of one file.
#[derive(Debug)]
pub(crate) struct Contents {
    seed: u64,
    counter: Arc<dyn TokenCounter>,
}

impl Contents {
    pub(crate) fn new(seed: u64, counting: Counting) -> Self {
        Self { seed, counter: counting.counter() }
    }

    pub(crate) fn content(&self, item: Item) -> Outcome<Content> {
        let message = self.message(item);
        Ok(Content {
            payload: message.payload(),
            class: MessageClass::of(&message),
            tokens: self.tokens(&message)?,
        })
    }

    /// What is stored for an item, without its count.
    pub(crate) fn stored(&self, item: Item) -> (Arc<str>, MessageClass) {
        let message = self.message(item);
        (message.payload(), MessageClass::of(&message))
    }

    /// The exact count of a message, with framing.
    pub(crate) fn tokens(&self, message: &Message) -> Outcome<u64> {
        let tally = Framing::openai_chat_1()
            .tally(message, |text| self.counter.count(text).map(|count| count as u64));
        Ok(tally.map_err(|source| ChaosError::Memory(source.into()))?.tokens)
    }

    pub(crate) fn entry(&self, item: Item) -> Outcome<Entry> {
        let entry = Entry::new(self.message(item));
        if !item.with_id {
            return Ok(entry);
        }
        Ok(entry.with_id(MessageId::new(format!("id {}", item.serial))?))
    }

    pub(crate) fn message(&self, item: Item) -> Message {
        let mut rng = Rng::with_seed(self.seed ^ item.serial.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let kind = rng.u8(..20);
        let text = text(&mut rng, item);
        match kind {
            0 => Message::system(text),
            1..=9 => Message::user(text),
            10..=15 => Message::assistant(text),
            16 | 17 => Message::assistant_calling([ToolCall::function("1", "look_up", text)]),
            _ => Message::tool("1", text),
        }
    }
}

const WORDS: [&str; 16] = [
    "anchor", "bay", "chart", "deck", "ebb", "ferry", "gull", "harbour", "island", "jetty", "keel",
    "lantern", "mast", "net", "oar", "pier",
];

/// Mostly a line, sometimes a page, seldom more than is ever counted at once.
fn text(rng: &mut Rng, item: Item) -> String {
    let bytes = match rng.u8(..20) {
        0..=14 => rng.usize(..160),
        15..=18 => rng.usize(..1200),
        _ => rng.usize(2000..6000),
    };
    let mut text = String::with_capacity(bytes + 40);
    let altered = if item.altered { "altered " } else { "" };
    write!(text, "{altered}{}", item.serial).expect("a string takes what is written");
    while text.len() < bytes {
        text.push(' ');
        text.push_str(WORDS[rng.usize(..WORDS.len())]);
    }
    text
}
