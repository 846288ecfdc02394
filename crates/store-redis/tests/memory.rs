//! Servers that have no memory left and evict nothing.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "support/pools.rs"]
mod pools;

use std::error::Error;
use std::time::Duration;

use cache_redis::PoolError;
use memory_core::{
    Backlog, ConversationId, ConversationKey, CounterId, MemoryStore, MemoryStoreExt, Namespace,
    Repair, Seq, Settle, Settlement, StoredMessage, Tally, Trim,
};
use memory_testkit::sample;
use pools::pool_of;
use redis_testkit::RedisServer;
use store_redis::RedisStore;

/// Conversations of which some share an index.
const CONVERSATIONS: usize = 200;

fn key_of(id: &str) -> ConversationKey {
    ConversationKey::new(Namespace::default(), ConversationId::new(id).unwrap())
}

fn key() -> ConversationKey {
    key_of("one")
}

async fn full_server() -> RedisServer {
    RedisServer::builder().max_memory(4 << 20, "noeviction").start().await.unwrap()
}

async fn store(server: &RedisServer) -> RedisStore {
    let pool = pool_of(&[("REDIS_URL", &server.url())]).await;
    RedisStore::builder(pool).connect().await.unwrap()
}

/// Checks that sums and messages agree, and returns the seqs.
async fn sound(store: &RedisStore, key: &ConversationKey, counter: &CounterId) -> Vec<u64> {
    let (_, messages) = store.read_all(key, counter).await.unwrap();
    let totals = store.totals_under(key, counter).await.unwrap();
    let tallies = messages.iter().filter_map(|message| message.tally);
    assert_eq!(totals.tokens, tallies.map(|tally| tally.tokens).sum::<u64>());
    assert_eq!(store.repair(key, Repair::Check).await.unwrap().differences, []);
    messages.iter().map(|message| message.seq.get()).collect()
}

#[tokio::test]
async fn a_server_without_memory_takes_all_of_a_batch_or_nothing() {
    let server = full_server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let batch = |id: Option<usize>| {
        let messages = (0..10).map(|place| {
            let message = sample::user("x".repeat(2000), Tally::estimated(5));
            match id {
                Some(id) => sample::with_id(message, &format!("{id} {place}")),
                None => message,
            }
        });
        sample::batch(&counter, messages)
    };
    let (mut written, mut refusals) = (0, 0);
    for attempt in 0..1000_usize {
        match store.append(&key(), batch((attempt % 2 == 1).then_some(attempt))).await {
            Ok(_) => written += 10,
            Err(error) => {
                let cause = error.source().and_then(|source| source.downcast_ref());
                let is_told =
                    matches!(cause, Some(PoolError::Server { code, .. }) if code == "OOM");
                assert!(is_told && !error.is_outcome_unknown(), "{error:?}");
                refusals += 1;
            }
        }
        if refusals == 20 {
            break;
        }
    }
    assert!(written > 0 && refusals == 20, "{written} written, {refusals} refused");
    assert_eq!(sound(&store, &key(), &counter).await, (1..=written).collect::<Vec<u64>>());
    let epoch = store.totals(&key()).await.unwrap().epoch.unwrap();
    let before = Seq::FIRST.plus(written - 20);
    let trimmed = store.trim(&key(), Trim { epoch, before }).await.unwrap();
    assert_eq!(trimmed.removed, written - 20, "a trim frees memory where there is none left");
    store.append(&key(), batch(None)).await.unwrap();
}

fn settlement(message: &StoredMessage) -> Settlement {
    let StoredMessage { seq, fingerprint, tally: expected, .. } = *message;
    Settlement { seq, fingerprint, expected, tally: Tally::exact(3) }
}

#[tokio::test]
async fn what_waits_is_claimed_settled_and_dropped_without_memory() {
    let server = full_server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let keys: Vec<_> = (0..CONVERSATIONS).map(|number| key_of(&format!("{number}"))).collect();
    for key in &keys {
        let messages = [1, 2].map(|_| sample::user("hello", Tally::estimated(5)));
        store.append(key, sample::batch(&counter, messages)).await.unwrap();
    }
    let large = || sample::batch(&counter, [sample::user("x".repeat(8000), Tally::exact(5))]);
    let mut filled = 0;
    while store.append(&key(), large()).await.is_ok() {
        filled += 1;
    }
    // What an expiry or a client that left gives back is taken too.
    let small = || sample::batch(&counter, [sample::user("x", Tally::exact(5))]);
    while store.append(&key(), small()).await.is_ok() {
        filled += 1;
    }
    assert!(filled > 10, "{filled}");
    let claim = || sample::claim(&counter, Duration::from_hours(1), 1000);
    let claimed = store.claim_pending(claim()).await.unwrap();
    assert_eq!(claimed.conversations.len(), CONVERSATIONS, "no index is lost");
    for given in claimed.conversations {
        let settlements = given.messages.iter().map(settlement).collect();
        let settle = Settle { counter: counter.clone(), epoch: given.epoch, settlements };
        let settled = store.settle(&given.key, settle).await.unwrap();
        assert_eq!((settled.applied, settled.totals.pending), (2, 0));
    }
    let pending = store.pending(&Namespace::default(), Backlog::Pending, 1000).await.unwrap();
    assert_eq!(pending, []);
    for key in &keys {
        assert_eq!(sound(&store, key, &counter).await, [1, 2]);
    }
    assert_eq!(store.drop_newest(&keys[0], 1).await.unwrap().removed, 1);
    store.set_counter(&keys[0], &counter).await.unwrap();
    assert_eq!(store.clear(&keys[1]).await.unwrap().removed, 2);
    assert_eq!(sound(&store, &keys[0], &counter).await, [1]);
}
