//! Exclusive connections: who gets them, when, and in which state.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_redis::connection::{Value, cmd, pipe};
use cache_redis::{ConnectReason, PoolError, WaitingFor};
use tokio::time::Instant;

use crate::script::{Door, Script, echo, pass, settle, timed_out};

const ONE: (&str, &str) = ("redis.pool.size", "1");

#[tokio::test(start_paused = true)]
async fn a_connection_serves_one_after_the_other() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    for word in ["a", "b", "c"] {
        let mut connection = pool.get().await.unwrap();
        let answer = connection.run(&echo(word)).await.unwrap();
        assert_eq!(answer, Value::BulkString(word.into()));
    }
    assert_eq!(script.dials(), 1);
    // Only the new connection was asked for a sign of life.
    assert_eq!(script.commands("PING").len(), 1);
    let status = pool.status();
    assert_eq!((status.active, status.idle, status.waiting), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_is_served_first() {
    let script = Script::new();
    let pool = script.pool(&[ONE]).await;
    let held = pool.get().await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let callers: Vec<_> = (0..100)
        .map(|number| {
            let (pool, order) = (pool.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let mut connection = pool.get().await.unwrap();
                order.lock().unwrap().push(number);
                connection.run(&echo("x")).await.unwrap();
            })
        })
        .collect();
    settle().await;
    assert_eq!((pool.status().active, pool.status().waiting), (1, 100));
    drop(held);
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
    assert_eq!((script.dials(), script.most_open()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_the_deadline_and_says_what_for() {
    let script = Script::new();
    let pool = script.pool(&[ONE, ("redis.pool.timeout", "3s")]).await;
    let _held = pool.get().await.unwrap();
    let begun = Instant::now();
    let error = pool.get().await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    assert!(error.is_retryable() && !error.is_outcome_unknown());
    let text = error.to_string();
    let error = timed_out(error);
    assert_eq!((error.waiting_for, error.waited), (WaitingFor::Turn, Duration::from_secs(3)));
    assert_eq!((error.status.size, error.status.active), (1, 1));
    assert!(text.starts_with("waited 3.0s for a connection that others use (size 1, active 1"));
    assert!(text.contains("redis.pool.size"), "{text}");
    assert_eq!(pool.snapshot().exhausted, 1);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_connecting_to_a_server_that_hangs() {
    let script = Script::new();
    for door in [Door::Hangs, Door::Open] {
        script.door(door);
        script.freeze(true);
        let pool = script.pool(&[("redis.pool.timeout", "12s")]).await;
        let begun = Instant::now();
        let error = timed_out(pool.get().await.unwrap_err());
        assert_eq!(begun.elapsed(), Duration::from_secs(12), "{door:?}");
        assert_eq!(error.waiting_for, WaitingFor::Connection);
        let failure = error.last_failure.unwrap();
        assert_eq!(failure.reason(), ConnectReason::TimedOut);
        assert_eq!(pool.snapshot().exhausted, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_is_tried_again() {
    let script = Script::new();
    script.door(Door::Fails(ConnectReason::Refused));
    let pool = script.pool(&[]).await;
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await.map(drop) }
    });
    pass(Duration::from_secs(10)).await;
    assert!(script.dials() > 10);
    script.door(Door::Open);
    let back = Instant::now();
    waiting.await.unwrap().unwrap();
    assert!(back.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_get_better_fails_at_once() {
    for reason in [ConnectReason::Login, ConnectReason::Tls, ConnectReason::Database] {
        let script = Script::new();
        script.door(Door::Fails(reason));
        let pool = script.pool(&[]).await;
        let begun = Instant::now();
        let errors =
            [pool.get().await.unwrap_err(), pool.any_lane().run(&echo("a")).await.unwrap_err()];
        for error in errors {
            assert!(matches!(&error, PoolError::Connect(cause) if cause.reason() == reason));
            assert!(error.to_string().starts_with("cannot connect to script:1: "));
        }
        assert_eq!((begun.elapsed(), script.dials()), (Duration::ZERO, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_leftovers_is_not_handed_on() {
    let check = async |commands: &[&str], handed_on: bool| {
        let script = Script::new();
        let pool = script.pool(&[]).await;
        let mut connection = pool.get().await.unwrap();
        for words in commands {
            let mut words = words.split(' ');
            let mut command = cmd(words.next().unwrap());
            words.for_each(|word| {
                command.arg(word);
            });
            connection.run(&command).await.unwrap();
        }
        drop(connection);
        drop(pool.get().await.unwrap());
        let dials = if handed_on { 1 } else { 2 };
        assert_eq!(script.dials(), dials, "{commands:?}");
        let reaped = if handed_on { vec![] } else { vec![("dirty", 1)] };
        assert_eq!(pool.snapshot().reaped, reaped, "{commands:?}");
    };
    check(&["GET a", "SET a b"], true).await;
    check(&["WATCH a"], false).await;
    check(&["WATCH a", "UNWATCH"], true).await;
    check(&["MULTI", "SET a b"], false).await;
    check(&["MULTI", "SET a b", "EXEC"], true).await;
    check(&["SELECT 1"], false).await;
    check(&["SUBSCRIBE a"], false).await;
    check(&["MODULE.COMMAND a"], false).await;
}

#[tokio::test(start_paused = true)]
async fn a_transaction_ends_the_watching() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    let mut connection = pool.get().await.unwrap();
    connection.run(cmd("WATCH").arg("a")).await.unwrap();
    connection.run_all(pipe().atomic().set("a", 1)).await.unwrap();
    drop(connection);
    drop(pool.get().await.unwrap());
    assert_eq!(script.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_costs_the_connection() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    let mut connection = pool.get().await.unwrap();
    let begun = Instant::now();
    let error = connection.run(&cmd("HANG")).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert!(error.is_outcome_unknown() && error.is_retryable());
    assert!(error.to_string().ends_with("whether the server executed it is not known"), "{error}");
    drop(connection);
    assert_eq!(pool.status().idle, 0);

    let mut connection = pool.get().await.unwrap();
    connection.set_response_timeout(Duration::from_secs(1));
    script.freeze(true);
    let error = connection.run(&echo("a")).await.unwrap_err();
    assert!(!error.is_outcome_unknown(), "a GET changes nothing");
    assert_eq!(begun.elapsed(), Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_idle_for_long_is_asked_first() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    drop(pool.get().await.unwrap());
    pass(Duration::from_secs(29)).await;
    drop(pool.get().await.unwrap());
    assert_eq!(script.commands("PING").len(), 1);
    pass(Duration::from_secs(31)).await;
    drop(pool.get().await.unwrap());
    assert_eq!((script.commands("PING").len(), script.dials()), (2, 1));
    // One that does not answer takes those that were idle beside it along.
    let both = (pool.get().await.unwrap(), pool.get().await.unwrap());
    drop(both);
    assert_eq!((script.commands("PING").len(), script.dials()), (3, 2));
    pass(Duration::from_secs(31)).await;
    script.freeze(true);
    let begun = Instant::now();
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await.map(drop) }
    });
    pass(Duration::from_secs(6)).await;
    assert_eq!(script.dials(), 3);
    script.freeze(false);
    waiting.await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(6));
    assert_eq!((script.dials(), pool.snapshot().generations), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_ends_with_a_connection_that_comes_back_is_counted() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2")]).await;
    let held = pool.get().await.unwrap();
    script.door(Door::Fails(ConnectReason::Refused));
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await }
    });
    pass(Duration::from_secs(5)).await;
    drop(held);
    let taken = waiting.await.unwrap().unwrap();
    drop(taken);
    // The second one waited for as long as the first one was held, and held it for no time.
    let snapshot = pool.snapshot();
    assert_eq!((snapshot.wait.count, snapshot.held.count), (2, 2));
    assert!(!snapshot.wait.total.is_zero());
    assert_eq!(snapshot.wait.total, snapshot.held.total);
}
