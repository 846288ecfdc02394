//! What tells lives and messages apart: seqs, epochs and fingerprints.

use std::fmt;
use std::num::NonZeroU64;

/// A message's place in its conversation, from 1, gapless and increasing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(NonZeroU64);

impl Seq {
    /// The first place of every conversation.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// Makes a seq of a number; none for 0, which is no place.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, at least 1.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The place `count` further on, at most [`u64::MAX`].
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The place before this one; none before the first.
    pub const fn previous(self) -> Option<Self> {
        Self::new(self.get() - 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seq({})", self.0)
    }
}

/// Text that is no epoch or fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {what} is {length} characters of a-z, 2-7")]
#[non_exhaustive]
pub struct NonceError {
    what: &'static str,
    length: usize,
}

/// The 32 characters of a nonce: five bits each, as in RFC 4648's base 32, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const fn encode<const N: usize>(mut bits: u128) -> [u8; N] {
    let mut characters = [0; N];
    let mut index = 0;
    while index < N {
        characters[index] = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
        index += 1;
    }
    characters
}

macro_rules! nonce {
    ($(#[$doc:meta])* $name:ident, $length:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $length]);

        impl $name {
            /// How many characters its text has.
            pub const LENGTH: usize = $length;

            /// Makes one of random bits; five bits of them a character are used.
            pub const fn from_random(bits: u128) -> Self {
                Self(encode(bits))
            }

            /// Reads back what [`as_str`](Self::as_str) wrote.
            ///
            /// # Errors
            ///
            /// [`NonceError`] where length or characters are others.
            pub fn parse(text: &str) -> Result<Self, NonceError> {
                let error = NonceError { what: $what, length: $length };
                let characters: [u8; $length] = text.as_bytes().try_into().map_err(|_| error)?;
                let is_known = |character: &u8| matches!(character, b'a'..=b'z' | b'2'..=b'7');
                if characters.iter().all(is_known) {
                    Ok(Self(characters))
                } else {
                    Err(error)
                }
            }

            /// The nonce as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
    };
}

nonce! {
    /// One life of a conversation: a new one begins after `clear` or expiry, because seqs start
    /// again from 1 there. 80 random bits.
    Epoch, 16, "epoch"
}

nonce! {
    /// What tells two messages apart that were given the same seq, as after `drop_newest` or
    /// after a store lost writes. 40 random bits, compared only between messages of one seq.
    Fingerprint, 8, "fingerprint"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_survive_their_text() {
        let epoch = Epoch::from_random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(Epoch::parse(epoch.as_str()), Ok(epoch));
        assert_eq!(epoch.as_str().len(), Epoch::LENGTH);
        let fingerprint = Fingerprint::from_random(u128::MAX);
        assert_eq!(fingerprint.as_str(), "77777777");
        assert!(Fingerprint::parse("7777777").is_err());
        assert!(Fingerprint::parse("7777777!").is_err());
        assert!(Epoch::parse("ABCDEFGHIJKLMNOP").is_err());
    }

    #[test]
    fn seqs_start_at_one() {
        assert_eq!(Seq::new(0), None);
        assert_eq!(Seq::FIRST.previous(), None);
        assert_eq!(Seq::FIRST.plus(2).get(), 3);
        assert_eq!(Seq::FIRST.plus(u64::MAX).get(), u64::MAX);
    }
}
