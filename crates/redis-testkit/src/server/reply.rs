//! What a server answers.

/// An answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing is there.
    Nil,
    /// A whole number.
    Integer(i64),
    /// A text, or any bytes.
    Bytes(Vec<u8>),
    /// Several answers.
    Array(Vec<Reply>),
}

impl Reply {
    /// The bytes, if they are such.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// The number, if it is one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The answers in it; none where it is no array.
    pub fn array(&self) -> &[Reply] {
        match self {
            Self::Array(replies) => replies,
            _ => &[],
        }
    }

    /// The value behind a name in an array of names and values.
    pub fn field(&self, name: &str) -> Option<&Reply> {
        let pairs = self.array().chunks_exact(2);
        pairs.into_iter().find(|pair| pair[0].text() == Some(name)).map(|pair| &pair[1])
    }

    pub(super) fn from_value(value: redis::Value) -> Self {
        match value {
            redis::Value::Nil => Self::Nil,
            redis::Value::Int(number) => Self::Integer(number),
            redis::Value::BulkString(bytes) => Self::Bytes(bytes),
            redis::Value::SimpleString(text) => Self::Bytes(text.into_bytes()),
            redis::Value::Okay => Self::Bytes(b"OK".to_vec()),
            redis::Value::Array(values) => {
                Self::Array(values.into_iter().map(Self::from_value).collect())
            }
            // The older protocol, which the control connection speaks, knows no others but errors
            // within an array.
            other => Self::Bytes(format!("{other:?}").into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_names() {
        let text = |text: &str| Reply::Bytes(text.into());
        let reply =
            Reply::Array(vec![text("flags"), text("master"), text("quorum"), Reply::Integer(2)]);
        assert_eq!(reply.field("flags").and_then(Reply::text), Some("master"));
        assert_eq!(reply.field("quorum").and_then(Reply::integer), Some(2));
        assert_eq!(reply.field("master"), None);
        assert_eq!(Reply::Nil.field("flags"), None);
    }
}
