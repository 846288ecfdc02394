//! Ends that reads put off.

use std::time::Duration;

use memory_core::{CounterId, MemoryStore, MemoryStoreExt, PageQuery, Tally, WindowQuery};
use memory_testkit::sample;
use redis_testkit::RedisServer;
use store_redis::RedisStore;

use crate::load::key;
use crate::servers;

/// When each key of the one conversation ends, and how many scripts were run so far.
async fn ends(server: &RedisServer) -> (Vec<i64>, u64) {
    let keys = server.command(&["KEYS", "turnledger:{*}[mtpi]*"]).await.unwrap();
    let mut ends = Vec::new();
    for key in keys.array() {
        let end = server.command(&["PEXPIRETIME", key.text().unwrap()]).await.unwrap();
        ends.push(end.integer().unwrap());
    }
    let stats = server.command_stats().await.unwrap();
    let scripts = ["eval", "evalsha"].map(|name| stats.get(name).map_or(0, |stats| stats.calls));
    (ends, scripts.iter().sum())
}

async fn window(store: &RedisStore, counter: &CounterId) {
    let query = WindowQuery { counter: counter.clone(), budget: 100 };
    assert_eq!(store.read_window(&key(0), query).await.unwrap().tail.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_put_an_end_off_once_in_a_while() {
    let server = &servers::one().await;
    let ttl = |hours| Some(Duration::from_hours(hours));
    let counter = sample::counter("words");
    let first = servers::builder(server, &[]).await.time_to_live(ttl(1)).connect().await.unwrap();
    let user = || sample::user("hello", Tally::exact(5));
    let messages = [user(), sample::with_id(user(), "id")];
    first.append(&key(0), sample::batch(&counter, messages)).await.unwrap();
    let (begun, scripts) = ends(server).await;
    assert_eq!(begun.len(), 4);
    window(&first, &counter).await;
    assert_eq!(ends(server).await, (begun.clone(), scripts), "where it is not asked for");
    // Of a day more than a quarter has gone, where an hour is left.
    for (is_page, hours) in [(false, 24), (true, 24 * 30)] {
        let builder =
            servers::builder(server, &[]).await.time_to_live(ttl(hours)).refresh_on_read(true);
        let store = builder.connect().await.unwrap();
        let (before, _) = ends(server).await;
        if is_page {
            let page = PageQuery { counter: counter.clone(), after: None, limit: 10 };
            store.page(&key(0), page).await.unwrap();
        } else {
            window(&store, &counter).await;
        }
        let (after, scripts) = ends(server).await;
        assert!(after[0] > before[0] && after.iter().all(|end| *end == after[0]), "{after:?}");
        window(&store, &counter).await;
        store.read_all(&key(0), &counter).await.unwrap();
        assert_eq!(ends(server).await, (after, scripts), "further reads");
    }
    // One that was taken away stays away.
    assert!(first.expire(&key(0), None).await.unwrap());
    let builder = servers::builder(server, &[]).await.time_to_live(ttl(24)).refresh_on_read(true);
    window(&builder.connect().await.unwrap(), &counter).await;
    assert_eq!(ends(server).await.0, [-1; 4]);
}
