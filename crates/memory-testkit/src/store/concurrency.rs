//! Several writers at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::join_all;
use memory_core::{Appended, Settle, StoreError, Tally};

use super::scene::{LEASE, Scene, settlement};
use super::subject::Subject;
use crate::sample::{batch, user, with_id};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

const WRITERS: usize = 8;
const APPENDS: usize = 20;

/// Appends of many tasks have unique seqs without gaps, batches stand together, and each task's
/// messages keep its order.
pub async fn concurrent_appends_are_each_whole(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let text = |writer, turn, place| format!("writer {writer} turn {turn} place {place}");
    let appended = together((0..WRITERS).map(|writer| {
        let (store, key, counter) =
            (Arc::clone(&scene.store), scene.key.clone(), scene.counter.clone());
        async move {
            let mut answers = Vec::new();
            for turn in 0..APPENDS {
                let places = 0..1 + (writer + turn) % 3;
                let messages = places.map(|place| user(text(writer, turn, place), Tally::exact(3)));
                answers.push(store.append(&key, batch(&counter, messages)).await?);
            }
            Ok::<Vec<Appended>, StoreError>(answers)
        }
    }))
    .await;
    let mut written = BTreeMap::new();
    for (writer, answers) in appended.into_iter().enumerate() {
        let mut newest = 0;
        for (turn, answer) in answers?.iter().enumerate() {
            for (place, message) in answer.messages.iter().enumerate() {
                let seq = message.seq.get();
                ensure!(seq > newest, "writer {writer} got seq {seq} after {newest}");
                ensure!(place == 0 || seq == newest + 1, "a batch of {writer} is torn at {seq}");
                newest = seq;
                let payload = user(text(writer, turn, place), Tally::exact(3)).payload;
                ensure!(written.insert(seq, payload).is_none(), "seq {seq} was handed out twice");
            }
        }
    }
    let stored: BTreeMap<_, _> = scene
        .messages()
        .await?
        .into_iter()
        .map(|message| (message.seq.get(), message.payload))
        .collect();
    ensure!(stored == written, "what is stored is not what was acknowledged");
    let seqs: Vec<_> = written.into_keys().collect();
    ensure_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "seqs");
    scene.check_ledger("after concurrent appends").await
}

/// The same id from many tasks is one message, and one of them wrote it.
pub async fn concurrent_repeats_are_one_message(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let answers = together((0..WRITERS).map(|_| {
        let store = Arc::clone(&scene.store);
        let append = batch(&scene.counter, [with_id(user("same", Tally::exact(3)), "id")]);
        let key = scene.key.clone();
        async move { store.append(&key, append).await }
    }))
    .await;
    let mut new = 0;
    for answer in answers {
        let message = answer?.messages[0];
        ensure_eq!(message.seq.get(), 1, "the seq of a repeat");
        new += usize::from(message.new);
    }
    ensure_eq!(new, 1, "appends that wrote");
    ensure_eq!(scene.seqs().await?, [1], "stored seqs");
    scene.check_ledger("after concurrent repeats").await
}

/// Of many settlements that expect the same tally, one applies.
pub async fn concurrent_settles_apply_once(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append([user("a", Tally::estimated(5))]).await?.epoch;
    let stored = &scene.messages().await?[0];
    let answers = together((0..WRITERS as u64).map(|writer| {
        let store = Arc::clone(&scene.store);
        let settlements = vec![settlement(stored, Tally::exact(100 + writer))];
        let settle = Settle { counter: scene.counter.clone(), epoch, settlements };
        let key = scene.key.clone();
        async move { store.settle(&key, settle).await }
    }))
    .await;
    let mut applied = Vec::new();
    for (writer, answer) in answers.into_iter().enumerate() {
        if answer?.applied == 1 {
            applied.push(Some(Tally::exact(100 + writer as u64)));
        }
    }
    ensure_eq!(applied.len(), 1, "settlements that applied");
    ensure_eq!(scene.messages().await?[0].tally, applied[0], "the stored tally");
    scene.check_ledger("after concurrent settles").await
}

/// Sweeps that claim at the same time share the conversations out between them.
pub async fn concurrent_claims_share_nothing(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let mut expected = Vec::new();
    for index in 0..12 {
        let other = scene.other(&format!("{index:02}"));
        other.append([user("a", Tally::estimated(5))]).await?;
        expected.push(other.key.id.as_str().to_owned());
    }
    let claims = together((0..WRITERS).map(|_| {
        let store = Arc::clone(&scene.store);
        let claim = scene.claim(LEASE, 4);
        async move {
            let mut ids = Vec::new();
            for _ in 0..100 {
                let claimed = store.claim_pending(claim.clone()).await?;
                let (more, none) = (claimed.more, claimed.conversations.is_empty());
                ids.extend(claimed.conversations.into_iter().map(|claimed| claimed.key.id));
                if none && !more {
                    break;
                }
            }
            Ok::<_, StoreError>(ids)
        }
    }))
    .await;
    let mut found = Vec::new();
    for claim in claims {
        found.extend(claim?.iter().map(|id| id.as_str().to_owned()));
    }
    found.sort();
    ensure_eq!(found, expected, "claimed conversations");
    Ok::<(), Violation>(())
}

/// Runs futures at once: as tasks where tokio runs us, else interleaved.
async fn together<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return join_all(futures).await;
    };
    let tasks: Vec<_> = futures.map(|future| runtime.spawn(future)).collect();
    let joined = join_all(tasks).await.into_iter();
    joined
        .map(|task| task.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
        .collect()
}
