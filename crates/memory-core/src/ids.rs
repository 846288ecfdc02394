//! Ids that are valid because they exist.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::framing::Framing;
use crate::limits::{LimitError, LimitKind, Limits};

/// An id that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The id is empty.
    #[error("the {what} is empty; give it at least one byte")]
    Empty {
        /// Which id: `conversation id`, `namespace`, …
        what: &'static str,
    },
    /// The id is longer than [`Limits::id_bytes`].
    #[error("the {what} is too long: {source}")]
    TooLong {
        /// Which id.
        what: &'static str,
        /// The limit and what was found.
        source: LimitError,
    },
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses an id of 1 to 256 bytes; every byte of UTF-8 is allowed in it.
            ///
            /// # Errors
            ///
            /// [`IdError`] where the text is empty or longer than 256 bytes.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                Self::within(text, &Limits::default())
            }

            /// Parses an id of 1 to [`Limits::id_bytes`] bytes.
            ///
            /// # Errors
            ///
            /// [`IdError`] where the text is empty or longer than the limit.
            pub fn within(text: impl AsRef<str>, limits: &Limits) -> Result<Self, IdError> {
                let text = text.as_ref();
                if text.is_empty() {
                    return Err(IdError::Empty { what: $what });
                }
                limits
                    .check(LimitKind::IdBytes, text.len())
                    .map_err(|source| IdError::TooLong { what: $what, source })?;
                Ok(Self(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

text_id! {
    /// The name of one conversation inside a [`Namespace`].
    ConversationId, "conversation id"
}

text_id! {
    /// The scope of one tenant: no operation on one namespace sees a byte of another.
    Namespace, "namespace"
}

text_id! {
    /// The name that a caller gives to a message, so that appending it again appends nothing.
    MessageId, "message id"
}

text_id! {
    /// The name of a counter, such as `o200k_base`, or of a counter together with its framing
    /// rule, such as `o200k_base/openai-chat-1`.
    ///
    /// Tallies are stored under the latter: tokens counted under another rule are other tokens.
    CounterId, "counter id"
}

impl Default for Namespace {
    /// The namespace `default`.
    fn default() -> Self {
        Self("default".into())
    }
}

impl CounterId {
    /// The id under which tallies by this counter and this framing rule are stored.
    ///
    /// # Examples
    ///
    /// ```
    /// use memory_core::{CounterId, Framing};
    ///
    /// let counter = CounterId::new("o200k_base")?;
    /// assert_eq!(counter.framed(&Framing::openai_chat_1()).as_str(), "o200k_base/openai-chat-1");
    /// # Ok::<(), memory_core::IdError>(())
    /// ```
    #[must_use]
    pub fn framed(&self, framing: &Framing) -> Self {
        Self(format!("{}/{}", self.0, framing.id()).into())
    }
}

/// A conversation's full name: its namespace and its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationKey {
    /// The tenant's scope.
    pub namespace: Namespace,
    /// The conversation inside it.
    pub id: ConversationId,
}

impl ConversationKey {
    /// Joins the two parts of a conversation's name.
    pub fn new(namespace: Namespace, id: ConversationId) -> Self {
        Self { namespace, id }
    }
}

impl fmt::Display for ConversationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in namespace {:?}", self.id.as_str(), self.namespace.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_1_to_256_bytes_of_anything() {
        let check = |text: &str, valid: bool| {
            assert_eq!(ConversationId::new(text).is_ok(), valid, "{} bytes", text.len());
        };
        check("", false);
        check("\0{}:*\n", true);
        check(&"x".repeat(256), true);
        check(&"x".repeat(257), false);
        check(&"é".repeat(128), true);
        check(&"é".repeat(129), false);
    }

    #[test]
    fn an_id_error_names_the_id_and_the_limit() {
        let error = MessageId::new("x".repeat(300)).unwrap_err().to_string();
        assert!(error.contains("message id") && error.contains("256"), "{error}");
        let lower = Limits { id_bytes: 3, ..Limits::default() };
        assert!(Namespace::within("four", &lower).is_err());
    }
}
