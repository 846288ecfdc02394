//! Lanes: how many, for whom, and in which order.

use std::time::Duration;

use cache_redis::connection::{Value, cmd, pipe};
use cache_redis::{PoolError, RedisPool, WaitingFor};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::script::{Script, echo, pass, settle, timed_out};

fn spawn(pool: &RedisPool, key: &str, word: &str) -> JoinHandle<Result<Value, PoolError>> {
    let (lane, command) = (pool.lane(key), echo(word));
    tokio::spawn(async move { lane.run(&command).await })
}

#[tokio::test(start_paused = true)]
async fn a_small_load_uses_one_lane() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    for number in 0..100 {
        let word = number.to_string();
        let answer = pool.lane(&word).run(&echo(&word)).await.unwrap();
        assert_eq!(answer, Value::BulkString(word.into()));
    }
    assert_eq!(script.dials(), 1);
    let status = pool.status();
    assert_eq!((status.lanes, status.active, status.idle, status.in_flight), (1, 0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn many_who_come_at_once_use_one_lane_as_far_as_it_goes() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.lane_depth", "20")]).await;
    let calls: Vec<_> = (0..20).map(|n| spawn(&pool, &n.to_string(), "word")).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((script.dials(), pool.status().lanes), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn further_lanes_are_opened_while_the_others_are_full() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "3"), ("redis.pool.lane_depth", "4")]).await;
    script.state().delay = Duration::from_millis(100);
    let calls: Vec<_> = (0..16).map(|n| spawn(&pool, &n.to_string(), &n.to_string())).collect();
    pass(Duration::from_millis(50)).await;
    let status = pool.status();
    assert_eq!((status.lanes, status.active, status.in_flight, status.waiting), (3, 3, 12, 4));
    for (number, call) in calls.into_iter().enumerate() {
        let answer = call.await.unwrap().unwrap();
        assert_eq!(answer, Value::BulkString(number.to_string().into()));
    }
    assert_eq!((script.dials(), script.most_open()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_key_keeps_its_lane_and_its_order() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "4"), ("redis.pool.lane_depth", "4")]).await;
    script.state().delay = Duration::from_millis(1);
    // Many keys with many commands each, far more than all lanes hold.
    let mut calls = Vec::new();
    for round in 0..20 {
        for key in 0..10 {
            calls.push(spawn(&pool, &key.to_string(), &format!("{key}-{round}")));
            tokio::task::yield_now().await;
        }
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let log = script.commands("GET");
    assert_eq!(log.len(), 200);
    for key in 0..10 {
        let rounds: Vec<usize> = log
            .iter()
            .filter_map(|(_, words)| words[1].strip_prefix(&format!("{key}-"))?.parse().ok())
            .collect();
        assert_eq!(rounds, (0..20).collect::<Vec<_>>(), "key {key}");
    }
    assert!(script.most_open() > 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_for_its_own_lane_where_that_is_full() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.lane_depth", "2"), ("redis.pool.timeout", "3s")]).await;
    pool.any_lane().run(&echo("open")).await.unwrap();
    script.freeze(true);
    let first = [spawn(&pool, "k", "1"), spawn(&pool, "k", "2")];
    settle().await;
    let begun = Instant::now();
    let error = timed_out(pool.lane("k").run(&echo("3")).await.unwrap_err());
    assert_eq!((error.waiting_for, begun.elapsed()), (WaitingFor::Lane, Duration::from_secs(3)));
    assert_eq!(pool.status().lanes, 1);
    script.freeze(false);
    // Another key may open a lane of its own.
    for call in first {
        call.await.unwrap().unwrap();
    }
    assert_eq!(pool.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_place_on_any_lane_callers_wait_in_order() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "1"), ("redis.pool.lane_depth", "1")]).await;
    let calls: Vec<_> = (0..50).map(|n| spawn(&pool, &n.to_string(), &n.to_string())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let order: Vec<usize> =
        script.commands("GET").iter().map(|(_, words)| words[1].parse().unwrap()).collect();
    assert_eq!(order, (0..50).collect::<Vec<_>>());
    assert_eq!((script.dials(), script.most_open()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_is_one_unit() {
    let script = Script::new();
    script.state().answer = Some("+QUEUED\r\n");
    let pool = script.pool(&[]).await;
    let answers = pool.lane("k").run_all(pipe().set("a", 1).set("b", 2)).await.unwrap();
    assert_eq!(answers.len(), 2);
    script.state().answer = Some("*2\r\n+OK\r\n-WRONGTYPE no list\r\n");
    // MULTI, two commands and EXEC are answered alike here; the last answer is that of EXEC.
    let answers = pool.lane("k").run_all(pipe().atomic().set("a", 1).set("b", 2)).await.unwrap();
    assert!(
        matches!(&answers[..], [Value::Okay, Value::ServerError(e)] if e.code() == "WRONGTYPE")
    );
    assert!(pool.lane("k").run_all(&pipe()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn refusals_of_the_server_keep_their_code_and_hide_their_text() {
    let script = Script::new();
    script.state().answer = Some("-NOSCRIPT with the canary inside\r\n");
    let pool = script.pool(&[]).await;
    let error = pool.lane("k").run(&echo("a")).await.unwrap_err();
    assert_eq!(error.server_code(), Some("NOSCRIPT"));
    assert!(!format!("{error} {error:?}").contains("canary"));
    let PoolError::Server { detail, .. } = error else { panic!("{error:?}") };
    assert_eq!(detail.expose(), "with the canary inside");
}

#[tokio::test(start_paused = true)]
async fn what_would_disturb_others_is_refused() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    let lane = pool.any_lane();
    for name in ["WATCH", "multi", "SELECT", "SUBSCRIBE", "CLIENT", "BLPOP"] {
        let error = lane.run(cmd(name).arg("x")).await.unwrap_err();
        assert!(matches!(error, PoolError::NeedsExclusive { .. }), "{name}");
    }
    let error = lane.run_all(pipe().get("a").cmd("SELECT").arg(1)).await.unwrap_err();
    assert!(error.to_string().contains("exclusive"), "{error}");
    assert_eq!(script.dials(), 0);
}

#[tokio::test(start_paused = true)]
async fn both_ways_share_one_cap() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2"), ("redis.pool.lane_depth", "1")]).await;
    let held = pool.get().await.unwrap();
    pool.lane("a").run(&echo("a")).await.unwrap();
    assert_eq!(pool.status().active + pool.status().idle, 2);
    // The idle lane makes room for another exclusive connection.
    let second = pool.get().await.unwrap();
    assert_eq!((pool.status().lanes, pool.status().active), (0, 2));
    let lane = spawn(&pool, "a", "later");
    settle().await;
    assert!(!lane.is_finished());
    // And an idle exclusive one becomes a lane.
    let dials = script.dials();
    drop(held);
    lane.await.unwrap().unwrap();
    assert_eq!(script.dials(), dials);
    drop(second);
    assert_eq!(script.most_open(), 2);
}

/// Starts a command that takes so long, and lets it come to where it can.
async fn spawn_slow(
    script: &Script,
    pool: &RedisPool,
    key: &str,
    word: &str,
    delay: Duration,
) -> JoinHandle<Result<Value, PoolError>> {
    script.state().delay = delay;
    let call = spawn(pool, key, word);
    settle().await;
    call
}

/// The words of the commands of a key, in the order in which the server read them.
fn order(script: &Script, key: &str) -> Vec<String> {
    let words = script.commands("GET").into_iter().map(|(_, words)| words[1].clone());
    words.filter(|word| word.starts_with(key)).collect()
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_lane_that_ended_goes_to_another() {
    let script = Script::new();
    let settings =
        [("redis.pool.size", "2"), ("redis.pool.lane_depth", "1"), ("redis.pool.timeout", "3s")];
    let pool = script.pool(&settings).await;
    let first = spawn_slow(&script, &pool, "k", "k1", Duration::from_secs(1)).await;
    let other = spawn_slow(&script, &pool, "m", "m1", Duration::from_millis(500)).await;
    assert_eq!(pool.status().lanes, 2);
    let taken = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await }
    });
    settle().await;
    // The lane of the first command drains, and is waited for by the next one of its key.
    let second = spawn(&pool, "k", "k2");
    other.await.unwrap().unwrap();
    assert!(!first.is_finished() && !second.is_finished());
    first.await.unwrap().unwrap();
    let held = taken.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!((pool.status().lanes, script.dials(), script.most_open()), (1, 3, 2));
    // Nobody is kept waiting by what has been.
    spawn(&pool, "m", "m2").await.unwrap().unwrap();
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_ends_keeps_a_key_only_until_its_last_answer() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2"), ("redis.pool.lane_depth", "2")]).await;
    let first = spawn_slow(&script, &pool, "k", "k1", Duration::from_millis(100)).await;
    let slow = spawn(&pool, "x", "x1");
    settle().await;
    script.state().delay = Duration::from_millis(200);
    let others = [spawn(&pool, "m", "m1"), spawn(&pool, "n", "n1")];
    settle().await;
    assert_eq!((pool.status().lanes, pool.status().in_flight), (2, 4));
    // The server sees the slow one after the first.
    script.state().delay = Duration::from_secs(4);
    let taking = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await }
    });
    settle().await;
    let second = spawn(&pool, "k", "k2");
    first.await.unwrap().unwrap();
    script.state().delay = Duration::ZERO;
    second.await.unwrap().unwrap();
    assert!(!slow.is_finished());
    for call in others {
        call.await.unwrap().unwrap();
    }
    slow.await.unwrap().unwrap();
    drop(taking.await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_lane_that_failed_goes_to_one_that_works() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2"), ("redis.pool.lane_depth", "1")]).await;
    let lost = spawn_slow(&script, &pool, "k", "k1", Duration::from_mins(1)).await;
    let other = spawn_slow(&script, &pool, "m", "m1", Duration::from_millis(500)).await;
    let second = spawn(&pool, "k", "k2");
    script.state().delay = Duration::ZERO;
    other.await.unwrap().unwrap();
    assert!(matches!(lost.await.unwrap(), Err(PoolError::ResponseTimedOut { .. })));
    second.await.unwrap().unwrap();
    assert_eq!(script.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_keeps_its_order_while_it_only_waits() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2"), ("redis.pool.lane_depth", "2")]).await;
    let mut calls = vec![spawn_slow(&script, &pool, "k", "k1", Duration::from_millis(100)).await];
    for (key, word) in [("j", "j1"), ("m", "m1"), ("j", "j2"), ("k", "k2")] {
        calls.push(spawn(&pool, key, word));
        settle().await;
    }
    assert_eq!((pool.status().lanes, pool.status().waiting), (2, 2));
    script.state().delay = Duration::from_secs(1);
    calls.remove(0).await.unwrap().unwrap();
    settle().await;
    // Nothing of the key is in flight now, and the other lane has room.
    calls.push(spawn(&pool, "k", "k3"));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(order(&script, "k"), ["k1", "k2", "k3"]);
    assert_eq!((pool.status().in_flight, pool.status().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_key_keeps_its_order_when_another_lane_fails() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "3"), ("redis.pool.lane_depth", "2")]).await;
    let slow = spawn_slow(&script, &pool, "x", "x1", Duration::from_secs(1)).await;
    // It is sent, but the server has not read it yet.
    let first = spawn_slow(&script, &pool, "k", "k1", Duration::ZERO).await;
    script.state().answer = Some("-READONLY You can't write against a read only replica.\r\n");
    pool.lane("m").run(cmd("SET").arg("m").arg("1")).await.unwrap_err();
    script.state().answer = None;
    let second = spawn(&pool, "k", "k2");
    // Others are not kept waiting.
    pool.lane("m").run(&echo("m2")).await.unwrap();
    assert!(!slow.is_finished());
    for call in [slow, first, second] {
        call.await.unwrap().unwrap();
    }
    assert_eq!(order(&script, "k"), ["k1", "k2"]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_another_lane_took_is_made_up_for() {
    let script = Script::new();
    let settings =
        [("redis.pool.size", "3"), ("redis.pool.lane_depth", "1"), ("redis.pool.timeout", "4s")];
    let pool = script.pool(&settings).await;
    let held = pool.get().await.unwrap();
    let first = spawn_slow(&script, &pool, "a", "a", Duration::from_secs(1)).await;
    let long = spawn_slow(&script, &pool, "b", "b", Duration::from_secs(4)).await;
    // A further lane waits for a turn, and somebody else after it. One lane gives way.
    let queued = spawn_slow(&script, &pool, "c", "c", Duration::from_secs(1)).await;
    let taking = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await }
    });
    settle().await;
    assert_eq!((pool.status().lanes, pool.status().waiting), (2, 2));
    first.await.unwrap().unwrap();
    queued.await.unwrap().unwrap();
    taking.await.unwrap().unwrap();
    assert!(!long.is_finished());
    long.await.unwrap().unwrap();
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_was_idle_for_long_is_asked_first() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    pool.lane("k").run(&echo("a")).await.unwrap();
    pass(Duration::from_secs(29)).await;
    pool.lane("k").run(&echo("b")).await.unwrap();
    assert_eq!(script.commands("PING").len(), 1);
    pass(Duration::from_secs(31)).await;
    // Many who come at once cost one question, and no further lane.
    let calls: Vec<_> =
        (0..20).map(|number: usize| spawn(&pool, "k", &number.to_string())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((script.commands("PING").len(), script.dials()), (2, 1));
    // Where no answer comes, nothing is sent there.
    pass(Duration::from_secs(31)).await;
    script.freeze(true);
    let call = spawn(&pool, "k", "c");
    pass(Duration::from_secs(6)).await;
    script.freeze(false);
    call.await.unwrap().unwrap();
    assert_eq!((script.dials(), pool.snapshot().generations), (2, 1));
    assert_eq!(pool.snapshot().reaped, [("stale", 1)]);
    let found: Vec<_> = script
        .commands("GET")
        .iter()
        .filter(|(_, words)| words[1] == "c")
        .map(|(lane, _)| *lane)
        .collect();
    assert_eq!(found, [2]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_sign_of_life_names_the_connection() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.timeout", "3s")]).await;
    pool.any_lane().run(&echo("a")).await.unwrap();
    pass(Duration::from_secs(31)).await;
    script.freeze(true);
    let error = timed_out(pool.any_lane().run(&echo("b")).await.unwrap_err());
    assert_eq!(error.waiting_for, WaitingFor::Connection);
    assert_eq!(pool.snapshot().exhausted, 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_idle_for_long_is_asked_before_it_becomes_a_lane() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    drop(pool.get().await.unwrap());
    pass(Duration::from_secs(31)).await;
    pool.any_lane().run(&echo("a")).await.unwrap();
    assert_eq!((script.commands("PING").len(), script.dials()), (2, 1));
    let script = Script::new();
    let pool = script.pool(&[]).await;
    drop(pool.get().await.unwrap());
    pass(Duration::from_secs(31)).await;
    script.freeze(true);
    let call = spawn(&pool, "k", "b");
    pass(Duration::from_secs(6)).await;
    script.freeze(false);
    call.await.unwrap().unwrap();
    assert_eq!((script.dials(), pool.snapshot().generations), (2, 1));
    assert_eq!(pool.snapshot().reaped, [("stale", 1)]);
}
