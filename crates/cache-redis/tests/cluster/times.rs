//! Waits, deadlines and cancelled commands.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cache_redis::{PoolError, RedisPool, WaitingFor};

use crate::support::{
    FOR_EVER, cluster, command, hold, key_of, pool, run, settings, text, until, within,
};

#[tokio::test]
async fn a_command_that_was_not_answered_says_so() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.response_timeout = Duration::from_secs(3);
    let pool = pool(settings).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    text(&pool, &["SET", &key, "1"]).await;
    cluster.nodes()[0].pause().unwrap();
    let check = |error: PoolError, unknown: bool| {
        assert!(matches!(error, PoolError::ResponseTimedOut { .. }), "{error:?}");
        assert_eq!(error.is_outcome_unknown(), unknown, "{error:?}");
    };
    let (write, read) = within(async {
        let (writing, reading) = (pool.lane("one"), pool.lane("other"));
        let (write, read) = (command(&["INCR", &key]), command(&["GET", &key]));
        tokio::join!(writing.run(&write), reading.run(&read))
    })
    .await;
    check(write.unwrap_err(), true);
    check(read.unwrap_err(), false);
    assert_eq!(pool.snapshot().timed_out, 2);
    cluster.nodes()[0].resume().unwrap();
}

#[tokio::test]
async fn a_wait_for_a_lane_ends_and_says_what_for() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.lane_depth = 1;
    settings.pool.timeout = Duration::from_secs(3);
    settings.pool.response_timeout = FOR_EVER;
    let pool = pool(settings).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    let other = format!("{{{key}}}other");
    text(&pool, &["SET", &key, "1"]).await;
    let holding = hold(&pool, &key, &cluster.nodes()[0]);
    until(|| pool.status().in_flight > 0).await;
    let before = pool.snapshot();
    // One has no place, and the other one not even its key's turn.
    for (key, waiting_for, advice) in [
        (&other, WaitingFor::Lane, "redis.pool.lane_depth"),
        (&key, WaitingFor::Key, "one command of a key is sent at a time"),
    ] {
        let error = within(run(&pool, &["GET", key])).await.unwrap_err();
        let PoolError::WaitTimedOut(late) = &error else { panic!("{error:?}") };
        assert_eq!(late.waiting_for, waiting_for);
        assert!(error.to_string().contains(advice), "{error}");
    }
    let now = pool.snapshot();
    assert_eq!(now.exhausted, 1);
    assert_eq!(now.wait.count, before.wait.count + 2);
    holding.abort();
    cluster.nodes()[0].resume().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelled_commands_leave_nothing_behind() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 6);
    settings.pool.lane_depth = 4;
    let pool = pool(settings).await;
    let callers: Vec<_> = (0..16)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let key = format!("own-{number}");
                text(&pool, &["SET", &key, &key]).await;
                for _ in 0..2000 {
                    let cut = Duration::from_micros(fastrand::u64(0..300));
                    let words = ["GET", key.as_str()];
                    let get = run(&pool, &words);
                    if let Ok(answer) = tokio::time::timeout(cut, get).await {
                        let answer: String =
                            cache_redis::connection::from_redis_value(answer.unwrap()).unwrap();
                        assert_eq!(answer, key);
                    }
                }
                assert_eq!(text(&pool, &["GET", &key]).await, key);
            })
        })
        .collect();
    for caller in callers {
        within(caller).await.unwrap();
    }
    until(|| pool.status().in_flight == 0).await;
    within(pool.close()).await.unwrap();
}

#[tokio::test]
async fn cancelled_commands_share_the_question_that_proves_them() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    let node = &cluster.nodes()[0];
    let key = key_of(&cluster, node).await;
    text(&pool, &["SET", &key, "1"]).await;
    let pings = async || {
        let stats = node.command_stats().await.unwrap();
        stats.get("ping").map_or(0, |stats| stats.calls)
    };
    let before = pings().await;
    node.pause().unwrap();
    let sent: Vec<_> = (0..50)
        .map(|number| {
            let (pool, key) = (pool.clone(), format!("{{{key}}}{number}"));
            tokio::spawn(async move { run(&pool, &["GET", &key]).await })
        })
        .collect();
    until(|| pool.status().in_flight == 50).await;
    for sent in sent {
        sent.abort();
        assert!(within(sent).await.unwrap_err().is_cancelled());
    }
    // Their places are kept until the node has answered.
    assert_eq!(pool.status().in_flight, 50);
    node.resume().unwrap();
    until(|| pool.status().in_flight == 0).await;
    let proofs = pings().await - before;
    assert!((1..=3).contains(&proofs), "{proofs} PINGs for 50 commands");
}

#[tokio::test]
async fn closing_waits_for_what_is_in_flight() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.timeout = Duration::from_secs(3);
    settings.pool.response_timeout = FOR_EVER;
    let pool = pool(settings).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    text(&pool, &["SET", &key, "1"]).await;
    let held = hold(&pool, &key, &cluster.nodes()[0]);
    until(|| pool.status().in_flight > 0).await;
    let error = within(pool.close()).await.unwrap_err();
    assert!(matches!(error, PoolError::NotDrained { active: 1, .. }), "{error:?}");
    // It is cut then, and does not wait for its answer any longer.
    let error = within(held).await.unwrap().unwrap_err();
    assert!(matches!(error, PoolError::ConnectionLost { .. }), "{error:?}");
    cluster.nodes()[0].resume().unwrap();
}

/// Waits until callers wait.
async fn waiting(pool: &RedisPool, callers: usize) {
    until(|| pool.status().waiting >= callers).await;
}

#[tokio::test]
async fn a_connection_is_made_though_its_caller_has_gone() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.connect_timeout = FOR_EVER;
    settings.pool.timeout = FOR_EVER;
    let pool = pool(settings).await;
    let slow = &cluster.nodes()[0];
    let (key, free) = (key_of(&cluster, slow).await, key_of(&cluster, &cluster.nodes()[1]).await);
    text(&pool, &["SET", &free, "1"]).await;
    assert_eq!(pool.status().idle, 1);
    slow.pause().unwrap();
    let caller = {
        let (pool, key) = (pool.clone(), key.clone());
        tokio::spawn(async move { run(&pool, &["GET", &key]).await })
    };
    waiting(&pool, 1).await;
    caller.abort();
    assert!(within(caller).await.unwrap_err().is_cancelled());
    slow.resume().unwrap();
    until(|| pool.status().idle >= 2).await;
}

#[tokio::test]
async fn a_caller_that_is_not_polled_does_not_hold_up_those_who_need_the_same_node() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.connect_timeout = FOR_EVER;
    settings.pool.timeout = FOR_EVER;
    let pool = pool(settings).await;
    let slow = &cluster.nodes()[0];
    let (key, free) = (key_of(&cluster, slow).await, key_of(&cluster, &cluster.nodes()[1]).await);
    let (one, other) = (format!("{{{key}}}1"), format!("{{{key}}}2"));
    text(&pool, &["SET", &free, "1"]).await;
    slow.pause().unwrap();
    let words = ["GET", one.as_str()];
    let mut stuck = pin!(run(&pool, &words));
    // It waits for the connection, and is never polled again.
    poll_fn(|context| {
        assert!(stuck.as_mut().poll(context).is_pending());
        if pool.status().waiting > 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    slow.resume().unwrap();
    text(&pool, &["SET", &other, "1"]).await;
    within(stuck).await.unwrap();
}

#[tokio::test]
async fn a_wait_for_a_socket_says_so() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.timeout = Duration::from_secs(5);
    settings.pool.response_timeout = FOR_EVER;
    let pool = pool(settings).await;
    let former = within(pool.servers()).await.unwrap();
    let first = &cluster.nodes()[0];
    let replaced = former.iter().find(|lane| lane.node().unwrap().port() == first.port()).unwrap();
    cluster.failover(first).await.unwrap();
    cluster.settled().await.unwrap();
    let masters = within(pool.servers()).await.unwrap();
    let mut held = Vec::new();
    for lane in &masters {
        within(lane.run(&command(&["PING"]))).await.unwrap();
        let port = lane.node().unwrap().port();
        cluster.nodes().iter().find(|node| node.port() == port).unwrap().pause().unwrap();
        let lane = lane.clone();
        held.push(tokio::spawn(async move { lane.run(&command(&["PING"])).await }));
    }
    until(|| pool.status().in_flight >= 3).await;
    let error = within(replaced.run(&command(&["PING"]))).await.unwrap_err();
    let PoolError::WaitTimedOut(late) = &error else { panic!("{error:?}") };
    assert_eq!(late.waiting_for, WaitingFor::Turn, "{error}");
    assert!(error.to_string().contains("raise redis.pool.size"), "{error}");
    for node in cluster.nodes() {
        node.resume().unwrap();
    }
    for held in held {
        within(held).await.unwrap().unwrap();
    }
}
