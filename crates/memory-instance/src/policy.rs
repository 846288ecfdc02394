//! Who counts, and when.

use std::fmt;
use std::str::FromStr;

/// Who counts a message's tokens, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CountPolicy {
    /// An estimate at the append, and a count in the background.
    Background,
    /// A count at the append where that is cheap and safe, otherwise as [`Background`].
    ///
    /// Cheap and safe means that the counter is local and warm, the message has at most 2 KiB of
    /// text, and the time that such a text takes, as learned from earlier counts, stays within a
    /// budget for the whole call (20 µs by default).
    ///
    /// [`Background`]: Self::Background
    #[default]
    Adaptive,
    /// A count before the write, by the pool and under its deadline; a counter that fails is an
    /// error, and nothing is written.
    Inline,
}

impl CountPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Background, Self::Adaptive, Self::Inline];

    /// The policy's name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Adaptive => "adaptive",
            Self::Inline => "inline",
        }
    }
}

impl fmt::Display for CountPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no count policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown count policy `{word}`; use background, adaptive or inline")]
#[non_exhaustive]
pub struct UnknownPolicy {
    /// The word.
    pub word: String,
}

impl FromStr for CountPolicy {
    type Err = UnknownPolicy;

    fn from_str(word: &str) -> Result<Self, UnknownPolicy> {
        let known = Self::ALL.into_iter().find(|policy| policy.as_str() == word);
        known.ok_or_else(|| UnknownPolicy { word: word.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_names() {
        for policy in CountPolicy::ALL {
            assert_eq!(policy.as_str().parse(), Ok(policy));
        }
        let unknown = "eager".parse::<CountPolicy>().unwrap_err();
        assert!(unknown.to_string().contains("`eager`"));
    }
}
