//! What happens when keys vanish or change, and how repair mends it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use memory_core::{
    ConversationId, ConversationKey, CounterId, Limits, ListQuery, MemoryStore, MemoryStoreExt,
    Namespace, PageQuery, Repair, Seq, StoreError, Tally, Trim, WindowQuery,
};
use memory_testkit::sample;
use redis_testkit::RedisServer;
use store_redis::RedisStore;
use support::{builder, server, store};

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
            // This process knows the conversation, and writes before it looks.
            assert!(append(&store, &counter).await.unwrap_err().is_outcome_unknown(), "{what}");
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
    let index = meta.replace("m7:defaultone", "x");
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

async fn append_as(store: &RedisStore, counter: &CounterId, id: &str) -> (u64, bool) {
    let message = sample::with_id(sample::user(id, Tally::exact(5)), id);
    let appended = store.append(&key(), sample::batch(counter, [message])).await.unwrap();
    (appended.messages[0].seq.get(), appended.messages[0].new)
}

async fn delete(server: &RedisServer, letters: &[char]) {
    for letter in letters {
        let key = stored(server, *letter).await;
        server.command(&["DEL", &key]).await.unwrap();
    }
}

#[tokio::test]
async fn callers_ids_that_are_gone_are_damage_and_mended() {
    for replaced in [false, true] {
        let server = server().await;
        let (store, counter) = (store(&server).await, sample::counter("words"));
        for id in ["a", "b", "c"] {
            append_as(&store, &counter, id).await;
        }
        let ids = stored(&server, 'i').await;
        server.command(&["DEL", &ids]).await.unwrap();
        if replaced {
            server.command(&["SET", &ids, "something else"]).await.unwrap();
        }
        let again = sample::with_id(sample::user("b", Tally::exact(5)), "b");
        let error = store.append(&key(), sample::batch(&counter, [again])).await.unwrap_err();
        assert!(matches!(error, StoreError::DamagedConversation { .. }), "{error:?}");
        let check = store.repair(&key(), Repair::Check).await.unwrap();
        assert!(!check.differences.is_empty() && !check.mended);
        assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
        assert_eq!(append_as(&store, &counter, "b").await, (2, false));
        assert_eq!(append_as(&store, &counter, "d").await, (4, true));
        assert_eq!(sound(&store, &counter).await, [1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn many_ids_and_tallies_are_made_anew() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    for batch in 0..5 {
        let named = |place| {
            let id = format!("{batch} {place}");
            sample::with_id(sample::user(&*id, Tally::exact(5)), &id)
        };
        store.append(&key(), sample::batch(&counter, (0..500).map(named))).await.unwrap();
    }
    delete(&server, &['t', 'i']).await;
    assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
    assert_eq!(sound(&store, &counter).await, (1..=2500).collect::<Vec<_>>());
    assert_eq!(append_as(&store, &counter, "2 7").await, (1008, false));
}

#[tokio::test]
async fn ids_of_an_ended_life_do_not_reach_the_next_one() {
    for is_known in [false, true] {
        let server = server().await;
        let (first, counter) = (store(&server).await, sample::counter("words"));
        append_as(&first, &counter, "old").await;
        delete(&server, &['m', 't', 'p']).await;
        let next = if is_known { first } else { store(&server).await };
        append(&next, &counter).await.unwrap();
        assert_eq!(append_as(&next, &counter, "old").await, (2, true), "known: {is_known}");
        assert_eq!(append_as(&next, &counter, "old").await, (2, false), "known: {is_known}");
        assert_eq!(sound(&next, &counter).await, [1, 2]);
    }
}

#[tokio::test]
async fn ids_that_are_left_alone_are_found_and_taken_away() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    append_as(&store, &counter, "old").await;
    delete(&server, &['m', 't', 'p']).await;
    let report = store.repair(&key(), Repair::Mend).await.unwrap();
    assert!(report.mended && !report.differences.is_empty(), "{report:?}");
    let left = server.command(&["KEYS", "*{*}[mtpi]*"]).await.unwrap();
    assert_eq!(left.array().len(), 0);
}

#[tokio::test]
async fn damage_that_is_found_after_a_write_leaves_the_outcome_open() {
    for letter in ['m', 't', 'p'] {
        for replaced in [false, true] {
            let server = server().await;
            let (store, counter) = (store(&server).await, sample::counter("words"));
            for _ in 0..3 {
                append(&store, &counter).await.unwrap();
            }
            let damaged = stored(&server, letter).await;
            server.command(&["DEL", &damaged]).await.unwrap();
            if replaced {
                server.command(&["SET", &damaged, "something else"]).await.unwrap();
            }
            let error = append(&store, &counter).await.unwrap_err();
            assert!(error.is_outcome_unknown() && !error.is_retryable(), "{letter}: {error:?}");
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains("damaged"), "{source}");
            let error = append(&store, &counter).await.unwrap_err();
            assert!(matches!(error, StoreError::DamagedConversation { .. }), "{letter}: {error:?}");
        }
    }
}

#[tokio::test]
async fn messages_survive_the_loss_of_their_tallies() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let system = sample::message(&memory_core::Message::system("brief"), Tally::exact(3));
    store.append(&key(), sample::batch(&counter, [system])).await.unwrap();
    append_as(&store, &counter, "a").await;
    append(&store, &counter).await.unwrap();
    delete(&server, &['t']).await;
    assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
    assert_eq!(sound(&store, &counter).await, [1, 2, 3]);
    let totals = store.totals_under(&key(), &counter).await.unwrap();
    assert_eq!((totals.pending, totals.complete), (3, false));
    let window = WindowQuery { counter: counter.clone(), budget: 100 };
    let window = store.read_window(&key(), window).await.unwrap();
    assert_eq!((window.head.len(), window.tail.len()), (1, 2));
    assert_eq!(append_as(&store, &counter, "a").await, (2, false));
}

#[tokio::test]
async fn an_element_that_cannot_be_read_is_made_anew() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    for id in ["a", "b", "c"] {
        append_as(&store, &counter, id).await;
    }
    let tallies = stored(&server, 't').await;
    server.command(&["LSET", &tallies, "1", "nonsense"]).await.unwrap();
    assert!(!store.repair(&key(), Repair::Check).await.unwrap().differences.is_empty());
    assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
    assert_eq!(sound(&store, &counter).await, [1, 2, 3]);
    assert_eq!(append_as(&store, &counter, "b").await, (2, false));
}

#[tokio::test]
async fn after_numbers_are_lost_ids_point_to_where_messages_stand() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    for id in ["a", "b", "c", "d"] {
        append_as(&store, &counter, id).await;
    }
    let epoch = store.totals(&key()).await.unwrap().epoch.unwrap();
    store.trim(&key(), Trim { epoch, before: Seq::FIRST.plus(2) }).await.unwrap();
    delete(&server, &['m']).await;
    assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
    assert_eq!(sound(&store, &counter).await, [1, 2]);
    assert_eq!(append_as(&store, &counter, "d").await, (2, false));
    assert_eq!(append_as(&store, &counter, "a").await, (3, true));
    assert_eq!(sound(&store, &counter).await, [1, 2, 3]);
}

#[tokio::test]
async fn an_index_of_another_type_is_made_anew_by_an_append() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    append_as(&store, &counter, "a").await;
    let index = stored(&server, 'm').await.replace("m7:defaultone", "x");
    server.command(&["SET", &index, "something else"]).await.unwrap();
    let message = sample::with_id(sample::user("b", Tally::estimated(5)), "b");
    store.append(&key(), sample::batch(&counter, [message])).await.unwrap();
    assert_eq!(sound(&store, &counter).await, [1, 2]);
}

#[tokio::test]
async fn a_sum_that_is_no_number_stops_an_append_before_it_writes() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    append_as(&store, &counter, "a").await;
    let meta = stored(&server, 'm').await;
    let fields = server.command(&["HKEYS", &meta]).await.unwrap();
    let sum = fields.array().iter().find(|field| field.text().unwrap().starts_with('n')).unwrap();
    server.command(&["HSET", &meta, sum.text().unwrap(), "x"]).await.unwrap();
    let message = sample::with_id(sample::user("b", Tally::exact(5)), "b");
    let error = store.append(&key(), sample::batch(&counter, [message])).await.unwrap_err();
    assert!(matches!(error, StoreError::DamagedConversation { .. }), "{error:?}");
    let payloads = stored(&server, 'p').await;
    assert_eq!(server.command(&["LLEN", &payloads]).await.unwrap().integer(), Some(1));
    assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended);
    assert_eq!(sound(&store, &counter).await, [1]);
}

#[tokio::test]
async fn what_a_trim_has_passed_is_not_needed_for_a_repair() {
    for (has_head, is_interrupted) in [(false, false), (true, false), (false, true), (true, true)] {
        let what = format!("head: {has_head}, interrupted: {is_interrupted}");
        let server = server().await;
        let (store, counter) = (store(&server).await, sample::counter("words"));
        if has_head {
            let system = sample::message(&memory_core::Message::system("brief"), Tally::exact(3));
            store.append(&key(), sample::batch(&counter, [system])).await.unwrap();
        }
        for _ in 0..3 {
            append(&store, &counter).await.unwrap();
        }
        let epoch = store.totals(&key()).await.unwrap().epoch.unwrap();
        store.trim(&key(), Trim { epoch, before: Seq::FIRST.plus(9) }).await.unwrap();
        let next = 4 + u64::from(has_head);
        if is_interrupted {
            // As it stands before any space was given back, with lists that somebody cut.
            let meta = stored(&server, 'm').await;
            let admin = server.command(&["HGET", &meta, "a"]).await.unwrap();
            let (_, rest) = admin.text().unwrap().split_once(' ').unwrap();
            server.command(&["HSET", &meta, "a", &format!("1 {rest}")]).await.unwrap();
        } else {
            delete(&server, &['t', 'p']).await;
        }
        assert!(!store.repair(&key(), Repair::Check).await.unwrap().differences.is_empty());
        assert!(store.repair(&key(), Repair::Mend).await.unwrap().mended, "{what}");
        let head: Vec<u64> = (1..=u64::from(has_head)).collect();
        assert_eq!(sound(&store, &counter).await, head, "{what}");
        assert_eq!(append(&store, &counter).await.unwrap(), next, "{what}");
        assert_eq!(sound(&store, &counter).await, [head, vec![next]].concat(), "{what}");
    }
}

#[tokio::test]
async fn sizes_without_a_limit_are_taken() {
    let server = server().await;
    let limits = Limits { message_bytes: usize::MAX, ..Limits::default() };
    let store = builder(&server).await.limits(limits).connect().await.unwrap();
    let counter = sample::counter("words");
    for id in ["a", "b"] {
        append_as(&store, &counter, id).await;
    }
    assert_eq!(sound(&store, &counter).await, [1, 2]);
}

#[tokio::test]
async fn counters_whose_names_are_lost_are_named_by_their_codes() {
    let server = server().await;
    let (first, counter) = (store(&server).await, sample::counter("words"));
    append(&first, &counter).await.unwrap();
    server.command(&["DEL", "turnledger:counters"]).await.unwrap();
    let next = store(&server).await;
    let totals = next.totals(&key()).await.unwrap();
    assert!(totals.current.unwrap().as_str().starts_with("unknown/"));
    assert_eq!((totals.messages, totals.counters[0].totals.tokens), (1, 5));
    assert_eq!(next.repair(&key(), Repair::Check).await.unwrap().differences, []);
    let query = ListQuery { namespace: Namespace::default(), after: None, limit: 10 };
    assert_eq!(next.list(query).await.unwrap().conversations.len(), 1);
    // Whoever counts with it names it again.
    append(&next, &counter).await.unwrap();
    assert_eq!(sound(&next, &counter).await, [1, 2]);
    assert_eq!(next.totals(&key()).await.unwrap().current, Some(counter));
}
