//! A server that stands still holds nobody for longer than the settings say.

use std::time::Duration;

use cache_redis::{PoolError, RedisSettings, WaitingFor};
use redis_testkit::RedisServer;

use crate::support::{WAYS, Way, pool, run, settings, text, warm_up, within};

/// Short bounds, as a frozen server is met with, and long enough for one that goes on.
fn impatient(server: &RedisServer) -> RedisSettings {
    let mut settings = settings(&server.url());
    settings.pool.timeout = Duration::from_secs(4);
    settings.pool.connect_timeout = Duration::from_secs(3);
    settings.pool.response_timeout = Duration::from_secs(3);
    settings
}

#[tokio::test]
async fn new_connections_are_given_up_at_the_deadline() {
    let server = RedisServer::builder().start().await.unwrap();
    let pool = pool(impatient(&server)).await;
    // The system accepts connections for it; nobody answers on them.
    server.pause().unwrap();
    let callers: Vec<_> = (0..40)
        .map(|number| {
            let (pool, way) = (pool.clone(), WAYS[number % 2]);
            tokio::spawn(async move { run(&pool, way, &["PING"]).await })
        })
        .collect();
    for caller in callers {
        match within(caller).await.unwrap().unwrap_err() {
            PoolError::WaitTimedOut(error) => {
                let shown = error.to_string();
                assert!(shown.contains("size 10") && shown.contains("redis.pool."), "{shown}");
            }
            error => panic!("{error:?}"),
        }
    }
    server.resume().unwrap();
    for way in WAYS {
        assert_eq!(text(&pool, way, &["ECHO", "back"]).await, "back");
    }
}

#[tokio::test]
async fn commands_in_flight_end_at_the_response_timeout_and_say_what_is_not_known() {
    for way in WAYS {
        let server = RedisServer::builder().start().await.unwrap();
        let pool = pool(impatient(&server)).await;
        warm_up(&pool, 4).await;
        server.pause().unwrap();
        let read = within(run(&pool, way, &["GET", "key"])).await.unwrap_err();
        assert!(matches!(read, PoolError::ResponseTimedOut { .. }), "{way:?} {read:?}");
        assert!(read.is_retryable() && !read.is_outcome_unknown());
        // What begins after that is given none of the connections that do not answer.
        let waited = within(run(&pool, way, &["SET", "key", "value"])).await.unwrap_err();
        let PoolError::WaitTimedOut(waited) = waited else { panic!("{way:?} {waited:?}") };
        assert_eq!(waited.waiting_for, WaitingFor::Connection);
        server.resume().unwrap();
        assert_eq!(text(&pool, way, &["ECHO", "back"]).await, "back");
    }
}

#[tokio::test]
async fn a_write_that_was_not_answered_says_that_its_outcome_is_not_known() {
    for way in WAYS {
        let server = RedisServer::builder().start().await.unwrap();
        let pool = pool(impatient(&server)).await;
        warm_up(&pool, 1).await;
        server.pause().unwrap();
        let write = within(run(&pool, way, &["SET", "key", "value"])).await.unwrap_err();
        assert!(matches!(write, PoolError::ResponseTimedOut { .. }), "{way:?} {write:?}");
        assert!(write.is_outcome_unknown(), "{write}");
        server.resume().unwrap();
        // It was sent, and so it is done in the end.
        assert_eq!(text(&pool, Way::Lane, &["GET", "key"]).await, "value");
    }
}
