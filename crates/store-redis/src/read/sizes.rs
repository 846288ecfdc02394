//! How much of a conversation's ends a window's read asks for.

use crate::known::Guess;

/// Bytes of payloads that a read may ask for without knowing that it needs them.
pub(super) const GUESS_BYTES: u64 = 4 << 20;

/// Elements at the old end that a read asks for, since they may be the head.
const LEADING: u64 = 8;

/// Tokens of a message where nothing is known of a conversation. Too few only make a read larger.
const TOKENS: u64 = 40;

/// Messages that a read asks for at most while it guesses.
const MOST: u64 = 4096;

/// Numbers of elements and payloads, at the new end and at the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Elements at the new end.
    pub(super) newest: u64,
    /// Payloads at the new end.
    pub(super) payloads: u64,
    /// Elements at the old end.
    pub(super) oldest: u64,
    /// Payloads at the old end.
    pub(super) leading: u64,
    /// Whether the server is to see first that the payloads are not too many bytes.
    pub(super) guarded: bool,
}

impl Sizes {
    /// What a window of this budget probably needs, with a quarter more.
    pub(super) fn guess(budget: u64, guess: Option<&Guess>) -> Self {
        let tokens = guess.map_or(0, |guess| guess.tokens);
        let tokens = if tokens == 0 { TOKENS } else { tokens };
        let needed = (budget / tokens).saturating_mul(5) / 4;
        let newest = needed.saturating_add(8).min(MOST);
        let Some(guess) = guess else {
            let (oldest, leading) = (LEADING, LEADING);
            return Self { newest, payloads: newest, oldest, leading, guarded: true };
        };
        let (oldest, leading) = match guess.leading {
            // One more than the head has tells that it ends there.
            Some(leading) => (LEADING.max(leading as u64 + 1), leading as u64),
            None => (0, 0),
        };
        // Where payloads are that uneven, or nothing is known of them, their number has to be known
        // first.
        let is_uneven =
            guess.largest == 0 || (newest + leading).saturating_mul(guess.largest) > GUESS_BYTES;
        let payloads = if is_uneven { 0 } else { newest };
        Self { newest, payloads, oldest, leading, guarded: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(tokens: u64, largest: u64, leading: Option<usize>) -> Guess {
        Guess { only: None, largest, ends: 0, leading, tokens, physical: 1 }
    }

    #[test]
    fn a_guess_is_a_quarter_more_than_the_mean_says() {
        let sizes = Sizes::guess(4000, Some(&known(50, 256, Some(1))));
        let expected = Sizes { newest: 108, payloads: 108, oldest: 8, leading: 1, guarded: false };
        assert_eq!(sizes, expected);
        assert_eq!(Sizes::guess(u64::MAX, None).newest, MOST);
        assert!(Sizes::guess(10, None).guarded);
    }

    #[test]
    fn uneven_payloads_are_not_guessed_at() {
        assert_eq!(Sizes::guess(4000, Some(&known(50, 1 << 20, Some(1)))).payloads, 0);
        let trimmed = Sizes::guess(4000, Some(&known(50, 256, None)));
        assert_eq!((trimmed.oldest, trimmed.leading), (0, 0));
        assert_eq!(Sizes::guess(100, Some(&known(50, 256, Some(9)))).oldest, 10);
    }
}
