//! Faults that ledgers of this kind have had, each by its name.

use std::time::Duration;

use memory_core::{
    Append, CounterId, Limits, MemoryStore, MemoryStoreExt, PageQuery, Seq, Settle, Settlement,
    StoreError, StoredMessage, Tally, Trim,
};
use memory_testkit::sample;
use redis_testkit::RedisServer;

use crate::load::{key, sound};
use crate::restarts;
use crate::servers::{self, open, open_two};

fn batch(counter: &CounterId, messages: usize) -> Append {
    sample::batch(counter, (0..messages).map(|_| sample::user("hello", Tally::estimated(5))))
}

fn exact(counter: &CounterId, epoch: memory_core::Epoch, messages: &[StoredMessage]) -> Settle {
    let settlements = messages.iter().map(|message| Settlement {
        seq: message.seq,
        fingerprint: message.fingerprint,
        expected: message.tally,
        tally: Tally::exact(3),
    });
    Settle { counter: counter.clone(), epoch, settlements: settlements.collect() }
}

#[tokio::test]
async fn a_full_queue_leaves_no_estimate_for_ever() {
    let server = &servers::one().await;
    let [writer, sweeper] = open_two(server).await;
    let counter = sample::counter("words");
    // Nobody is left to settle these.
    writer.append(&key(0), batch(&counter, 3)).await.unwrap();
    drop(writer);
    let claim = sample::claim(&counter, Duration::from_hours(1), 10);
    let claimed = sweeper.claim_pending(claim).await.unwrap().conversations;
    assert_eq!((claimed.len(), claimed[0].messages.len()), (1, 3));
    let settle = exact(&counter, claimed[0].epoch, &claimed[0].messages);
    let settled = sweeper.settle(&key(0), settle).await.unwrap();
    assert_eq!((settled.applied, settled.totals.tokens, settled.totals.pending), (3, 9, 0));
    sound(&sweeper, &key(0), &counter).await;
}

#[tokio::test]
async fn a_late_delta_after_a_flush_counts_nothing_twice() {
    let server = &servers::one().await;
    let [one, other] = open_two(server).await;
    let counter = sample::counter("words");
    let epoch = one.append(&key(0), batch(&counter, 3)).await.unwrap().epoch;
    let late = exact(&counter, epoch, &sound(&one, &key(0), &counter).await);
    assert_eq!(other.settle(&key(0), late.clone()).await.unwrap().applied, 3);
    let settled = one.settle(&key(0), late).await.unwrap();
    assert_eq!((settled.applied, settled.skipped, settled.totals.tokens), (0, 3, 9));
    sound(&one, &key(0), &counter).await;
}

#[tokio::test]
async fn a_late_delta_after_a_clear_makes_no_ghost_key() {
    let server = &servers::one().await;
    let ttl = Some(Duration::from_hours(1));
    let store = servers::builder(server, &[]).await.time_to_live(ttl).connect().await.unwrap();
    let counter = sample::counter("words");
    let epoch = store.append(&key(0), batch(&counter, 1)).await.unwrap().epoch;
    let late = exact(&counter, epoch, &sound(&store, &key(0), &counter).await);
    store.clear(&key(0)).await.unwrap();
    assert_eq!(store.settle(&key(0), late).await.unwrap().applied, 0);
    store.trim(&key(0), Trim { epoch, before: Seq::FIRST.plus(1) }).await.unwrap();
    store.drop_newest(&key(0), 1).await.unwrap();
    store.set_counter(&key(0), &counter).await.unwrap();
    store.expire(&key(0), None).await.unwrap();
    let keys = server.command(&["KEYS", "*{*}*"]).await.unwrap();
    assert_eq!(keys.array().len(), 0, "{keys:?}");
}

#[tokio::test]
async fn a_trim_planned_from_a_stale_read_keeps_what_was_appended_meanwhile() {
    let server = &servers::one().await;
    let [one, other] = open_two(server).await;
    let counter = sample::counter("words");
    one.append(&key(0), batch(&counter, 5)).await.unwrap();
    let query = PageQuery { counter: counter.clone(), after: None, limit: 100 };
    let read = one.page(&key(0), query).await.unwrap();
    let (epoch, last) = (read.epoch.unwrap(), read.messages.last().unwrap().seq);
    other.append(&key(0), batch(&counter, 2)).await.unwrap();
    let trim = Trim { epoch, before: last.plus(1) };
    assert_eq!(one.trim(&key(0), trim).await.unwrap().removed, 5);
    let seqs = |messages: Vec<StoredMessage>| -> Vec<u64> {
        messages.iter().map(|message| message.seq.get()).collect()
    };
    assert_eq!(seqs(sound(&one, &key(0), &counter).await), [6, 7]);
    // And of the next life it takes nothing.
    other.clear(&key(0)).await.unwrap();
    other.append(&key(0), batch(&counter, 2)).await.unwrap();
    assert_eq!(one.trim(&key(0), trim).await.unwrap().removed, 0);
    assert_eq!(seqs(sound(&one, &key(0), &counter).await), [1, 2]);
}

#[tokio::test]
async fn a_trim_to_nothing_leaves_true_totals_and_the_next_seq() {
    let server = &servers::one().await;
    let (store, counter) = (open(server).await, sample::counter("words"));
    let epoch = store.append(&key(0), batch(&counter, 5)).await.unwrap().epoch;
    let trim = Trim { epoch, before: Seq::FIRST.plus(5) };
    assert_eq!(store.trim(&key(0), trim).await.unwrap().removed, 5);
    let totals = store.totals_under(&key(0), &counter).await.unwrap();
    assert_eq!((totals.messages, totals.tokens, totals.pending), (0, 0, 0));
    let appended = store.append(&key(0), batch(&counter, 1)).await.unwrap();
    assert_eq!((appended.epoch, appended.messages[0].seq.get()), (epoch, 6));
    assert_eq!(sound(&store, &key(0), &counter).await.len(), 1);
}

#[tokio::test]
async fn a_batch_that_errs_half_way_writes_nothing() {
    let server = &servers::one().await;
    let (store, counter) = (open(server).await, sample::counter("words"));
    let named = |text: &str, id| sample::with_id(sample::user(text, Tally::estimated(5)), id);
    store.append(&key(0), sample::batch(&counter, [named("one", "a")])).await.unwrap();
    let conflict = sample::batch(&counter, [named("two", "b"), named("other", "a")]);
    let error = store.append(&key(0), conflict).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
    let large = "x".repeat(Limits::default().message_bytes);
    let too_large = sample::batch(&counter, [named("two", "b"), named(&large, "c")]);
    let error = store.append(&key(0), too_large).await.unwrap_err();
    assert!(matches!(error, StoreError::Limit(_)), "{error:?}");
    assert_eq!(sound(&store, &key(0), &counter).await.len(), 1);
    let appended = store.append(&key(0), sample::batch(&counter, [named("two", "b")])).await;
    let answer = appended.unwrap().messages[0];
    assert_eq!((answer.seq.get(), answer.new), (2, true), "its id is free");
}

#[tokio::test]
async fn no_two_keys_of_an_operation_lie_in_different_slots() {
    let cluster = servers::cluster(RedisServer::builder()).await;
    let (store, counter) = (open(&cluster).await, sample::counter("words"));
    for number in 0..40 {
        let message = sample::with_id(sample::user("hello", Tally::estimated(5)), "id");
        store.append(&key(number), sample::batch(&counter, [message])).await.unwrap();
    }
    let mut slots = std::collections::BTreeMap::new();
    for node in &cluster.nodes()[..3] {
        let keys = node.command(&["KEYS", "turnledger:{*}*"]).await.unwrap();
        for stored in keys.array() {
            let stored = stored.text().unwrap();
            let tag = stored[..stored.find('}').unwrap()].to_owned();
            let slot = cluster.slot_of(stored.as_bytes()).await.unwrap();
            assert_eq!(*slots.entry(tag).or_insert(slot), slot, "{stored}");
        }
    }
    assert!(slots.len() > 20, "{slots:?}");
    // It takes long to start, and serves once more.
    let lose_all = async || {
        servers::command(&cluster, &["FLUSHALL"]).await;
        for node in cluster.nodes() {
            node.kill_clients().await.unwrap();
        }
    };
    restarts::check(&cluster, lose_all).await;
}
