//! The ledger under concurrency, long trims, expiry and leases, on a real server.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::time::Duration;

use memory_core::{
    ConversationId, ConversationKey, CounterId, MemoryStore, MemoryStoreExt, Namespace, Repair,
    Seq, Settle, Settlement, StoredMessage, Tally, Timestamp, Trim,
};
use memory_testkit::sample;
use redis_testkit::RedisServer;
use store_redis::RedisStore;
use support::{builder, server, store};

fn key(id: &str) -> ConversationKey {
    ConversationKey::new(Namespace::default(), ConversationId::new(id).unwrap())
}

fn settlement(message: &StoredMessage, tally: Tally) -> Settlement {
    let StoredMessage { seq, fingerprint, tally: expected, .. } = *message;
    Settlement { seq, fingerprint, expected, tally }
}

/// Checks that sums and messages agree, and returns the messages.
async fn sound(
    store: &RedisStore,
    key: &ConversationKey,
    counter: &CounterId,
) -> Vec<StoredMessage> {
    let (_, messages) = store.read_all(key, counter).await.unwrap();
    let totals = store.totals_under(key, counter).await.unwrap();
    let tallies = messages.iter().filter_map(|message| message.tally);
    let tokens: u64 = tallies.clone().map(|tally| tally.tokens).sum();
    assert_eq!((totals.messages, totals.tokens), (messages.len() as u64, tokens));
    let pending = messages.len() - tallies.filter(|tally| !tally.is_pending()).count();
    assert_eq!(totals.pending, pending as u64);
    assert_eq!(store.repair(key, Repair::Check).await.unwrap().differences, []);
    messages
}

#[tokio::test]
async fn settlements_that_change_nothing_may_come_again_and_again() {
    let server = server().await;
    let store = store(&server).await;
    let (key, counter) = (key("again"), sample::counter("words"));
    let message = sample::user("hello", Tally::estimated(7));
    let appended = store.append(&key, sample::batch(&counter, [message])).await.unwrap();
    let messages = sound(&store, &key, &counter).await;
    for tally in [Tally::estimated(7), Tally::exact(3)] {
        let settlements = vec![settlement(&messages[0], tally); 6];
        let settle = Settle { counter: counter.clone(), epoch: appended.epoch, settlements };
        store.settle(&key, settle).await.unwrap();
    }
    assert_eq!(sound(&store, &key, &counter).await[0].tally, Some(Tally::exact(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_trim_is_whole_while_others_append_and_settle() {
    let server = server().await;
    let (one, other) = (store(&server).await, store(&server).await);
    let (key, counter) = (key("one"), sample::counter("words"));
    let batch = || (0..1000).map(|_| sample::user("hello", Tally::estimated(7)));
    let mut epoch = None;
    for _ in 0..6 {
        epoch = Some(one.append(&key, sample::batch(&counter, batch())).await.unwrap().epoch);
    }
    let epoch = epoch.unwrap();
    let (_, messages) = one.read_all(&key, &counter).await.unwrap();
    let writer = tokio::spawn({
        let (key, counter) = (key.clone(), counter.clone());
        async move {
            for messages in messages.chunks(100) {
                let counts = messages.iter().map(|message| settlement(message, Tally::exact(3)));
                let settle =
                    Settle { counter: counter.clone(), epoch, settlements: counts.collect() };
                other.settle(&key, settle).await.unwrap();
                let more = [sample::user("more", Tally::estimated(7))];
                other.append(&key, sample::batch(&counter, more)).await.unwrap();
            }
        }
    });
    let trim = Trim { epoch, before: Seq::FIRST.plus(5000) };
    let trimmed = one.trim(&key, trim).await.unwrap();
    assert_eq!((trimmed.removed, trimmed.first.get()), (5000, 5001));
    writer.await.unwrap();
    let messages = sound(&one, &key, &counter).await;
    assert_eq!((messages.len(), messages[0].seq.get()), (1060, 5001));
    let tallies = format!("turnledger:{}", tag_of(&server).await.replace('m', "t"));
    let length = server.command(&["LLEN", &tallies]).await.unwrap().integer();
    assert_eq!(length, Some(1060), "the space of what was trimmed is given back");
}

/// The only meta key, without its prefix.
async fn tag_of(server: &RedisServer) -> String {
    let keys = server.command(&["KEYS", "turnledger:{*}m*"]).await.unwrap();
    keys.array()[0].text().unwrap().trim_start_matches("turnledger:").to_owned()
}

/// When each key of the one conversation ends.
async fn ends(server: &RedisServer) -> Vec<i64> {
    let keys = server.command(&["KEYS", "turnledger:{*}[mtpi]*"]).await.unwrap();
    let mut ends = Vec::new();
    for key in keys.array() {
        let end = server.command(&["PEXPIRETIME", key.text().unwrap()]).await.unwrap();
        ends.push(end.integer().unwrap());
    }
    ends
}

#[tokio::test]
async fn all_keys_of_a_conversation_end_at_one_moment() {
    let server = server().await;
    let builder = builder(&server).await.time_to_live(Some(Duration::from_hours(1)));
    let (store, counter) = (builder.connect().await.unwrap(), sample::counter("words"));
    let key = key("one");
    let check = async |keys: usize, what: &str| {
        let ends = ends(&server).await;
        assert_eq!(ends.len(), keys, "{what}");
        assert!(ends[0] > 0 && ends.iter().all(|end| *end == ends[0]), "{what}: {ends:?}");
    };
    let user = || sample::user("hello", Tally::estimated(5));
    let append =
        async |message| store.append(&key, sample::batch(&counter, [message])).await.unwrap().epoch;
    append(user()).await;
    check(3, "an append that begins a life").await;
    append(user()).await;
    check(3, "a further append").await;
    let epoch = append(sample::with_id(user(), "id")).await;
    check(4, "an append with an id").await;
    store.trim(&key, Trim { epoch, before: Seq::FIRST.plus(100) }).await.unwrap();
    check(4, "a trim of all").await;
    append(user()).await;
    check(4, "an append behind a trim").await;
    store.drop_newest(&key, 100).await.unwrap();
    check(4, "a drop of all").await;
    append(user()).await;
    check(4, "an append after a drop").await;
    let far = Timestamp::from_millis(u64::MAX / 4);
    assert!(store.expire(&key, Some(far)).await.unwrap());
    append(user()).await;
    check(4, "an end that was set").await;
    assert!(store.expire(&key, None).await.unwrap());
    assert!(ends(&server).await.iter().all(|end| *end == -1));
    append(user()).await;
    check(4, "an append after an end was taken back").await;
    // The life ends without this process being told; its next append begins another one.
    let keys = server.command(&["KEYS", "turnledger:{*}[mtpi]*"]).await.unwrap();
    for key in keys.array() {
        server.command(&["DEL", key.text().unwrap()]).await.unwrap();
    }
    append(user()).await;
    check(3, "an append that begins a life unawares").await;
    sound(&store, &key, &counter).await;
}

#[tokio::test]
async fn a_lease_ends_by_the_servers_clock() {
    let server = server().await;
    let processes = [store(&server).await, store(&server).await];
    let counter = sample::counter("words");
    let append = async |id| {
        let message = sample::user("hello", Tally::estimated(5));
        processes[0].append(&key(id), sample::batch(&counter, [message])).await.unwrap();
    };
    let claimed = async |process: usize, lease| {
        let claim = sample::claim(&counter, lease, 10);
        processes[process].claim_pending(claim).await.unwrap().conversations.len()
    };
    let (long, short) = (Duration::from_hours(1), Duration::from_millis(1));
    append("one").await;
    assert_eq!(claimed(0, long).await, 1, "at first");
    assert_eq!(claimed(1, long).await, 0, "within the lease");
    append("another").await;
    assert_eq!(claimed(0, short).await, 1, "the other one");
    // It ends by itself, so that another process gets what a killed one held.
    let ended = async { while claimed(1, long).await == 0 {} };
    tokio::time::timeout(Duration::from_mins(2), ended).await.unwrap();
    assert_eq!(claimed(0, long).await, 0, "within the other process's leases");
}

#[tokio::test]
async fn a_sweep_takes_out_of_the_indexes_what_has_ended() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let message = |text| sample::user(text, Tally::estimated(5));
    for id in ["ended", "stays"] {
        store.append(&key(id), sample::batch(&counter, [message(id)])).await.unwrap();
    }
    let ended = server.command(&["KEYS", "turnledger:{*}*ended"]).await.unwrap();
    for key in ended.array() {
        server.command(&["DEL", key.text().unwrap()]).await.unwrap();
    }
    let members = async || {
        let mut members = 0;
        let indexes = server.command(&["KEYS", "turnledger:{*}x"]).await.unwrap();
        for index in indexes.array() {
            let index = index.text().unwrap();
            members += server.command(&["ZCARD", index]).await.unwrap().integer().unwrap();
        }
        members
    };
    assert_eq!(members().await, 2);
    let claim = sample::claim(&counter, Duration::from_hours(1), 10);
    let claimed = store.claim_pending(claim).await.unwrap();
    assert_eq!(claimed.conversations.len(), 1);
    assert_eq!(members().await, 1);
}

#[tokio::test]
async fn an_append_gives_ids_the_end_that_all_keys_have() {
    let server = server().await;
    let ttl = Some(Duration::from_hours(1));
    let one = builder(&server).await.time_to_live(ttl).connect().await.unwrap();
    let other = builder(&server).await.connect().await.unwrap();
    let (key, counter) = (key("one"), sample::counter("words"));
    let user = || sample::user("hello", Tally::exact(5));
    one.append(&key, sample::batch(&counter, [sample::with_id(user(), "id")])).await.unwrap();
    one.append(&key, sample::batch(&counter, [user()])).await.unwrap();
    assert!(other.expire(&key, None).await.unwrap());
    one.append(&key, sample::batch(&counter, [user()])).await.unwrap();
    let ends = ends(&server).await;
    assert_eq!(ends.len(), 4);
    assert!(ends[0] > 0 && ends.iter().all(|end| *end == ends[0]), "{ends:?}");
}

#[tokio::test]
async fn an_end_of_any_time_keeps_appends_going() {
    let server = server().await;
    let ttl = Some(Duration::from_hours(1));
    let store = builder(&server).await.time_to_live(ttl).connect().await.unwrap();
    let (key, counter) = (key("one"), sample::counter("words"));
    let user = || sample::user("hello", Tally::exact(5));
    store.append(&key, sample::batch(&counter, [user()])).await.unwrap();
    let far = Timestamp::from_millis(u64::MAX);
    assert!(store.expire(&key, Some(far)).await.unwrap());
    store.append(&key, sample::batch(&counter, [sample::with_id(user(), "id")])).await.unwrap();
    assert_eq!(sound(&store, &key, &counter).await.len(), 2);
}

#[tokio::test]
async fn an_append_beside_another_counter_is_told_as_done() {
    let server = server().await;
    let (one, other) = (store(&server).await, store(&server).await);
    let (key, words) = (key("one"), sample::counter("words"));
    let user = || sample::user("hello", Tally::exact(5));
    one.append(&key, sample::batch(&words, [user()])).await.unwrap();
    // The conversation gets as many counters as it can have without this process hearing of it.
    let epoch = loop {
        let counter = sample::counter("other");
        let appended = other.append(&key, sample::batch(&counter, [user()])).await;
        if appended.is_err() {
            break other.totals(&key).await.unwrap().epoch.unwrap();
        }
    };
    let meta = format!("turnledger:{}", tag_of(&server).await);
    let before = other.totals(&key).await.unwrap().messages;
    // No counter is left for `words`, once its own place is another's.
    let admin = server.command(&["HGET", &meta, "e"]).await.unwrap();
    let stored = format!("{}Zzz", &admin.text().unwrap()[..16]);
    server.command(&["HSET", &meta, "e", &stored]).await.unwrap();
    let appended = one.append(&key, sample::batch(&words, [user()])).await.unwrap();
    assert_eq!((appended.epoch, appended.messages[0].seq.get()), (epoch, before + 1));
}

#[tokio::test]
async fn payloads_of_unknown_size_are_not_guessed_at() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let key = key("one");
    let large = || sample::user("x".repeat(200_000), Tally::exact(5));
    store.append(&key, sample::batch(&counter, [large()])).await.unwrap();
    let keys = server.command(&["KEYS", "turnledger:{*}[mtpi]*"]).await.unwrap();
    for key in keys.array() {
        server.command(&["DEL", key.text().unwrap()]).await.unwrap();
    }
    // A life that begins unawares, so that nothing is stored of how large its payloads are.
    store.append(&key, sample::batch(&counter, (0..40).map(|_| large()))).await.unwrap();
    let small = sample::with_id(sample::user("small", Tally::exact(5)), "id");
    store.append(&key, sample::batch(&counter, [small])).await.unwrap();
    let meta = format!("turnledger:{}", tag_of(&server).await);
    let admin = server.command(&["HGET", &meta, "a"]).await.unwrap();
    let largest: u64 = admin.text().unwrap().split(' ').nth(4).unwrap().parse().unwrap();
    assert!(largest >= 200_000, "{largest}");
    assert_eq!(sound(&store, &key, &counter).await.len(), 41);
}

#[tokio::test]
async fn claims_hand_out_all_that_they_lease() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    for number in 0..100 {
        let batch = sample::batch(&counter, [sample::user("hello", Tally::estimated(5))]);
        store.append(&key(&number.to_string()), batch).await.unwrap();
    }
    let claim = sample::claim(&counter, Duration::from_hours(1), 64);
    let first = store.claim_pending(claim.clone()).await.unwrap();
    let second = store.claim_pending(claim.clone()).await.unwrap();
    assert!(first.more && first.conversations.len() == 64, "{}", first.conversations.len());
    let mut keys: Vec<_> = first.conversations.iter().chain(&second.conversations).collect();
    assert!(keys.iter().all(|claimed| claimed.messages.len() == 1 && !claimed.more));
    keys.sort_unstable_by_key(|claimed| &claimed.key);
    keys.dedup_by_key(|claimed| &claimed.key);
    assert_eq!(keys.len(), 100);
    assert_eq!(store.claim_pending(claim).await.unwrap().conversations.len(), 0);
}

#[tokio::test]
async fn an_interrupted_trims_space_is_given_back_by_the_next_one() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let key = key("one");
    let messages = (0..5).map(|_| sample::user("hello", Tally::exact(5)));
    let epoch = store.append(&key, sample::batch(&counter, messages)).await.unwrap().epoch;
    let name = tag_of(&server).await;
    let (meta, tallies) =
        (format!("turnledger:{name}"), format!("turnledger:{}", name.replace('m', "t")));
    let trim = Trim { epoch, before: Seq::FIRST.plus(2) };
    store.trim(&key, trim).await.unwrap();
    // As a trim leaves it that ends before it has given anything back: one more step to go.
    let admin = server.command(&["HGET", &meta, "a"]).await.unwrap();
    let admin = admin.text().unwrap().replacen("3 3", "2 3", 1);
    server.command(&["HSET", &meta, "a", &admin]).await.unwrap();
    for list in [&tallies, &tallies.replacen("}t", "}p", 1)] {
        let first = server.command(&["LINDEX", list, "0"]).await.unwrap();
        server.command(&["LPUSH", list, first.text().unwrap()]).await.unwrap();
    }
    store.trim(&key, trim).await.unwrap();
    assert_eq!(server.command(&["LLEN", &tallies]).await.unwrap().integer(), Some(3));
    assert_eq!(sound(&store, &key, &counter).await.len(), 3);
}

#[tokio::test]
async fn a_batch_of_too_many_bytes_is_refused() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let message = sample::user("x".repeat(1 << 19), Tally::exact(5));
    let messages = |count| vec![message.clone(); count];
    let error =
        store.append(&key("one"), sample::batch(&counter, messages(130))).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("split it") && !error.is_outcome_unknown(), "{source}");
    store.append(&key("one"), sample::batch(&counter, messages(4))).await.unwrap();
    assert_eq!(sound(&store, &key("one"), &counter).await.len(), 4);
}

#[tokio::test]
async fn a_new_life_does_not_wait_for_the_lease_of_the_one_before() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let append = async || {
        let message = sample::user("hello", Tally::estimated(5));
        store.append(&key("one"), sample::batch(&counter, [message])).await.unwrap();
    };
    let claim = || sample::claim(&counter, Duration::from_hours(1), 10);
    append().await;
    assert_eq!(store.claim_pending(claim()).await.unwrap().conversations.len(), 1);
    let keys = server.command(&["KEYS", "turnledger:{*}[mtp]*"]).await.unwrap();
    for key in keys.array() {
        server.command(&["DEL", key.text().unwrap()]).await.unwrap();
    }
    append().await;
    assert_eq!(store.claim_pending(claim()).await.unwrap().conversations.len(), 1);
}
