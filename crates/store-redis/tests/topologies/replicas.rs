//! Appends that wait for replicas.

use std::sync::Arc;

use memory_core::{MemoryStore, Tally};
use memory_testkit::sample;
use redis_testkit::{RedisServer, Sentinels};

use crate::load::{Load, key};
use crate::servers;

async fn sentinels() -> Sentinels {
    servers::sentinels(RedisServer::builder()).await
}

/// How many messages a server has.
async fn stored(server: &RedisServer) -> i64 {
    let keys = server.command(&["KEYS", "turnledger:{*}p*"]).await.unwrap();
    let [key] = keys.array() else { return 0 };
    server.command(&["LLEN", key.text().unwrap()]).await.unwrap().integer().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_have_what_was_acknowledged() {
    let sentinels = sentinels().await;
    let store = servers::builder(&sentinels, &[]).await.wait_replicas(1).connect().await.unwrap();
    let counter = sample::counter("words");
    let user = || sample::user("hello", Tally::estimated(5));
    for number in 1..=20 {
        let message = match number % 2 {
            0 => user(),
            _ => sample::with_id(user(), &number.to_string()),
        };
        store.append(&key(0), sample::batch(&counter, [message])).await.unwrap();
        assert_eq!(stored(&sentinels.servers()[1]).await, number, "on the replica");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_replicas_than_asked_for_leave_the_outcome_open() {
    let sentinels = sentinels().await;
    let short = servers::builder(&sentinels, &[("REDIS_RESPONSE_TIMEOUT", "1s")]).await;
    let error = short.wait_replicas(1).connect().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    let names = ["redis.pool.response_timeout", "store.wait_replicas"];
    assert!(names.iter().all(|name| source.contains(name)), "{source}");
    let store = servers::builder(&sentinels, &[]).await.wait_replicas(2).connect().await.unwrap();
    let counter = sample::counter("words");
    let message = sample::user("hello", Tally::estimated(5));
    let error = store.append(&key(0), sample::batch(&counter, [message])).await.unwrap_err();
    assert!(error.is_outcome_unknown() && !error.is_retryable(), "{error:?}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.starts_with("1 of 2 replicas"), "{source}");
    assert_eq!(store.totals(&key(0)).await.unwrap().messages, 1, "it is there, once");
    // One that may be repeated is, in vain.
    let message = sample::with_id(sample::user("hello", Tally::estimated(5)), "id");
    let error = store.append(&key(0), sample::batch(&counter, [message])).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert_eq!(store.totals(&key(0)).await.unwrap().messages, 2, "it is there, once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_the_only_replica_has_is_lost_with_its_master() {
    let sentinels = sentinels().await;
    let open = async || {
        let builder = servers::builder(&sentinels, &[]).await.wait_replicas(1);
        Arc::new(builder.connect().await.unwrap())
    };
    let stores = [open().await, open().await];
    let load = Load::start(&stores);
    load.all_go_on().await;
    let killed = sentinels.master().await.unwrap();
    killed.kill().unwrap();
    sentinels.master_after(killed).await.unwrap();
    // Without it nothing would be acknowledged any more.
    killed.restart().await.unwrap();
    load.all_go_on().await;
    assert_eq!(load.end(&stores[0]).await, 0, "acknowledged messages that are lost");
}
