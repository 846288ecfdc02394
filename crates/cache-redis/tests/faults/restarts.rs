//! A server that dies and comes back, or that ends connections.

use std::time::Duration;

use redis_testkit::{Durability, RedisServer};

use crate::support::{WAYS, pool, run, settings, text, warm_up, within};

/// Runs so many operations one after the other, each way in turn, and returns how many failed.
///
/// After the first failure that was seen, none may fail.
async fn check_operations(pool: &cache_redis::RedisPool, count: usize) -> usize {
    let mut failed = 0;
    for number in 0..count {
        let key = format!("key{number}");
        let answer = within(run(pool, WAYS[number % 2], &["SET", &key, "value"])).await;
        if let Err(error) = answer {
            assert!(error.is_retryable(), "{error:?}");
            failed += 1;
        }
        assert!(failed < 2, "a connection from before the failure was handed out");
    }
    failed
}

#[tokio::test]
async fn after_a_restart_no_dead_connection_is_handed_out_twice() {
    let server = RedisServer::builder().durability(Durability::Always).start().await.unwrap();
    let mut settings = settings(&server.url());
    // More than a caller waits once the server is back, also on a busy machine.
    settings.pool.timeout = Duration::from_secs(10);
    let pool = pool(settings).await;
    for _ in 0..3 {
        warm_up(&pool, 9).await;
        server.kill().unwrap();
        server.restart().await.unwrap();
        check_operations(&pool, 40).await;
    }
}

#[tokio::test]
async fn callers_wait_for_a_server_that_is_down_and_are_served_when_it_is_back() {
    let server = RedisServer::builder().durability(Durability::Always).start().await.unwrap();
    let pool = pool(settings(&server.url())).await;
    warm_up(&pool, 9).await;
    server.kill().unwrap();
    let callers: Vec<_> = (0..100)
        .map(|number| {
            let (pool, way) = (pool.clone(), WAYS[number % 2]);
            tokio::spawn(async move {
                let key = format!("key{number}");
                // The first try may be on a connection whose end has not been seen.
                match run(&pool, way, &["SET", &key, "value"]).await {
                    Err(error) if error.is_retryable() => {
                        run(&pool, way, &["SET", &key, "value"]).await
                    }
                    answer => answer,
                }
            })
        })
        .collect();
    server.restart().await.unwrap();
    for caller in callers {
        within(caller).await.unwrap().unwrap();
    }
    assert_eq!(server.command(&["DBSIZE"]).await.unwrap().integer(), Some(100));
}

#[tokio::test]
async fn connections_that_the_server_closed_are_not_handed_out_twice() {
    let server = RedisServer::builder().start().await.unwrap();
    let pool = pool(settings(&server.url())).await;
    for _ in 0..5 {
        warm_up(&pool, 9).await;
        let killed = server.kill_clients().await.unwrap();
        assert!(killed >= 9, "{killed} of {}", pool.status());
        check_operations(&pool, 40).await;
        assert!(server.sockets().await.unwrap() <= 10);
    }
}

#[tokio::test]
async fn what_was_in_flight_when_the_server_died_is_told_so() {
    for way in WAYS {
        let server = RedisServer::builder().start().await.unwrap();
        let pool = pool(settings(&server.url())).await;
        warm_up(&pool, 1).await;
        server.pause().unwrap();
        let waiting = {
            let pool = pool.clone();
            tokio::spawn(async move { run(&pool, way, &["INCR", "key"]).await })
        };
        // It is sent at the first poll, for it needs no new connection.
        tokio::task::yield_now().await;
        server.kill().unwrap();
        let error = within(waiting).await.unwrap().unwrap_err();
        assert!(error.is_outcome_unknown(), "{way:?} {error:?}");
        server.restart().await.unwrap();
        assert_eq!(text(&pool, way, &["ECHO", "back"]).await, "back");
    }
}
