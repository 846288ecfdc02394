//! Batches.

use memory_core::Tally;

use super::scene::{Scene, sums};
use super::subject::Subject;
use crate::sample::{user, with_id};
use crate::verdict::{Verdict, ensure, ensure_eq};

/// An append answers for each message, in order, with the tally and fingerprint it was given.
pub async fn a_batch_answers_for_each_message_in_order(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let messages = [
        user("one", Tally::exact(4)),
        with_id(user("two", Tally::estimated(9)), "id of two"),
        user("three", Tally::exact(0)),
    ];
    let appended = scene.append(messages.clone()).await?;
    ensure_eq!(appended.messages.len(), 3, "entries of the answer");
    for (index, (message, answer)) in messages.iter().zip(&appended.messages).enumerate() {
        ensure_eq!(answer.seq.get(), index as u64 + 1, "the seq of entry {index}");
        ensure!(answer.new, "entry {index} is told to be known");
        ensure_eq!(answer.tally, Some(message.tally), "the tally of entry {index}");
        ensure_eq!(answer.fingerprint, Some(message.fingerprint), "the fingerprint of {index}");
    }
    ensure_eq!(appended.totals, sums(&scene.messages().await?), "totals of the answer");
    ensure_eq!(appended.totals.pending, 1, "pendings of the answer");
    Ok(())
}

/// A batch without messages writes nothing, and begins no life.
pub async fn a_batch_without_messages_writes_nothing(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    ensure_eq!(scene.append([]).await?.messages.len(), 0, "entries of the answer");
    ensure_eq!(scene.ledger().await?.epoch, None, "the epoch after nothing was written");
    let before = scene.append([user("one", Tally::exact(4))]).await?;
    let after = scene.append([]).await?;
    ensure_eq!((after.epoch, after.totals), (before.epoch, before.totals), "epoch and totals");
    scene.check_ledger("after an empty batch").await
}
