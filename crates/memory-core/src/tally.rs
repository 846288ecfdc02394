//! A message's token count, and how it came about.

use std::fmt;

/// A message's tokens under one counter, and how the number came about.
///
/// This is the newtype of token counts: a number of tokens without the way it was found is not
/// worth storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tally {
    /// Tokens, with the framing of the message.
    pub tokens: u64,
    /// How the number came about.
    pub state: TallyState,
}

/// How a [`Tally`] came about.
///
/// Exhaustive on purpose: a store writes each state in its own form and must know them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TallyState {
    /// An estimate, to be replaced by a count.
    Estimated,
    /// Counted by the counter.
    Exact,
    /// Not exact, and never to be counted again without cause; what a fallback counted has one once
    /// the counter itself answers again.
    Final(FinalReason),
}

/// Why a tally that is not exact stays as it is.
///
/// Exhaustive on purpose, as [`TallyState`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinalReason {
    /// The message has parts that are not text; they carry documented figures.
    Media,
    /// The counter was not reachable, and a fallback counter counted.
    Fallback,
    /// The counter failed three times; the tally is its upper bound, or the estimate.
    Failed,
}

impl Tally {
    /// A tally that waits to be counted.
    pub const fn estimated(tokens: u64) -> Self {
        Self { tokens, state: TallyState::Estimated }
    }

    /// A counted tally.
    pub const fn exact(tokens: u64) -> Self {
        Self { tokens, state: TallyState::Exact }
    }

    /// A tally that stays inexact, and why.
    pub const fn final_because(tokens: u64, reason: FinalReason) -> Self {
        Self { tokens, state: TallyState::Final(reason) }
    }

    /// Whether the tally is still an estimate.
    pub const fn is_pending(self) -> bool {
        matches!(self.state, TallyState::Estimated)
    }

    /// Whether a fallback counter made the count, so that the counter itself has yet to count.
    pub const fn is_fallback(self) -> bool {
        matches!(self.state, TallyState::Final(FinalReason::Fallback))
    }

    /// What the message surely costs, as far as a window's read is sized by it.
    ///
    /// A counted tally is its own bound. An estimate counts half: Turnledger's estimator was off
    /// by less than that on all kinds of text it was measured on, and a reader that finds it off
    /// by more reads once again. What a fallback counted is a guess of the same kind.
    pub const fn lower_bound(self) -> u64 {
        if self.is_pending() || self.is_fallback() { self.tokens / 2 } else { self.tokens }
    }
}

impl TallyState {
    /// The word for this state in output: `estimated`, `exact`, `media`, `fallback` or `failed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Estimated => "estimated",
            Self::Exact => "exact",
            Self::Final(FinalReason::Media) => "media",
            Self::Final(FinalReason::Fallback) => "fallback",
            Self::Final(FinalReason::Failed) => "failed",
        }
    }

    /// One letter for stored forms: `e`, `x`, `m`, `b` or `f`.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Estimated => b'e',
            Self::Exact => b'x',
            Self::Final(FinalReason::Media) => b'm',
            Self::Final(FinalReason::Fallback) => b'b',
            Self::Final(FinalReason::Failed) => b'f',
        }
    }

    /// Reads back what [`letter`](Self::letter) wrote; none for another letter.
    pub const fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'e' => Self::Estimated,
            b'x' => Self::Exact,
            b'm' => Self::Final(FinalReason::Media),
            b'b' => Self::Final(FinalReason::Fallback),
            b'f' => Self::Final(FinalReason::Failed),
            _ => return None,
        })
    }
}

impl fmt::Display for TallyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_letter() {
        for state in [
            TallyState::Estimated,
            TallyState::Exact,
            TallyState::Final(FinalReason::Media),
            TallyState::Final(FinalReason::Fallback),
            TallyState::Final(FinalReason::Failed),
        ] {
            assert_eq!(TallyState::from_letter(state.letter()), Some(state));
        }
        assert_eq!(TallyState::from_letter(b'?'), None);
    }

    #[test]
    fn only_guesses_have_a_bound_below_them() {
        assert_eq!(Tally::estimated(101).lower_bound(), 50);
        assert_eq!(Tally::exact(101).lower_bound(), 101);
        assert_eq!(Tally::final_because(101, FinalReason::Media).lower_bound(), 101);
        assert_eq!(Tally::final_because(101, FinalReason::Fallback).lower_bound(), 50);
    }
}
