//! What the receipts said.

use std::collections::BTreeMap;

use memory_core::groups::groups;
use memory_core::{Epoch, FinalReason, Message, MessageClass, Tally, ToolCall};

use super::step::{Draft, Kind, Mood};
use crate::support::exact;

/// One life of a conversation.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) epoch: Option<Epoch>,
    pub(super) messages: BTreeMap<u64, Message>,
    /// The seqs that the callers' ids stand for.
    pub(super) ids: BTreeMap<u8, u64>,
}

impl Life {
    pub(super) fn drop_newest(&mut self, count: u64) -> u64 {
        let kept = (self.messages.len() as u64).saturating_sub(count);
        let removed = self.messages.split_off(&(kept + 1)).len() as u64;
        self.ids.retain(|_, seq| *seq <= kept);
        removed
    }

    /// The sum of the tallies once everything is settled.
    pub(super) fn tokens(&self) -> u64 {
        self.messages.values().map(|message| settled(message).tokens).sum()
    }

    /// What a window of this budget holds, by the definition: the head, and the longest run of
    /// whole groups that fits beside it; none where the newest does not.
    pub(super) fn window(&self, budget: u64) -> Option<(Vec<&Message>, u64)> {
        let all: Vec<_> = self.messages.values().collect();
        let is_head = |message: &&&Message| MessageClass::of(message) == MessageClass::Instruction;
        let (head, tail) = all.split_at(all.iter().take_while(is_head).count());
        let tokens = |messages: &[&Message]| -> u64 {
            messages.iter().map(|message| settled(message).tokens).sum()
        };
        let starts = groups(tail.iter().copied()).into_iter().map(|group| group.range.start);
        let nothing = tail.is_empty().then_some(0);
        let window = |start| (start, 3 + tokens(head) + tokens(&tail[start..]));
        let (start, tokens) =
            starts.chain(nothing).map(window).find(|(_, tokens)| *tokens <= budget)?;
        Some((head.iter().chain(&tail[start..]).copied().collect(), tokens))
    }
}

/// The message of a draft; one without an id is like no other.
pub(super) fn message(draft: Draft, serial: u64) -> Message {
    if let Some(id) = draft.id {
        return Message::user(format!("the content of id {id}"));
    }
    let mood = match draft.mood {
        Mood::Counts => "",
        Mood::Fails => "fail! ",
        Mood::Panics => "panic! ",
        Mood::Hangs => "wait! ",
    };
    let text = format!("{mood}{serial} {}", "word ".repeat(draft.words.into()));
    match draft.kind {
        Kind::System => Message::system(text),
        Kind::User => Message::user(text),
        Kind::Assistant => Message::assistant(text),
        Kind::Call => Message::assistant_calling([ToolCall::function("1", "look_up", text)]),
        Kind::Result => Message::tool("1", text),
    }
}

/// The tally that a message has once all is settled.
pub(super) fn settled(message: &Message) -> Tally {
    if can_be_counted(message) {
        exact(message)
    } else {
        // The counter's upper bound is the bytes of each text.
        Tally::final_because(overhead(message) + message.text_bytes() as u64, FinalReason::Failed)
    }
}

pub(super) fn can_be_counted(message: &Message) -> bool {
    !message.as_json().contains("fail!") && !message.as_json().contains("panic!")
}

/// What the framing adds to the tokens of the texts.
fn overhead(message: &Message) -> u64 {
    if MessageClass::of(message) == MessageClass::Call { 6 } else { 3 }
}
