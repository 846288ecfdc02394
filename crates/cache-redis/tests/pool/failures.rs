//! What a failure does to connections, and how the pool comes back.

use std::time::Duration;

use cache_redis::connection::Value;
use cache_redis::{ConnectReason, PoolError};
use tokio::time::Instant;

use crate::script::{Door, Script, echo, pass, settle};

#[tokio::test(start_paused = true)]
async fn nothing_that_starts_after_a_failure_is_given_an_old_connection() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    let mut taken = Vec::new();
    for _ in 0..10 {
        taken.push(pool.get().await.unwrap());
    }
    pool.lane("a").run(&echo("a")).await.unwrap();
    let mut failing = taken.pop().unwrap();
    drop(taken);
    script.kill_connections();
    let error = failing.run(&echo("b")).await.unwrap_err();
    assert!(matches!(error, PoolError::ConnectionLost { .. }), "{error:?}");
    for _ in 0..20 {
        pool.get().await.unwrap().run(&echo("c")).await.unwrap();
        pool.lane("a").run(&echo("d")).await.unwrap();
    }
    assert_eq!(pool.snapshot().generations, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_in_flight_is_lost_and_what_waits_goes_on() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "1"), ("redis.pool.lane_depth", "2")]).await;
    pool.any_lane().run(&echo("open")).await.unwrap();
    script.freeze(true);
    let calls: Vec<_> = (0..10)
        .map(|number| {
            let (lane, command) = (pool.lane("k"), echo(&number.to_string()));
            tokio::spawn(async move { lane.run(&command).await })
        })
        .collect();
    settle().await;
    script.kill_connections();
    settle().await;
    script.freeze(false);
    for (number, call) in calls.into_iter().enumerate() {
        let outcome = call.await.unwrap();
        if number < 2 {
            assert!(matches!(outcome, Err(PoolError::ConnectionLost { .. })), "{outcome:?}");
        } else {
            assert_eq!(outcome.unwrap(), Value::BulkString(number.to_string().into()));
        }
    }
    assert_eq!(script.most_open(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_wait_are_no_storm() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    script.door(Door::Fails(ConnectReason::Refused));
    let callers: Vec<_> = (0..1000)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                if number % 2 == 0 {
                    pool.get().await.map(drop)
                } else {
                    pool.lane(number.to_string()).run(&echo("a")).await.map(drop)
                }
            })
        })
        .collect();
    pass(Duration::from_secs(10)).await;
    let refused = script.dials();
    script.door(Door::Open);
    let back = Instant::now();
    pool.get().await.unwrap().run(&echo("a")).await.unwrap();
    pool.lane("new").run(&echo("a")).await.unwrap();
    assert!(back.elapsed() < Duration::from_secs(2), "{:?}", back.elapsed());
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let dials = script.state().dials.clone();
    assert!(refused > 100, "the rate is used: {refused}");
    for window in dials.windows(101) {
        assert!(window[100] - window[0] >= Duration::from_secs(1));
    }
    assert!(script.most_open() <= 100);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_no_master_any_more_is_left() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    drop((pool.get().await.unwrap(), pool.get().await.unwrap()));
    script.state().answer = Some("-READONLY You can't write against a read only replica.\r\n");
    let error = pool.lane("k").run(&echo("a")).await.unwrap_err();
    assert_eq!(error.server_code(), Some("READONLY"));
    assert!(error.is_retryable());
    script.state().answer = None;
    let before = script.dials();
    pool.lane("k").run(&echo("a")).await.unwrap();
    drop(pool.get().await.unwrap());
    assert!(script.dials() > before);
    assert_eq!(pool.snapshot().generations, 1);
}

#[tokio::test(start_paused = true)]
async fn silence_everywhere_ends_a_generation() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2")]).await;
    drop(pool.get().await.unwrap());
    pool.lane("k").run(&echo("a")).await.unwrap();
    script.freeze(true);
    let begun = Instant::now();
    let error = pool.lane("k").run(&echo("a")).await.unwrap_err();
    assert!(matches!(error, PoolError::ResponseTimedOut { .. }), "{error:?}");
    script.freeze(false);
    pool.lane("k").run(&echo("a")).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(7));
    assert_eq!(pool.snapshot().generations, 1);
    assert!(script.most_open() <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_the_server_refuses_names_the_reason_only() {
    let script = Script::new();
    script.state().answer = Some("-WRONGPASS invalid username-password pair\r\n");
    let pool = crate::script::builder(&[("redis.host", "h"), ("redis.password", "canary")])
        .dialer(script.clone())
        .build()
        .await
        .unwrap();
    let error = pool.get().await.unwrap_err();
    assert!(matches!(&error, PoolError::Connect(e) if e.reason() == ConnectReason::Login));
    assert_eq!(script.commands("AUTH")[0].1[1], "canary");
    assert!(!format!("{error} {error:?} {pool:?}").contains("canary"));
    script.state().answer = Some("-ERR max number of clients reached\r\n");
    let begun = Instant::now();
    let error = pool.get().await.unwrap_err();
    assert!(error.to_string().contains("maxclients"), "{error}");
    assert_eq!(begun.elapsed(), Duration::from_secs(30));
}
