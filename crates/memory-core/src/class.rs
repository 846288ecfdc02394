//! What a store needs to know of a message to keep groups whole.

use crate::message::{Message, Role};

/// A message's part in its conversation, as one letter that a store keeps beside the tally.
///
/// Stores never read payloads: these classes let them find where a read or a trim may cut.
/// Exhaustive on purpose, because every store writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageClass {
    /// A system or developer message: part of the head where it stands before all others.
    Instruction,
    /// A user message.
    User,
    /// An assistant message without tool calls.
    Assistant,
    /// An assistant message with tool calls.
    Call,
    /// A tool message that names the call it answers.
    Result,
    /// Any other message, such as a tool message without `tool_call_id`.
    Other,
}

impl MessageClass {
    /// The class of a message.
    pub fn of(message: &Message) -> Self {
        match message.role() {
            Role::System | Role::Developer => Self::Instruction,
            Role::User => Self::User,
            Role::Assistant if message.tool_calls().is_empty() => Self::Assistant,
            Role::Assistant => Self::Call,
            Role::Tool if message.tool_call_id().is_some() => Self::Result,
            Role::Tool | Role::Function => Self::Other,
        }
    }

    /// Whether this message closes every call before it: no group reaches across its front edge.
    pub const fn is_boundary(self) -> bool {
        matches!(self, Self::User | Self::Assistant | Self::Call)
    }

    /// One letter for stored forms: `i`, `u`, `a`, `c`, `r` or `o`.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Instruction => b'i',
            Self::User => b'u',
            Self::Assistant => b'a',
            Self::Call => b'c',
            Self::Result => b'r',
            Self::Other => b'o',
        }
    }

    /// Reads back what [`letter`](Self::letter) wrote; none for another letter.
    pub const fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'i' => Self::Instruction,
            b'u' => Self::User,
            b'a' => Self::Assistant,
            b'c' => Self::Call,
            b'r' => Self::Result,
            b'o' => Self::Other,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ToolCall;

    #[test]
    fn classes_follow_role_and_calls() {
        let call = ToolCall::function("c1", "look_up", "{}");
        let check = |message: Message, class: MessageClass| {
            assert_eq!(MessageClass::of(&message), class);
            assert_eq!(MessageClass::from_letter(class.letter()), Some(class));
        };
        check(Message::system("s"), MessageClass::Instruction);
        check(Message::developer("d"), MessageClass::Instruction);
        check(Message::user("u"), MessageClass::User);
        check(Message::assistant("a"), MessageClass::Assistant);
        check(Message::assistant_calling([call]), MessageClass::Call);
        check(Message::tool("c1", "r"), MessageClass::Result);
        let bare = r#"{"role":"tool","content":"r"}"#;
        check(Message::from_json(bare, &crate::Limits::default()).unwrap(), MessageClass::Other);
        assert_eq!(MessageClass::from_letter(b'?'), None);
    }
}
