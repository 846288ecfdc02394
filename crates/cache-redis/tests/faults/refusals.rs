//! Servers that are there and refuse.

use std::time::Duration;

use cache_redis::{ConnectReason, PoolError, RedisPool};
use redis_testkit::RedisServer;

use crate::support::{FOR_EVER, WAYS, Way, command, pool, run, settings, text, within};

const CANARY: &str = "canary-8d1f";

/// A refusal that comes at once although the pool would wait for ever.
async fn check_refused(pool: &RedisPool, expected: ConnectReason) {
    for way in WAYS {
        let error = within(run(pool, way, &["PING"])).await.unwrap_err();
        let PoolError::Connect(refused) = &error else { panic!("{way:?} {error:?}") };
        assert_eq!(refused.reason(), expected, "{way:?} {error:?}");
        assert!(!error.is_retryable());
        let shown = format!("{error} {error:?} {pool:?}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_at_once() {
    let server = RedisServer::builder().password("right").start().await.unwrap();
    for login in [format!(":{CANARY}@"), format!("nobody:{CANARY}@"), String::new()] {
        let mut settings = settings(&format!("redis://{login}{}/0", server.address()));
        settings.pool.timeout = FOR_EVER;
        assert!(!format!("{settings:?}").contains(CANARY));
        check_refused(&pool(settings).await, ConnectReason::Login).await;
    }
    let right = pool(settings(&server.url())).await;
    assert_eq!(text(&right, Way::Lane, &["ECHO", "in"]).await, "in");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error_at_once() {
    let server = RedisServer::builder().start().await.unwrap();
    let mut settings = settings(&format!("redis://{}/999", server.address()));
    settings.pool.timeout = FOR_EVER;
    check_refused(&pool(settings).await, ConnectReason::Database).await;
}

#[tokio::test]
async fn a_user_works_within_its_rules() {
    let server =
        RedisServer::builder().user("app", CANARY, "~app:* +get +set").start().await.unwrap();
    let pool = pool(settings(&format!("redis://app:{CANARY}@{}/0", server.address()))).await;
    for way in WAYS {
        assert_eq!(text(&pool, way, &["SET", "app:key", "value"]).await, "OK");
        assert_eq!(text(&pool, way, &["GET", "app:key"]).await, "value");
        for words in [&["GET", "other"][..], &["DEL", "app:key"]] {
            let error = within(run(&pool, way, words)).await.unwrap_err();
            assert_eq!(error.server_code(), Some("NOPERM"), "{way:?} {error:?}");
            assert!(!format!("{error} {error:?} {pool:?}").contains(CANARY));
        }
    }
    assert!(server.clients().await.unwrap().iter().all(|client| client.user == "app"));
}

#[tokio::test]
async fn a_server_without_a_place_is_asked_again_until_it_has_one() {
    // One of them is the control connection.
    let server = RedisServer::builder().max_clients(4).start().await.unwrap();
    let mut settings = settings(&server.url());
    settings.pool.timeout = Duration::from_secs(3);
    let small = pool(settings.clone()).await;
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(within(small.get()).await.unwrap());
    }
    for way in WAYS {
        let error = within(run(&small, way, &["PING"])).await.unwrap_err();
        let PoolError::WaitTimedOut(waited) = &error else { panic!("{way:?} {error:?}") };
        let reason = waited.last_failure.as_ref().map(|failure| failure.reason());
        // What the server says may be lost with the connection, which it closes at once.
        assert!(
            matches!(reason, Some(ConnectReason::TooManyClients | ConnectReason::Lost)),
            "{error}"
        );
        assert!(error.is_retryable());
    }
    let rejected = server.info("stats").await.unwrap()["rejected_connections"].clone();
    assert_ne!(rejected, "0");
    let failures = small.snapshot().connect_failures;
    let told = failures.iter().find(|(reason, _)| *reason == "too_many_clients");
    assert!(told.is_some_and(|(_, count)| *count > 0), "{failures:?}");
    // Another pool waits for a place, and gets it when this one lets go.
    settings.pool.timeout = FOR_EVER;
    let patient = pool(settings).await;
    let waiting = {
        let patient = patient.clone();
        tokio::spawn(async move { run(&patient, Way::Lane, &["PING"]).await })
    };
    drop(taken);
    within(small.close()).await.unwrap();
    drop(small);
    within(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_loads_its_data_is_waited_for() {
    let server = RedisServer::builder().slow_loading().start().await.unwrap();
    server.command(&["DEBUG", "POPULATE", "12000", "key", "1024"]).await.unwrap();
    server.command(&["SAVE"]).await.unwrap();
    let mut settings = settings(&server.url());
    let patient = pool(settings.clone()).await;
    settings.pool.timeout = Duration::from_secs(5);
    let short = pool(settings).await;
    server.restart_loading().await.unwrap();
    let waiting: Vec<_> = WAYS
        .into_iter()
        .map(|way| {
            let patient = patient.clone();
            tokio::spawn(async move { run(&patient, way, &["EXISTS", "key:0"]).await })
        })
        .collect();
    for way in WAYS {
        let error = within(run(&short, way, &["PING"])).await.unwrap_err();
        let PoolError::WaitTimedOut(waited) = &error else { panic!("{way:?} {error:?}") };
        let reason = waited.last_failure.as_ref().map(|failure| failure.reason());
        assert_eq!(reason, Some(ConnectReason::Loading), "{error}");
    }
    server.load_quickly().await.unwrap();
    for waiting in waiting {
        let answer = within(waiting).await.unwrap().unwrap();
        assert_eq!(answer, cache_redis::connection::Value::Int(1));
    }
}

#[tokio::test]
async fn a_command_that_the_server_refuses_leaves_the_connection_as_it_is() {
    let server = RedisServer::builder().start().await.unwrap();
    let pool = pool(settings(&server.url())).await;
    let mut exclusive = within(pool.get()).await.unwrap();
    exclusive.run(&command(&["SET", "key", "text"])).await.unwrap();
    let error = exclusive.run(&command(&["INCR", "key"])).await.unwrap_err();
    assert_eq!(error.server_code(), Some("ERR"), "{error:?}");
    drop(exclusive);
    for way in WAYS {
        assert!(within(run(&pool, way, &["INCR", "key"])).await.is_err());
        assert_eq!(text(&pool, way, &["GET", "key"]).await, "text");
    }
    assert_eq!(pool.snapshot().generations, 0);
}
