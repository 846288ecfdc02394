//! The sums of a conversation's tallies.

use crate::ids::CounterId;
use crate::nonce::Epoch;

/// The sums over a conversation's retained messages, under one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Retained messages.
    pub messages: u64,
    /// Sum of the tallies that these messages have under the counter.
    pub tokens: u64,
    /// Messages whose tally under the counter is missing or estimated.
    pub pending: u64,
    /// Messages that a fallback counted in the counter's place, which are not pending.
    pub fallback: u64,
    /// Whether every retained message has a tally, so that `tokens` leaves none out.
    pub complete: bool,
}

impl Totals {
    /// The totals of a conversation that holds nothing.
    pub const EMPTY: Self =
        Self { messages: 0, tokens: 0, pending: 0, fallback: 0, complete: true };

    /// Whether every tally is counted: `tokens` is then exact but for what is `Final`.
    pub const fn is_settled(&self) -> bool {
        self.pending == 0
    }
}

/// [`Totals`] with the counter that they are counted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterTotals {
    /// The counter, with its framing: `o200k_base/openai-chat-1`.
    pub counter: CounterId,
    /// The sums.
    pub totals: Totals,
}

/// Everything that the ledger of one conversation says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerTotals {
    /// The conversation's present life; none where there is no conversation.
    pub epoch: Option<Epoch>,
    /// Retained messages.
    pub messages: u64,
    /// The counter under which what is missing gets counted.
    pub current: Option<CounterId>,
    /// The sums under each counter that has ever counted here, in the order of their first use.
    pub counters: Vec<CounterTotals>,
}

impl LedgerTotals {
    /// The sums under one counter, also where it has counted nothing here yet.
    pub fn under(&self, counter: &CounterId) -> Totals {
        self.counters.iter().find(|entry| entry.counter == *counter).map_or(
            Totals {
                messages: self.messages,
                tokens: 0,
                pending: self.messages,
                fallback: 0,
                complete: self.messages == 0,
            },
            |entry| entry.totals,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_never_counted_has_everything_pending() {
        let counter = CounterId::new("words").unwrap();
        let ledger = LedgerTotals { messages: 3, ..LedgerTotals::default() };
        let totals = ledger.under(&counter);
        assert_eq!((totals.pending, totals.tokens, totals.complete), (3, 0, false));
        assert_eq!(LedgerTotals::default().under(&counter), Totals::EMPTY);
    }
}
