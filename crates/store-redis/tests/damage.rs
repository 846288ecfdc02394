//! What happens when keys vanish or change, and how repair mends it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use memory_core::{
    ConversationId, ConversationKey, CounterId, MemoryStore, MemoryStoreExt, Namespace, PageQuery,
    Repair, Seq, StoreError, Tally, Trim, WindowQuery,
};
use memory_testkit::sample;
use redis_testkit::RedisServer;
use store_redis::RedisStore;
use support::{server, store};

fn key() -> ConversationKey {
    ConversationKey::new(Namespace::default(), ConversationId::new("one").unwrap())
}

/// The key of the conversation with this letter.
async fn stored(server: &RedisServer, letter: char) -> String {
    let pattern = format!("*{{???}}{letter}7:*");
    let keys = server.command(&["KEYS", &pattern]).await.unwrap();
    assert_eq!(keys.array().len(), 1, "{pattern}");
    keys.array()[0].text().unwrap().to_owned()
}

async fn append(store: &RedisStore, counter: &CounterId) -> Result<u64, StoreError> {
    let batch = sample::batch(counter, [sample::user("hello", Tally::estimated(5))]);
    Ok(store.append(&key(), batch).await?.messages[0].seq.get())
}

/// Checks that sums and messages agree, and returns the seqs.
async fn sound(store: &RedisStore, counter: &CounterId) -> Vec<u64> {
    let (_, messages) = store.read_all(&key(), counter).await.unwrap();
    let totals = store.totals_under(&key(), counter).await.unwrap();
    let tokens: u64 =
        messages.iter().filter_map(|message| message.tally).map(|tally| tally.tokens).sum();
    assert_eq!((totals.messages, totals.tokens), (messages.len() as u64, tokens));
    let report = store.repair(&key(), Repair::Check).await.unwrap();
    assert_eq!(report.differences, []);
    messages.iter().map(|message| message.seq.get()).collect()
}

/// Each operation names the conversation and refuses.
async fn refused(store: &RedisStore, counter: &CounterId, what: &str) {
    let page = PageQuery { counter: counter.clone(), after: None, limit: 10 };
    let window = WindowQuery { counter: counter.clone(), budget: 100 };
    let trim = Trim { epoch: sample::epoch(), before: Seq::FIRST.plus(3) };
    for (operation, error) in [
        ("append", append(store, counter).await.err()),
        ("append again", append(store, counter).await.err()),
        ("page", store.page(&key(), page).await.err()),
        ("window", store.read_window(&key(), window).await.err()),
        ("totals", store.totals(&key()).await.err()),
        ("trim", store.trim(&key(), trim).await.err()),
        ("drop", store.drop_newest(&key(), 1).await.err()),
        ("counter", store.set_counter(&key(), counter).await.err()),
    ] {
        let is_damage =
            matches!(&error, Some(StoreError::DamagedConversation { key: of, .. }) if *of == key());
        assert!(is_damage, "{operation} with {what}: {error:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_gone_or_replaced_is_named_refused_and_mended() {
    let server = server().await;
    for letter in ['m', 't', 'p'] {
        for replaced in [false, true] {
            let what = format!("{letter}, replaced: {replaced}");
            server.command(&["FLUSHALL"]).await.unwrap();
            let (store, counter) = (store(&server).await, sample::counter("words"));
            for _ in 0..5 {
                append(&store, &counter).await.unwrap();
            }
            let damaged = stored(&server, letter).await;
            server.command(&["DEL", &damaged]).await.unwrap();
            if replaced {
                server.command(&["SET", &damaged, "something else"]).await.unwrap();
            }
            refused(&store, &counter, &what).await;
            let report = store.repair(&key(), Repair::Check).await.unwrap();
            assert!(!report.differences.is_empty() && !report.mended, "{what}");
            let report = store.repair(&key(), Repair::Mend).await.unwrap();
            assert!(!report.differences.is_empty() && report.mended, "{what}");
            sound(&store, &counter).await;
            let next = append(&store, &counter).await.unwrap();
            append(&store, &counter).await.unwrap();
            let seqs = sound(&store, &counter).await;
            assert!(seqs.ends_with(&[next, next + 1]), "{what}: {seqs:?}");
        }
    }
}

#[tokio::test]
async fn a_changed_number_is_found_and_mended() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    for _ in 0..5 {
        append(&store, &counter).await.unwrap();
    }
    let meta = stored(&server, 'm').await;
    let fields = server.command(&["HKEYS", &meta]).await.unwrap();
    let fields: Vec<_> =
        fields.array().iter().map(|field| field.text().unwrap().to_owned()).collect();
    assert!(fields.len() >= 6, "{fields:?}");
    for field in fields.iter().filter(|field| !["e", "a"].contains(&field.as_str())) {
        server.command(&["HINCRBY", &meta, field, "3"]).await.unwrap();
        let found = store.repair(&key(), Repair::Check).await.unwrap();
        assert!(!found.differences.is_empty(), "{field}");
        assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
        assert_eq!(sound(&store, &counter).await, [1, 2, 3, 4, 5], "{field}");
    }
    let index =
        meta.split('m').next().map(|_| ()).map(|()| meta.replace("m7:defaultone", "x")).unwrap();
    assert_eq!(server.command(&["DEL", &index]).await.unwrap().integer(), Some(1), "{index}");
    assert_eq!(store.repair(&key(), Repair::Check).await.unwrap().differences.len(), 1);
    assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
    let pending = store.pending(&Namespace::default(), memory_core::Backlog::Pending, 10).await;
    assert_eq!(pending.unwrap().len(), 1);
}

#[tokio::test]
async fn all_keys_gone_together_are_a_new_life() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    append(&store, &counter).await.unwrap();
    append(&store, &counter).await.unwrap();
    let before = store.totals(&key()).await.unwrap().epoch;
    for letter in ['m', 't', 'p'] {
        let key = stored(&server, letter).await;
        server.command(&["DEL", &key]).await.unwrap();
    }
    assert_eq!(append(&store, &counter).await.unwrap(), 1);
    assert_ne!(store.totals(&key()).await.unwrap().epoch, before);
    sound(&store, &counter).await;
}

#[tokio::test]
async fn a_server_without_memory_takes_all_of_a_batch_or_nothing() {
    let server = RedisServer::builder().max_memory(4 << 20, "noeviction").start().await.unwrap();
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
                assert!(!error.is_outcome_unknown(), "{error:?}");
                refusals += 1;
            }
        }
        if refusals == 20 {
            break;
        }
    }
    assert!(written > 0 && refusals == 20, "{written} written, {refusals} refused");
    assert_eq!(sound(&store, &counter).await, (1..=written).collect::<Vec<u64>>());
}
