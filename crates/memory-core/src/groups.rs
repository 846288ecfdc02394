//! Which messages stand or fall together.
//!
//! A group is an assistant message with tool calls through the last result that answers one of
//! them; any other message is a group by itself. A window takes whole groups only, because a chat
//! API refuses a result without its call.

use std::ops::Range;

use crate::class::MessageClass;
use crate::message::Message;

/// Neighbouring messages that a window never splits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Where the group stands among the messages that were given.
    pub range: Range<usize>,
    /// Whether the group is sound, and if not, why.
    pub kind: GroupKind,
}

/// What a [`Group`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupKind {
    /// A message by itself, or a call with the results of all its parts.
    Whole,
    /// A call that still waits for results; nothing after it says that none will come.
    Open,
    /// A call that a later user or assistant message left without all its results.
    Abandoned,
    /// A result that answers no open call.
    Orphan,
}

/// Splits messages, oldest first, into groups.
///
/// The groups follow each other without gaps and cover every message. What stands between a call
/// and its last result belongs to its group.
///
/// # Examples
///
/// ```
/// use memory_core::groups::{GroupKind, groups};
/// use memory_core::{Message, ToolCall};
///
/// let messages = [
///     Message::user("Is it raining?"),
///     Message::assistant_calling([ToolCall::function("c1", "weather", "{}")]),
///     Message::tool("c1", "rain"),
///     Message::assistant("It is."),
/// ];
/// let found = groups(&messages);
/// let ranges: Vec<_> = found.iter().map(|group| group.range.clone()).collect();
/// assert_eq!(ranges, [0..1, 1..3, 3..4]);
/// assert!(found.iter().all(|group| group.kind == GroupKind::Whole));
/// ```
pub fn groups<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    let mut open: Option<OpenCall<'a>> = None;
    for (index, message) in messages.into_iter().enumerate() {
        let class = MessageClass::of(message);
        if class.is_boundary() {
            abandon(&mut found, open.take());
        }
        let single = |kind| Group { range: index..index + 1, kind };
        match class {
            MessageClass::Call => {
                open = Some(OpenCall::of(message, found.len()));
                found.push(single(GroupKind::Open));
            }
            MessageClass::Result => {
                match open.as_mut().and_then(|call| call.take(message).then_some(call)) {
                    Some(call) => {
                        // Groups that were begun after the call turn out to stand inside it.
                        found.truncate(call.group + 1);
                        let group = &mut found[call.group];
                        group.range.end = index + 1;
                        if call.waiting.is_empty() {
                            group.kind = GroupKind::Whole;
                        }
                    }
                    None => found.push(single(GroupKind::Orphan)),
                }
            }
            _ => found.push(single(GroupKind::Whole)),
        }
    }
    found
}

/// A call whose results may still come.
struct OpenCall<'a> {
    /// The index of its group.
    group: usize,
    /// The ids without a result; a call without an id waits for ever.
    waiting: Vec<Option<&'a str>>,
}

impl<'a> OpenCall<'a> {
    fn of(message: &'a Message, group: usize) -> Self {
        Self { group, waiting: message.tool_calls().iter().map(|call| call.id()).collect() }
    }

    /// Takes a result; false where it answers none of the waiting calls.
    fn take(&mut self, result: &Message) -> bool {
        let place = self.waiting.iter().position(|id| id.is_some() && *id == result.tool_call_id());
        place.map(|place| self.waiting.swap_remove(place)).is_some()
    }
}

fn abandon(found: &mut [Group], open: Option<OpenCall<'_>>) {
    if let Some(call) = open.filter(|call| !call.waiting.is_empty()) {
        found[call.group].kind = GroupKind::Abandoned;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ToolCall;
    use GroupKind::{Abandoned, Open, Orphan, Whole};

    /// Messages by one word each: `s u a t`, `c1+2` a call of 1 and 2, `r1` a result of 1.
    fn conversation(words: &str) -> Vec<Message> {
        let message = |word: &str| match word.split_at(1) {
            ("s", _) => Message::system("s"),
            ("u", _) => Message::user("u"),
            ("a", _) => Message::assistant("a"),
            ("t", _) => {
                Message::builder(crate::Role::Tool).build(&crate::Limits::default()).unwrap()
            }
            ("c", ids) => Message::assistant_calling(
                ids.split('+').map(|id| ToolCall::function(id, "f", "{}")),
            ),
            ("r", id) => Message::tool(id, "r"),
            _ => panic!("no such word: {word}"),
        };
        words.split_whitespace().map(message).collect()
    }

    #[test]
    fn groups_are_calls_with_their_results() {
        let check = |words: &str, expected: &[(usize, GroupKind)]| {
            let found = groups(&conversation(words));
            let shape: Vec<_> = found.iter().map(|group| (group.range.len(), group.kind)).collect();
            assert_eq!(shape, expected, "{words}");
            let mut next = 0;
            for group in found {
                assert_eq!(group.range.start, next, "{words}");
                next = group.range.end;
            }
        };
        check("", &[]);
        check("s u a", &[(1, Whole), (1, Whole), (1, Whole)]);
        check("u c1 r1 a", &[(1, Whole), (2, Whole), (1, Whole)]);
        check("c1+2 r2 r1", &[(3, Whole)]);
        check("c1+2 r2", &[(2, Open)]);
        check("c1", &[(1, Open)]);
        check("c1+2 r2 u", &[(2, Abandoned), (1, Whole)]);
        check("c1 c2 r2", &[(1, Abandoned), (2, Whole)]);
        check("c1 u r1", &[(1, Abandoned), (1, Whole), (1, Orphan)]);
        check("r1 u", &[(1, Orphan), (1, Whole)]);
        check("c1 r1 r1", &[(2, Whole), (1, Orphan)]);
        check("c1+2 r1 s t r2 s", &[(5, Whole), (1, Whole)]);
        check("c1+2 r1 r9 r2", &[(4, Whole)]);
        check("c1 s u", &[(1, Abandoned), (1, Whole), (1, Whole)]);
        check("t r1", &[(1, Whole), (1, Orphan)]);
        check("c1+1 r1 r1", &[(3, Whole)]);
    }
}
