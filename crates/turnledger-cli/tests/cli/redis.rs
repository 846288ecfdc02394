//! Every command on Redis, beside the same on the embedded store.

use redis_testkit::RedisServer;
use tokio::runtime::Runtime;

use crate::support::{Place, Run, SAMPLE};

/// A server, and what drives it.
struct Redis {
    server: RedisServer,
    _runtime: Runtime,
}

impl Redis {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(RedisServer::builder().start()).unwrap();
        Self { server, _runtime: runtime }
    }

    fn run(&self, place: &Place, words: &[&str]) -> Run {
        place.run(&[&["--store", &self.server.url()], words].concat())
    }
}

#[test]
fn every_command_answers_as_on_the_embedded_store() {
    let (place, redis) = (Place::new(), Redis::start());
    let check = |words: &[&str], code: i32| {
        let embedded = place.on_store(words).exits(code);
        let on_redis = redis.run(&place, words).exits(code);
        assert_eq!(on_redis.stdout, embedded.stdout, "{words:?}");
    };
    let replay = ["replay", SAMPLE, "--json", "--tallies"];
    for _ in 0..2 {
        // The last line has times.
        let embedded = place.on_store(&replay).exits(0).json();
        let on_redis = redis.run(&place, &replay).exits(0).json();
        assert_eq!((embedded.len(), on_redis.len()), (4, 4));
        assert_eq!(on_redis[..3], embedded[..3]);
    }
    check(&["sweep"], 0);
    for conversation in ["danube-tour", "harbour-street-library", "silent-cron-job"] {
        check(&["totals", conversation, "--json"], 0);
        check(&["show", conversation], 0);
        for budget in ["40", "200", "1000", "100000"] {
            let words = ["window", conversation, "--budget", budget, "--json"];
            let embedded = place.on_store(&words);
            let on_redis = redis.run(&place, &words);
            assert_eq!((on_redis.stdout, on_redis.code), (embedded.stdout, embedded.code));
        }
    }
    check(&["list", "--json"], 0);
    check(&["export"], 0);
    check(&["drop-newest", "danube-tour", "2"], 0);
    check(&["append", "danube-tour", "--role", "user", "--content", "again"], 0);
    check(&["totals", "danube-tour", "--json"], 0);
    check(&["clear", "silent-cron-job", "--yes"], 0);
    check(&["totals", "silent-cron-job"], 1);
    check(&["list"], 0);
}

#[test]
fn a_copy_goes_both_ways() {
    let (place, redis) = (Place::new(), Redis::start());
    place.on_store(&["replay", SAMPLE]).exits(0);
    place.on_store(&["copy", "--to", &redis.server.url()]).exits(0);
    redis.run(&place, &["copy", "--to", "file:back.redb"]).exits(0);
    let first = place.on_store(&["export"]).exits(0).stdout;
    assert!(first.contains("danube-tour"));
    assert_eq!(redis.run(&place, &["export"]).exits(0).stdout, first);
    assert_eq!(place.run(&["--store", "file:back.redb", "export"]).exits(0).stdout, first);
}

#[test]
fn two_replays_at_the_same_time_store_every_message_once() {
    let (place, redis) = (Place::new(), Redis::start());
    let url = redis.server.url();
    let words = ["--store", &url, "replay", SAMPLE];
    let both = [place.start(&words), place.start(&words)];
    for replay in both {
        let run = Run::of(&replay.wait_with_output().unwrap()).exits(0);
        run.prints("conversations");
    }
    let once = place.on_store(&["replay", SAMPLE]).exits(0);
    drop(once);
    let expected = place.on_store(&["export"]).exits(0).stdout;
    assert_eq!(redis.run(&place, &["export"]).exits(0).stdout, expected);
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let place = Place::new();
    let variables = [("REDIS_POOL_TIMEOUT", "1s")];
    let words = ["--store", "redis://u:hunter2@127.0.0.1:1/0", "list"];
    let run = place.run_with(&words, "", &variables).exits(1).says("redis://u:***@127.0.0.1:1/0");
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
}
