//! What the server sees of an append, a window and a settle: one round trip each.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use memory_core::{
    ConversationId, ConversationKey, CounterId, MemoryStore, MemoryStoreExt, Namespace, Seq,
    Settle, Settlement, Tally, Trim, WindowQuery,
};
use memory_testkit::sample;
use redis_testkit::{FaultProxy, RedisServer};
use store_redis::{RedisStore, RedisStoreError};
use support::{builder, pool, server, store};

fn key() -> ConversationKey {
    ConversationKey::new(Namespace::default(), ConversationId::new("one").unwrap())
}

/// How often the server ran each command since the last reset, but for those of the tests.
async fn commands(server: &RedisServer) -> BTreeMap<String, u64> {
    let stats = server.command_stats().await.unwrap();
    let stats = stats.into_iter().map(|(name, stats)| (name, stats.calls));
    stats
        .filter(|(name, calls)| *calls > 0 && name != "config|resetstat" && name != "info")
        .collect()
}

fn map(commands: &[(&str, u64)]) -> BTreeMap<String, u64> {
    commands.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect()
}

fn query(counter: &CounterId, budget: u64) -> WindowQuery {
    WindowQuery { counter: counter.clone(), budget }
}

#[tokio::test]
async fn an_append_is_one_transaction() {
    let server = server().await;
    let store = store(&server).await;
    let counter = sample::counter("words");
    let batch = |tally| sample::batch(&counter, (0..3).map(|_| sample::user("hello", tally)));
    store.append(&key(), batch(Tally::exact(5))).await.unwrap();
    // A grace is nothing to what is counted.
    let with_grace =
        |tally| memory_core::Append { grace: std::time::Duration::from_secs(10), ..batch(tally) };
    server.reset_stats().await.unwrap();
    store.append(&key(), with_grace(Tally::exact(5))).await.unwrap();
    let plain =
        [("exec", 1), ("hincrby", 3), ("hmget", 1), ("hsetnx", 1), ("multi", 1), ("rpush", 2)];
    assert_eq!(commands(&server).await, map(&plain));
    server.reset_stats().await.unwrap();
    store.append(&key(), batch(Tally::estimated(5))).await.unwrap();
    let mut pending = map(&plain);
    pending.extend(map(&[("hincrby", 4), ("zadd", 1)]));
    assert_eq!(commands(&server).await, pending);
    server.reset_stats().await.unwrap();
    store.append(&key(), with_grace(Tally::estimated(5))).await.unwrap();
    pending.extend(map(&[("time", 1)]));
    assert_eq!(commands(&server).await, pending);
}

#[tokio::test]
async fn an_append_with_an_id_is_one_script() {
    let server = server().await;
    let store = store(&server).await;
    let counter = sample::counter("words");
    for (id, new) in [("a", true), ("b", true), ("b", false)] {
        let message = sample::with_id(sample::user("hello", Tally::exact(5)), id);
        server.reset_stats().await.unwrap();
        let appended = store.append(&key(), sample::batch(&counter, [message])).await.unwrap();
        assert_eq!(appended.messages[0].new, new, "{id}");
        let seen = commands(&server).await;
        // The first is when the script is unknown, and the counter's code too.
        let once = id == "a" || seen.get("evalsha") == Some(&1);
        assert!(once && !seen.contains_key("multi"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_window_is_one_transaction_of_reads_however_long_the_history() {
    let server = server().await;
    let store = store(&server).await;
    let counter = sample::counter("words");
    let system = sample::message(&memory_core::Message::system("brief"), Tally::exact(3));
    store.append(&key(), sample::batch(&counter, [system])).await.unwrap();
    for length in [100, 1000, 1000] {
        let messages = (0..length).map(|_| sample::user("x".repeat(150), Tally::exact(50)));
        store.append(&key(), sample::batch(&counter, messages)).await.unwrap();
        store.read_window(&key(), query(&counter, 4000)).await.unwrap();
        server.reset_stats().await.unwrap();
        let window = store.read_window(&key(), query(&counter, 4000)).await.unwrap();
        assert_eq!((window.head.len(), window.tail.len()), (1, 80));
        let reads =
            [("exec", 1), ("hget", 1), ("hmget", 1), ("llen", 2), ("lrange", 4), ("multi", 1)];
        assert_eq!(commands(&server).await, map(&reads));
    }
}

#[tokio::test]
async fn the_first_window_of_a_process_is_one_too_where_payloads_are_small() {
    let server = server().await;
    let counter = sample::counter("words");
    let messages = (0..1000).map(|_| sample::user("x".repeat(150), Tally::exact(50)));
    let first = store(&server).await;
    first.append(&key(), sample::batch(&counter, messages)).await.unwrap();
    let other = ConversationKey { id: ConversationId::new("other").unwrap(), ..key() };
    let second = store(&server).await;
    // Makes the script known, and the counter.
    second.read_window(&other, query(&counter, 1)).await.unwrap();
    second.append(&other, sample::batch(&counter, [])).await.unwrap();
    server.command(&["SCRIPT", "LOAD", include_str!("../src/scripts/payloads.lua")]).await.unwrap();
    server.reset_stats().await.unwrap();
    let window = second.read_window(&key(), query(&counter, 2000)).await.unwrap();
    assert_eq!(window.tail.len(), 41);
    let seen = commands(&server).await;
    assert_eq!((seen["multi"], seen["exec"], seen["evalsha"]), (1, 1, 1), "{seen:?}");
}

#[tokio::test]
async fn a_settle_of_many_is_one_script() {
    let server = server().await;
    let store = store(&server).await;
    let counter = sample::counter("words");
    let messages = (0..20).map(|_| sample::user("hello", Tally::estimated(5)));
    let appended = store.append(&key(), sample::batch(&counter, messages)).await.unwrap();
    let settlements = appended.messages.iter().map(|message| Settlement {
        seq: message.seq,
        fingerprint: message.fingerprint.unwrap(),
        expected: message.tally,
        tally: Tally::exact(6),
    });
    let settle = Settle { counter, epoch: appended.epoch, settlements: settlements.collect() };
    // The first makes the script known.
    store.settle(&key(), Settle { settlements: Vec::new(), ..settle.clone() }).await.unwrap();
    server.reset_stats().await.unwrap();
    assert_eq!(store.settle(&key(), settle).await.unwrap().applied, 20);
    let seen = commands(&server).await;
    assert_eq!(seen.get("evalsha"), Some(&1));
    assert!(!seen.contains_key("multi") && !seen.contains_key("eval"), "{seen:?}");
}

/// A store whose connections go through a proxy.
async fn through(proxy: &FaultProxy) -> RedisStore {
    let pool = pool(&format!("redis://{}/0", proxy.address())).await;
    RedisStore::builder(pool).connect().await.unwrap()
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_not_sent_again() {
    let server = server().await;
    let proxy = FaultProxy::start(server.address()).unwrap();
    let store = through(&proxy).await;
    let counter = sample::counter("words");
    let batch = || sample::batch(&counter, [sample::user("hello", Tally::exact(5))]);
    store.append(&key(), batch()).await.unwrap();
    proxy.cut_reply(0, redis_testkit::End::Reset);
    let error = store.append(&key(), batch()).await.unwrap_err();
    assert!(error.is_outcome_unknown() && !error.is_retryable(), "{error:?}");
    assert_eq!(store.totals(&key()).await.unwrap().messages, 2, "it was done, once");
}

#[tokio::test]
async fn an_append_with_ids_is_done_once_wherever_its_answer_is_cut() {
    let server = server().await;
    let proxy = FaultProxy::start(server.address()).unwrap();
    let store = through(&proxy).await;
    let counter = sample::counter("words");
    // Gives the counter its code, which is not what is cut here.
    store.append(&key(), sample::batch(&counter, [])).await.unwrap();
    for cut in 0..90_u64 {
        let id = format!("id {cut}");
        let message = sample::with_id(sample::user(&*id, Tally::estimated(5)), &id);
        proxy.cut_reply(cut, redis_testkit::End::Reset);
        let appended = store.append(&key(), sample::batch(&counter, [message])).await.unwrap();
        proxy.spare_reply();
        let [message] = appended.messages.as_slice() else { panic!("{appended:?}") };
        assert_eq!((message.seq.get(), message.new), (cut + 1, true), "cut after {cut} bytes");
    }
    let totals = store.totals(&key()).await.unwrap();
    assert_eq!((totals.messages, totals.counters[0].totals.pending), (90, 90));
    let report = store.repair(&key(), memory_core::Repair::Check).await.unwrap();
    assert_eq!(report.differences, []);
}

#[tokio::test]
async fn an_append_that_is_sent_again_to_a_server_that_lost_the_first_begins_another_life() {
    let (full, empty) = (server().await, server().await);
    let proxy = FaultProxy::start(full.address()).unwrap();
    let store = through(&proxy).await;
    let counter = sample::counter("words");
    // Makes the script known, so that the reply that is cut is the append's.
    store.append(&key(), sample::batch(&counter, [])).await.unwrap();
    assert_eq!(proxy.log().open, 1, "no connection is left that leads to the first");
    proxy.set_target(empty.address());
    proxy.cut_reply(0, redis_testkit::End::Reset);
    let message = sample::with_id(sample::user("hello", Tally::exact(5)), "id");
    let appended = store.append(&key(), sample::batch(&counter, [message])).await.unwrap();
    assert_eq!((appended.messages[0].seq, appended.messages[0].new), (Seq::FIRST, true));
    let life = async |server: &RedisServer| {
        let direct = support::store(server).await;
        let (epoch, messages) = direct.read_all(&key(), &counter).await.unwrap();
        assert_eq!(messages.len(), 1);
        epoch.unwrap()
    };
    let (lost, begun) = (life(&full).await, life(&empty).await);
    assert_eq!(appended.epoch, begun);
    assert_ne!(lost, begun, "the same seq of the same epoch is another message");
}

#[tokio::test]
async fn an_append_is_sent_again_until_its_server_writes() {
    let (former, next) = (server().await, server().await);
    let proxy = FaultProxy::start(former.address()).unwrap();
    let store = through(&proxy).await;
    let (key, counter) = (key(), sample::counter("words"));
    store.append(&key, sample::batch(&counter, [])).await.unwrap();
    // A replica that nobody has told to write yet, and that has lost its master.
    next.command(&["REPLICAOF", "127.0.0.1", "1"]).await.unwrap();
    proxy.set_target(next.address());
    proxy.cut_reply(0, redis_testkit::End::Reset);
    let message = sample::with_id(sample::user("hello", Tally::exact(5)), "id");
    let append = store.append(&key, sample::batch(&counter, [message]));
    let take_over = async {
        while !next.info("errorstats").await.unwrap().contains_key("errorstat_READONLY") {
            tokio::task::yield_now().await;
        }
        next.command(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    };
    let (appended, ()) = tokio::join!(append, take_over);
    let [message] = &appended.unwrap().messages[..] else { panic!("one message has one answer") };
    assert_eq!((message.seq, message.new), (Seq::FIRST, true));
    let direct = support::store(&next).await;
    assert_eq!(direct.totals(&key).await.unwrap().messages, 1);
}

#[tokio::test]
async fn what_was_written_in_another_format_is_refused() {
    let server = server().await;
    store(&server).await;
    server.command(&["HSET", "turnledger:schema", "format", "2"]).await.unwrap();
    let error = builder(&server).await.connect().await.unwrap_err().to_string();
    assert!(error.contains("format 2") && error.contains("reads format 1"), "{error}");
    server.command(&["DEL", "turnledger:schema"]).await.unwrap();
    server.command(&["SET", "turnledger:schema", "x"]).await.unwrap();
    assert!(builder(&server).await.connect().await.is_err());
    let braces = builder(&server).await.prefix("{x}").connect().await.unwrap_err();
    assert!(std::error::Error::source(&braces).unwrap().to_string().contains("brace"));
}

#[tokio::test]
async fn a_trim_gives_space_back_in_small_steps() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    // At least one message stays, and a step frees at most 1,000 and 8 MiB.
    for (id, bytes, messages, steps) in [("small", 10, 5000_u64, 5), ("large", 100_000, 200, 4)] {
        let key = ConversationKey { id: ConversationId::new(id).unwrap(), ..key() };
        let message = || sample::user("x".repeat(bytes), Tally::exact(5));
        let mut epoch = None;
        for _ in 0..messages / 100 {
            let batch = sample::batch(&counter, (0..100).map(|_| message()));
            epoch = Some(store.append(&key, batch).await.unwrap().epoch);
        }
        server.reset_stats().await.unwrap();
        let before = Seq::FIRST.plus(messages);
        let trim = Trim { epoch: epoch.unwrap(), before };
        assert_eq!(store.trim(&key, trim).await.unwrap().removed, messages);
        // A step shortens two lists.
        assert_eq!(commands(&server).await["ltrim"], 2 * steps, "{id}");
        let lists = server.command(&["KEYS", "turnledger:{*}[tp]*"]).await.unwrap();
        for list in lists.array().iter().filter_map(|list| list.text()) {
            let left = server.command(&["LLEN", list]).await.unwrap().integer();
            assert_eq!(left, Some(1), "{list}");
        }
    }
}

/// A server that says what it is, and can do nothing else.
fn server_that_says(about: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(&stream?, about));
        }
    });
    address
}

fn serve(mut stream: &TcpStream, about: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(count) = lines.next() {
        let count = count?[1..].parse().unwrap();
        // Before each word stands its length.
        let words: Vec<String> =
            (0..count).map_while(|_| lines.nth(1)).collect::<Result<_, _>>()?;
        let answer = match words[0].as_str() {
            "PING" => "+PONG\r\n".to_owned(),
            "INFO" => format!("${}\r\n{about}\r\n", about.len()),
            _ => "-ERR unknown command\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let check = async |about, expected: Option<&str>| {
        let pool = pool(&format!("redis://{}", server_that_says(about))).await;
        let error = RedisStore::builder(pool).connect().await.unwrap_err();
        let found = match error.source().and_then(|source| source.downcast_ref()) {
            Some(refused @ RedisStoreError::Version { found }) => {
                let text = refused.to_string();
                assert!(text.contains(found) && text.contains("7.0 or later"), "{text}");
                Some(found.as_str())
            }
            _ => None,
        };
        assert_eq!(found, expected, "{about}: {error:?}");
    };
    check("# Server\r\nredis_version:6.2.14\r\n", Some("6.2.14")).await;
    check("redis_version:5.0.7\r\n", Some("5.0.7")).await;
    check("redis_version:unstable\r\n", Some("unstable")).await;
    // What is wrong with these is something else.
    check("redis_version:7.0.0\r\n", None).await;
    check("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:7.2.5\r\n", None).await;
}

#[tokio::test]
async fn a_window_reads_no_more_of_the_old_end_than_the_head() {
    let server = server().await;
    let (store, counter) = (store(&server).await, sample::counter("words"));
    let system = || sample::message(&memory_core::Message::system("brief"), Tally::exact(3));
    let lines = (0..9).map(|_| system());
    store.append(&key(), sample::batch(&counter, lines)).await.unwrap();
    for _ in 0..24 {
        let large = sample::user("x".repeat(500_000), Tally::exact(50));
        store.append(&key(), sample::batch(&counter, [large])).await.unwrap();
    }
    let small = (0..20).map(|_| sample::user("small", Tally::exact(50)));
    store.append(&key(), sample::batch(&counter, small)).await.unwrap();
    let sent = async || {
        let stats = server.info("stats").await.unwrap();
        stats["total_net_output_bytes"].parse::<u64>().unwrap()
    };
    let before = sent().await;
    let window = store.read_window(&key(), query(&counter, 227)).await.unwrap();
    assert_eq!(window.head.len(), 9);
    let bytes = sent().await - before;
    assert!(bytes < 1_000_000, "{bytes}");
}
