//! Where the faults take effect.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use memory_core::{
    Append, Appended, Backlog, Capabilities, Claim, Claimed, Cleared, ConversationKey, CounterId,
    Difference, Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Namespace, Page,
    PageQuery, PendingConversation, Probe, Repair, RepairReport, Seq, Settle, Settled, StoreError,
    Timestamp, Trim, Trimmed, WindowQuery, WindowRead,
};

use crate::broken::Broken;
use crate::claims;
use crate::fault::Fault;
use crate::writes;

type Outcome<T> = Result<T, StoreError>;

#[async_trait]
impl MemoryStore for Broken {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.model.capabilities();
        capabilities.repair &= !self.has(Fault::DeniesWhatItCan);
        capabilities
    }

    async fn append(&self, key: &ConversationKey, append: Append) -> Outcome<Appended> {
        let key = self.place(key);
        let appended = writes::append(self, &key, append).await?;
        *self.newest.lock().unwrap() = Some(key.clone());
        self.waiting.lock().unwrap().insert(key);
        Ok(appended)
    }

    async fn settle(&self, key: &ConversationKey, settle: Settle) -> Outcome<Settled> {
        let settled = writes::settle(self, &self.place(key), settle).await?;
        self.settled.fetch_add(settled.applied, Ordering::Relaxed);
        Ok(settled)
    }

    async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Outcome<WindowRead> {
        let key = self.place(key);
        let WindowQuery { counter, budget } = query;
        let wanted = if self.has(Fault::ReadsTooMuch) { u64::MAX } else { budget };
        let mut window =
            self.model.read_window(&key, WindowQuery { counter, budget: wanted }).await?;
        window.totals.tokens += self.drift();
        let all = window.tail.len();
        match self.fault {
            Fault::SplitsGroups if all > 1 => drop(window.tail.remove(0)),
            Fault::MissesTheHead => window.head.clear(),
            Fault::GuessesTheUncounted if all > 1 => {
                let is_uncounted = |kept: &memory_core::StoredMessage| kept.tally.is_none();
                if window.tail.iter().all(is_uncounted) {
                    window.tail.drain(..all - 1);
                }
            }
            Fault::LosesTheHeadByTrimming if window.first.get() > window.head.len() as u64 + 1 => {
                window.head.clear();
            }
            Fault::TakesFallbacksForCounts => {
                let tokens = |kept: &memory_core::StoredMessage| {
                    let tally = kept.tally.unwrap_or(memory_core::Tally::exact(0));
                    if tally.is_fallback() { tally.tokens } else { tally.lower_bound() }
                };
                let from = (0..all)
                    .rev()
                    .find(|from| window.tail[*from..].iter().map(tokens).sum::<u64>() > budget);
                window.tail.drain(..from.unwrap_or(0));
            }
            Fault::TrustsEstimates => {
                let tokens = |from: usize| -> u64 {
                    window.tail[from..]
                        .iter()
                        .filter_map(|kept| kept.tally)
                        .map(|tally| tally.tokens)
                        .sum()
                };
                let from = (0..all).rev().find(|from| tokens(*from) > budget).unwrap_or(0);
                window.tail.drain(..from);
            }
            _ => {}
        }
        window.reached_start &= window.tail.len() == all;
        window.reached_start |= self.has(Fault::AlwaysReachesTheStart);
        Ok(window)
    }

    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Outcome<Page> {
        let key = self.place(key);
        let counter = query.counter.clone();
        let mut page = self.model.page(&key, query).await?;
        if self.has(Fault::PagesRoundAgain) && page.messages.is_empty() {
            page = self.model.page(&key, PageQuery { counter, after: None, limit: 1 }).await?;
        }
        page.totals.tokens += self.drift();
        match self.fault {
            Fault::TurnsPagesRound => page.messages.reverse(),
            Fault::SkipsBetweenPages => page.next = page.next.map(|next| next.plus(1)),
            Fault::ChangesPayloads => {
                for message in &mut page.messages {
                    message.payload = message.payload.replace("\u{feff}", "").into();
                }
            }
            Fault::CutsGroupsByTrimming => {
                let hidden = self.hidden.lock().unwrap().get(&key).copied();
                page.messages.retain(|message| hidden.is_none_or(|hidden| message.seq >= hidden));
            }
            _ => {}
        }
        Ok(page)
    }

    async fn totals(&self, key: &ConversationKey) -> Outcome<LedgerTotals> {
        let mut ledger = self.model.totals(&self.place(key)).await?;
        for entry in &mut ledger.counters {
            entry.totals.tokens += self.drift();
            entry.totals.complete |= self.has(Fault::IsAlwaysComplete);
            if self.has(Fault::TakesFallbacksForPendings) {
                entry.totals.pending += entry.totals.fallback;
            }
        }
        if self.has(Fault::SortsCounters) {
            ledger.counters.sort_by(|one, other| one.counter.cmp(&other.counter));
        }
        Ok(ledger)
    }

    async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Outcome<()> {
        self.model.set_counter(&self.place(key), counter).await
    }

    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Outcome<()> {
        let namespace = self.namespace(namespace);
        let first = {
            let mut recounts = self.recounts.lock().unwrap();
            recounts.entry(namespace.clone()).or_insert_with(|| counter.clone()).clone()
        };
        match self.fault {
            Fault::ForgetsRecounts => Ok(()),
            Fault::KeepsTheFirstRecount => self.model.recount(&namespace, &first).await,
            _ => self.model.recount(&namespace, counter).await,
        }
    }

    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Outcome<Vec<PendingConversation>> {
        let found = self.model.pending(&self.namespace(namespace), backlog, limit).await?;
        let ghosts = match backlog {
            Backlog::Pending => self.has(Fault::ListsSettledAsPending),
            Backlog::Fallback => self.has(Fault::ListsFallbacksForEver),
        };
        if !ghosts {
            return Ok(found);
        }
        let waiting = self.waiting.lock().unwrap().clone();
        let mut all: BTreeMap<_, _> = waiting
            .into_iter()
            .filter(|key| key.namespace == *namespace)
            .map(|key| (key.clone(), PendingConversation { key, pending: 0 }))
            .collect();
        all.extend(found.into_iter().map(|found| (found.key.clone(), found)));
        Ok(all.into_values().take(limit).collect())
    }

    async fn claim_pending(&self, claim: Claim) -> Outcome<Claimed> {
        claims::claim(self, claim).await
    }

    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Outcome<Trimmed> {
        writes::trim(self, &self.place(key), trim).await
    }

    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Outcome<Dropped> {
        let key = self.place(key);
        if self.has(Fault::RefusesWhatNeverWas) && self.model.totals(&key).await?.epoch.is_none() {
            return Err(StoreError::Closed);
        }
        let count = count.max(u64::from(self.has(Fault::DropsAtLeastOne)));
        let count = if self.has(Fault::DropsOneTooFew) && count > 1 {
            let messages = self.model.totals(&key).await?.messages;
            count.min(messages) - u64::from(messages > 0)
        } else {
            count
        };
        let mut dropped = self.model.drop_newest(&key, count).await?;
        let left = self.model.totals(&key).await?.messages;
        if self.has(Fault::BuriesTheEmpty) && left == 0 {
            self.model.clear(&key).await?;
        }
        if self.has(Fault::GivesSeqsOfTheGap) && dropped.next_seq.get() > left + 1 {
            dropped.next_seq = Seq::FIRST.plus(left);
        }
        if self.has(Fault::KeepsIdsOfDropped) && dropped.removed > 0 {
            let gone = self.ids.lock().unwrap().split_off(&(key.clone(), dropped.next_seq));
            let gone = gone.into_iter().filter(|((other, _), _)| *other == key);
            self.dropped.lock().unwrap().extend(gone.map(|((key, _), id)| (key, id)));
        }
        Ok(dropped)
    }

    async fn clear(&self, key: &ConversationKey) -> Outcome<Cleared> {
        let key = self.place(key);
        if self.has(Fault::ClearsTheSameLife) {
            let removed = self.model.drop_newest(&key, u64::MAX).await?.removed;
            return Ok(Cleared { removed });
        }
        let mut cleared = self.model.clear(&key).await?;
        cleared.removed += u64::from(self.has(Fault::ClearsGhosts) && cleared.removed == 0);
        Ok(cleared)
    }

    async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Outcome<bool> {
        if self.has(Fault::ExpiresForGood) && at.is_none() {
            return Ok(self.model.totals(&self.place(key)).await?.epoch.is_some());
        }
        let at = at.filter(|_| !self.has(Fault::NeverExpires));
        self.model.expire(&self.place(key), at).await
    }

    async fn list(&self, query: ListQuery) -> Outcome<ListPage> {
        let namespace = self.namespace(&query.namespace);
        let mut page = self.model.list(ListQuery { namespace, ..query }).await?;
        page.next = page.next.filter(|_| !self.has(Fault::ListsOnlyOnePage));
        Ok(page)
    }

    async fn probe(&self) -> Outcome<Probe> {
        let mut probe = self.model.probe().await?;
        if self.has(Fault::HasAnotherName) {
            probe.backend = "another";
        }
        Ok(probe)
    }

    async fn repair(&self, key: &ConversationKey, repair: Repair) -> Outcome<RepairReport> {
        let mut report = self.model.repair(&self.place(key), repair).await?;
        if self.has(Fault::FindsGhosts) {
            let what = "messages".to_owned();
            report.differences.push(Difference { what, stored: Seq::FIRST.get(), actual: 0 });
        }
        Ok(report)
    }
}
