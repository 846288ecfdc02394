//! Bounds on input, checked before any work is done.

use std::fmt;

/// The bounds that input is checked against.
///
/// The defaults are the documented limits. Lowering one costs nothing. Raising one has a cost,
/// which its documentation states.
///
/// # Examples
///
/// ```
/// use memory_core::{Limits, Message};
///
/// let limits = Limits { message_bytes: 20, ..Limits::default() };
/// let refused = Message::from_json(r#"{"role":"user","content":"too long for it"}"#, &limits);
/// assert!(refused.unwrap_err().to_string().contains("20"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest id, in bytes (default 256). A longer id makes every key and index entry longer.
    pub id_bytes: usize,
    /// Longest message in its wire form, in bytes (default 1 MiB). A window may have to hold a
    /// whole message beyond its read bound, so a higher limit raises the memory a read may take.
    pub message_bytes: usize,
    /// Most messages in one batch (default 1000). A batch is one transaction: a larger one holds
    /// up other writers for longer.
    pub batch_messages: usize,
    /// Deepest nesting of a message's JSON (default 128, the bound of common JSON parsers).
    /// Readers with such a parser cannot read a deeper message back.
    pub json_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { id_bytes: 256, message_bytes: 1 << 20, batch_messages: 1000, json_depth: 128 }
    }
}

impl Limits {
    /// Most counters that one conversation's tallies are kept under. Fixed, because stores keep a
    /// sum for each of them.
    pub const COUNTERS: usize = 8;

    /// Refuses `found` where it is above the limit of this kind.
    ///
    /// # Errors
    ///
    /// [`LimitError`] names the limit, its value and what was found.
    pub fn check(&self, kind: LimitKind, found: usize) -> Result<(), LimitError> {
        let allowed = match kind {
            LimitKind::IdBytes => self.id_bytes,
            LimitKind::MessageBytes => self.message_bytes,
            LimitKind::BatchMessages => self.batch_messages,
            LimitKind::JsonDepth => self.json_depth,
            LimitKind::Counters => Self::COUNTERS,
        };
        if found > allowed { Err(LimitError { kind, allowed, found }) } else { Ok(()) }
    }
}

/// Which bound of [`Limits`] was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitKind {
    /// Bytes of an id.
    IdBytes,
    /// Bytes of a message in its wire form.
    MessageBytes,
    /// Messages in one batch.
    BatchMessages,
    /// Nesting depth of a message's JSON.
    JsonDepth,
    /// Counters that one conversation was counted under.
    Counters,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IdBytes => "bytes of an id",
            Self::MessageBytes => "bytes of a message",
            Self::BatchMessages => "messages in a batch",
            Self::JsonDepth => "nesting depth of a message's JSON",
            Self::Counters => "counters of one conversation",
        })
    }
}

/// Input that is larger than a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}, and the limit is {allowed}", Found(*.kind, *.found))]
#[non_exhaustive]
pub struct LimitError {
    /// Which limit.
    pub kind: LimitKind,
    /// The largest value that is allowed.
    pub allowed: usize,
    /// The value that was found; at least this much, where checking stopped early.
    pub found: usize,
}

/// What was found, in words.
struct Found(LimitKind, usize);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(LimitKind::JsonDepth, depth) => write!(f, "a message's JSON nests {depth} deep"),
            Self(kind, found) => write!(f, "{found} {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_allows_its_own_value_and_names_itself_beyond() {
        let limits = Limits::default();
        for (kind, allowed) in [
            (LimitKind::IdBytes, 256),
            (LimitKind::MessageBytes, 1_048_576),
            (LimitKind::BatchMessages, 1000),
            (LimitKind::JsonDepth, 128),
            (LimitKind::Counters, 8),
        ] {
            assert_eq!(limits.check(kind, allowed), Ok(()));
            let error = limits.check(kind, allowed + 1).unwrap_err();
            assert_eq!(error.allowed, allowed);
            assert!(error.to_string().contains(&allowed.to_string()), "{error}");
        }
        let error = limits.check(LimitKind::JsonDepth, 129).unwrap_err();
        assert_eq!(error.to_string(), "a message's JSON nests 129 deep, and the limit is 128");
    }
}
