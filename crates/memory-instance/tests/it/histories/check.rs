//! Comparing what is stored with what was acknowledged.

use memory_core::Tally;
use memory_instance::MemoryError;

use super::model::settled;
use super::world::World;

impl World {
    /// Every acknowledged message is there, once and in its place, and the sums are those of the
    /// tallies.
    pub(super) async fn compare_all(&self) {
        for (place, life) in (0_u8..).zip(&self.lives) {
            let conversation = self.conversation(place, place);
            let page = self.until(conversation.page(None, 10_000)).await.unwrap();
            if !life.messages.is_empty() {
                assert_eq!(page.epoch, life.epoch);
            }
            let found: Vec<_> =
                page.entries.iter().map(|entry| (entry.seq.get(), &entry.message)).collect();
            let expected: Vec<_> =
                life.messages.iter().map(|(seq, message)| (*seq, message)).collect();
            assert_eq!(found, expected, "conversation {place}");
            let seqs = found.iter().map(|(seq, _)| *seq);
            assert!(seqs.eq(1..=found.len() as u64), "seqs are gapless");
            for entry in &page.entries {
                let tally = entry.tally.expect("every message has a tally under its counter");
                assert!(
                    tally.is_pending() || tally == settled(&entry.message),
                    "{tally:?} of seq {}",
                    entry.seq
                );
            }
            let tallies = || page.entries.iter().filter_map(|entry| entry.tally);
            let pending = tallies().filter(|tally| Tally::is_pending(*tally)).count();
            assert_eq!(page.totals.messages, page.entries.len() as u64);
            assert_eq!(page.totals.tokens, tallies().map(|tally| tally.tokens).sum::<u64>());
            assert_eq!(page.totals.pending, pending as u64);
        }
    }

    /// How many messages are pending, in all conversations.
    pub(super) async fn pending(&self) -> u64 {
        let mut pending = 0;
        for place in 0..3 {
            let conversation = self.conversation(0, place);
            let ledger = self.until(conversation.ledger()).await.unwrap();
            pending += ledger.under(&self.memory(0).tally_id()).pending;
        }
        pending
    }

    /// Nothing is pending any more, and the sums are exact.
    pub(super) async fn check_settled(&self) {
        for (place, life) in (0_u8..).zip(&self.lives) {
            let conversation = self.conversation(place, place);
            let totals = self.until(conversation.totals()).await.unwrap();
            assert_eq!(totals.pending, 0, "conversation {place}");
            assert_eq!(totals.tokens, life.tokens(), "conversation {place}");
        }
        for memory in [0, 1] {
            // This would wait for ever if a job had no answer.
            self.until(self.memory(memory).counting().wait_idle()).await;
        }
    }

    /// A window is the longest run that fits; where counts hang it may be shorter, and never over
    /// its budget.
    pub(super) async fn window(&self, memory: u8, place: u8, budget: u64) {
        let life = &self.lives[usize::from(place)];
        let conversation = self.conversation(memory, place);
        let found = self.until(conversation.window(budget)).await;
        let expected = life.window(budget);
        if self.hangs() {
            let Ok(window) = found else { return };
            let tokens: u64 = window.messages().map(|message| settled(message).tokens).sum();
            assert!(3 + tokens <= window.tokens && window.tokens <= budget);
            let (all, shown) = (life.messages.values(), window.run.len());
            let newest = all.skip(life.messages.len() - shown);
            assert!(newest.eq(window.run.iter().map(|entry| &entry.message)));
            return;
        }
        match (found, expected) {
            (Ok(window), Some((messages, tokens))) => {
                assert_eq!(window.messages().collect::<Vec<_>>(), messages, "budget {budget}");
                assert_eq!(window.tokens, tokens, "budget {budget}");
            }
            (Err(MemoryError::Window(_)), None) => {}
            (found, expected) => panic!("budget {budget}: {found:?}, not {expected:?}"),
        }
    }
}
