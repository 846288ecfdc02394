//! Writes of a history.

use std::time::Duration;

use memory_core::{
    Append, Appended, Backlog, ConversationKey, FinalReason, Limits, Message, NewMessage, Seq,
    Settle, Settled, Settlement, StoreError, Tally, ToolCall, Trim,
};

use super::step::{Draft, DraftTally, EpochOf, Kind, Pick, Stale};
use super::world::{World, Written};
use crate::sample;
use crate::verdict::{Verdict, Violation, ensure_eq};

impl World {
    pub(super) async fn append(
        &mut self,
        conversation: u8,
        counter: u8,
        drafts: &[Draft],
        grace: bool,
    ) -> Verdict {
        let (key, counter) = (self.key(conversation), self.counter(counter));
        let serial = self.written.len();
        let messages =
            drafts.iter().enumerate().map(|(place, draft)| message(draft, serial + place));
        // Whose grace counts where something waits already is the store's choice.
        let idle = self.model.live(self.now(), &key).is_none_or(|conversation| {
            !conversation.due.contains_key(&Backlog::Pending) && conversation.current == counter
        });
        let grace = if grace && idle { self.span(1) } else { Duration::ZERO };
        let append = Append { grace, ..sample::batch(&counter, messages) };
        let expected = self.model.append(self.now(), &key, &append);
        let found = self.store().append(&key, append.clone()).await;
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                ensure_eq!(found, expected, "the answer to an append");
                self.note(conversation, &append, &found);
            }
            (Err(StoreError::Conflict { .. }), Err(_)) => {}
            (Err(error), _) => return Err(error.into()),
            (Ok(found), Err(_)) => {
                return Err(Violation::new(format!("a conflict was appended: {found:?}")));
            }
        }
        self.compare(&key).await
    }

    fn note(&mut self, conversation: u8, append: &Append, appended: &Appended) {
        let conversation = usize::from(conversation) % self.keys.len();
        let new = append.messages.iter().zip(&appended.messages).filter(|(_, answer)| answer.new);
        self.written.extend(new.map(|(message, answer)| Written {
            conversation,
            epoch: appended.epoch,
            seq: answer.seq,
            fingerprint: message.fingerprint,
            tally: message.tally,
        }));
    }

    pub(super) async fn settle(
        &mut self,
        conversation: u8,
        counter: u8,
        epoch: EpochOf,
        picks: &[Pick],
    ) -> Verdict {
        let (key, counter, now) = (self.key(conversation), self.counter(counter), self.now());
        let place = usize::from(conversation) % self.keys.len();
        let own: Vec<_> =
            self.written.iter().rev().filter(|written| written.conversation == place).collect();
        let Some(newest) = own.first() else { return Ok(()) };
        let stored = self.model.messages(now, &key, &counter);
        let mut settlements: Vec<Settlement> = Vec::with_capacity(picks.len());
        for pick in picks {
            let written = own[usize::from(pick.back) % own.len()];
            let kept = stored.iter().find(|kept| kept.fingerprint == written.fingerprint);
            let right = kept.map_or(Some(written.tally), |kept| kept.tally);
            let chained = settlements.iter().rev().find(|earlier| earlier.seq == written.seq);
            let right = match (pick.stale, chained) {
                (Stale::Chained, Some(earlier)) => Some(earlier.tally),
                _ => right,
            };
            settlements.push(settlement(*pick, written, right));
        }
        let first = picks.first().map_or(*newest, |pick| own[usize::from(pick.back) % own.len()]);
        let present = self.model.totals(now, &key).epoch;
        let epoch = match epoch {
            EpochOf::Message => first.epoch,
            EpochOf::Now => present.unwrap_or(first.epoch),
            EpochOf::Nowhere => sample::epoch(),
        };
        self.settle_as(&key, Settle { counter, epoch, settlements }).await
    }

    /// Settles in the model and in the store, and compares.
    pub(super) async fn settle_as(&mut self, key: &ConversationKey, settle: Settle) -> Verdict {
        let expected: Settled = self.model.settle(self.now(), key, &settle);
        let found = self.store().settle(key, settle).await?;
        ensure_eq!(found, expected, "the answer to a settle");
        self.compare(key).await
    }

    pub(super) async fn trim(&mut self, conversation: u8, keep: u8, wrong_epoch: bool) -> Verdict {
        let (key, now, store) = (self.key(conversation), self.now(), self.store());
        let present = self.model.live(now, &key).map(|conversation| {
            (conversation.epoch, conversation.next.get().saturating_sub(keep.into()))
        });
        let (epoch, before) = present.unwrap_or_else(|| (sample::epoch(), 5));
        let epoch = if wrong_epoch { sample::epoch() } else { epoch };
        let trim = Trim { epoch, before: Seq::new(before).unwrap_or(Seq::FIRST) };
        if !store.capabilities().trim {
            return Ok(());
        }
        let expected = self.model.trim(now, &key, trim);
        let found = store.trim(&key, trim).await?;
        ensure_eq!(found.removed, expected.removed, "messages that a trim removed");
        if present.is_some() && !wrong_epoch {
            ensure_eq!(found.first, expected.first, "the first seq behind the head after a trim");
        }
        self.compare(&key).await
    }

    pub(super) async fn drop_newest(&mut self, conversation: u8, count: u8) -> Verdict {
        let (key, now, count) = (self.key(conversation), self.now(), u64::from(count));
        let expected = self.model.drop_newest(now, &key, count);
        let found = self.store().drop_newest(&key, count).await?;
        ensure_eq!(found, expected, "the answer to a drop");
        self.compare(&key).await
    }

    pub(super) async fn clear(&mut self, conversation: u8) -> Verdict {
        let key = self.key(conversation);
        let expected = self.model.clear(self.now(), &key);
        let found = self.store().clear(&key).await?;
        ensure_eq!(found, expected, "the answer to a clear");
        self.compare(&key).await
    }

    pub(super) async fn expire(&mut self, conversation: u8, seconds: Option<u8>) -> Verdict {
        let (key, now, store) = (self.key(conversation), self.now(), self.store());
        if !store.capabilities().expire {
            return Ok(());
        }
        let at = seconds.map(|seconds| now.after(self.span(seconds)));
        let expected = self.model.expire(now, &key, at);
        let found = store.expire(&key, at).await?;
        ensure_eq!(found, expected, "the answer to an expiry");
        self.compare(&key).await
    }

    pub(super) async fn set_counter(&mut self, conversation: u8, counter: u8) -> Verdict {
        let (key, counter, now) = (self.key(conversation), self.counter(counter), self.now());
        self.model.set_counter(now, &key, &counter);
        self.store().set_counter(&key, &counter).await?;
        self.compare(&key).await
    }

    pub(super) async fn recount(&mut self, conversation: u8, counter: u8) -> Verdict {
        let (key, counter) = (self.key(conversation), self.counter(counter));
        if !self.store().capabilities().recount {
            return Ok(());
        }
        self.model.recount(&key.namespace, &counter);
        self.store().recount(&key.namespace, &counter).await?;
        self.compare(&key).await
    }
}

fn settlement(pick: Pick, written: &Written, right: Option<Tally>) -> Settlement {
    let wrong = right.map(|tally| Tally { tokens: tally.tokens + 1, ..tally });
    let fingerprint = match pick.stale {
        Stale::Fingerprint => sample::fingerprint(),
        _ => written.fingerprint,
    };
    let expected = match pick.stale {
        Stale::No | Stale::Fingerprint | Stale::Chained => right,
        Stale::Expected => wrong.or(Some(Tally::exact(0))),
        Stale::Missing => None,
        Stale::Written => Some(written.tally),
    };
    let tokens = pick.tokens.into();
    let tally = if pick.fallback {
        Tally::final_because(tokens, FinalReason::Fallback)
    } else {
        Tally::exact(tokens)
    };
    Settlement { seq: written.seq, fingerprint, expected, tally }
}

/// The message of a draft; without an id its text is like no other's.
fn message(draft: &Draft, serial: usize) -> NewMessage {
    let tally = match draft.tally {
        DraftTally::Estimated(tokens) => Tally::estimated(tokens.into()),
        DraftTally::Exact(tokens) => Tally::exact(tokens.into()),
        DraftTally::Media(tokens) => Tally::final_because(tokens.into(), FinalReason::Media),
        DraftTally::Fallback(tokens) => Tally::final_because(tokens.into(), FinalReason::Fallback),
    };
    if let Some((id, other)) = draft.id {
        let text = if other { "other content" } else { "usual content" };
        return sample::with_id(
            sample::user(format!("{text} of {id}"), tally),
            &format!("id {id}"),
        );
    }
    let text = format!("{serial} {}", "x".repeat(draft.length.into()));
    let message = match draft.kind {
        Kind::System => Message::system(text),
        Kind::User => Message::user(text),
        Kind::Assistant => Message::assistant(text),
        Kind::Call => {
            let call = |id: &str| ToolCall::function(id, "look_up", text.as_str());
            Message::assistant_calling([call("1"), call("2")])
        }
        Kind::Result => Message::tool("1", text),
        Kind::Function => {
            let json = format!(r#"{{"role":"function","name":"f","content":"{text}"}}"#);
            Message::from_json(&json, &Limits::default()).expect("the text needs no escapes")
        }
    };
    sample::message(&message, tally)
}
