//! Bounds of idle connections, other sizes, leaks, and the end.

use std::time::Duration;

use cache_redis::connection::cmd;
use cache_redis::{Advice, PoolError};
use tokio::time::Instant;

use crate::script::{Door, Script, echo, pass, settle};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn no_more_stay_idle_than_may() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.max_idle", "3")]).await;
    let mut taken = Vec::new();
    for _ in 0..10 {
        taken.push(pool.get().await.unwrap());
    }
    drop(taken);
    assert_eq!(pool.status().idle, 3);
    settle().await;
    assert_eq!(script.open(), 3);
    assert!(pool.snapshot().reaped.contains(&("max_idle", 7)));
}

#[tokio::test(start_paused = true)]
async fn lanes_count_among_the_idle() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.max_idle", "0")]).await;
    pool.any_lane().run(&echo("a")).await.unwrap();
    pass(2 * SECOND).await;
    assert_eq!((pool.status().idle, script.open()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_idle_for_too_long_is_closed() {
    let script = Script::new();
    let pool =
        script.pool(&[("redis.pool.idle_timeout", "10s"), ("redis.pool.min_idle", "1")]).await;
    settle().await;
    let taken = (pool.get().await.unwrap(), pool.get().await.unwrap());
    pool.any_lane().run(&echo("a")).await.unwrap();
    drop(taken);
    pass(9 * SECOND).await;
    assert_eq!(pool.status().idle, 3);
    pass(3 * SECOND).await;
    assert_eq!((pool.status().idle, script.open()), (1, 1));
    assert_eq!(pool.snapshot().reaped, [("idle_timeout", 2)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_closed() {
    // In use all the time, so that nothing is ever idle for long.
    let check = async |over_lane: bool| {
        let script = Script::new();
        let pool = script.pool(&[("redis.pool.max_lifetime", "10s")]).await;
        for second in 0..35 {
            if over_lane {
                pool.any_lane().run(&echo("a")).await.unwrap();
            } else {
                drop(pool.get().await.unwrap());
            }
            // It may be a second older, since its age is looked at once a second.
            let least = second / 11;
            let dials = script.dials();
            assert!(dials > least && dials <= second / 10 + 1, "{dials} after {second} s");
            pass(SECOND).await;
        }
        assert_eq!(pool.snapshot().reaped, [("max_lifetime", 3)], "over a lane: {over_lane}");
        assert_eq!(script.open(), 1 - usize::from(pool.status().idle == 0));
    };
    check(true).await;
    check(false).await;
}

#[tokio::test(start_paused = true)]
async fn so_many_as_are_always_kept_are_opened_at_start_and_again() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.min_idle", "5")]).await;
    pass(SECOND / 2).await;
    assert_eq!((pool.status().idle, script.open()), (5, 5));
    script.kill_connections();
    pass(3 * SECOND).await;
    assert_eq!((pool.status().idle, script.open()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn the_reaper_ends_with_the_pool() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.min_idle", "2")]).await;
    pass(SECOND).await;
    assert_eq!(script.open(), 2);
    drop(pool);
    pass(SECOND).await;
    assert_eq!(script.open(), 0);
    pass(60 * SECOND).await;
    assert_eq!(script.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn bounds_hold_as_long_as_a_lane_keeps_the_pool() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.idle_timeout", "10s")]).await;
    let lane = pool.lane("k");
    drop(pool);
    lane.run(&echo("a")).await.unwrap();
    assert_eq!(script.open(), 1);
    pass(12 * SECOND).await;
    assert_eq!(script.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_are_there_for_callers_while_others_are_made() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.min_idle", "2"), ("redis.pool.timeout", "1s")]).await;
    pass(SECOND / 2).await;
    let first = pool.get().await.unwrap();
    script.door(Door::Hangs);
    pass(SECOND).await;
    assert_eq!(script.dials(), 3);
    let status = pool.status();
    assert_eq!((status.idle, status.waiting), (1, 0));
    drop(pool.get().await.unwrap());
    // The attempt is given up, and changes nothing about the idle one.
    pass(12 * SECOND).await;
    assert_eq!((pool.status().idle, script.open()), (1, 2));
    script.door(Door::Open);
    pass(12 * SECOND).await;
    assert_eq!((pool.status().idle, script.open()), (2, 3));
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_closed_while_connections_are_made_keeps_none() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.min_idle", "2")]).await;
    pass(SECOND / 2).await;
    let first = pool.get().await.unwrap();
    script.freeze(true);
    pass(SECOND).await;
    assert_eq!(script.open(), 3);
    drop(first);
    pool.close().await.unwrap();
    script.freeze(false);
    pass(SECOND).await;
    assert_eq!((pool.status().idle, script.open()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_smaller_size_closes_lanes() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "4"), ("redis.pool.lane_depth", "1")]).await;
    let calls = async || {
        script.state().delay = SECOND;
        let calls: Vec<_> = (0..4)
            .map(|number: usize| {
                let lane = pool.lane(number.to_string());
                tokio::spawn(async move { lane.run(&echo("a")).await })
            })
            .collect();
        settle().await;
        calls
    };
    // Idle ones at once.
    for call in calls().await {
        call.await.unwrap().unwrap();
    }
    assert_eq!(pool.status().lanes, 4);
    pool.resize(2);
    settle().await;
    assert_eq!((pool.status().lanes, script.open()), (2, 2));
    // Busy ones when they are answered.
    pool.resize(4);
    let busy = calls().await;
    assert_eq!(pool.status().lanes, 4);
    pool.resize(1);
    assert_eq!(pool.status().lanes, 4);
    for call in busy {
        call.await.unwrap().unwrap();
    }
    settle().await;
    assert_eq!((pool.status().lanes, script.open()), (1, 1));
    drop(pool.get().await.unwrap());
    assert_eq!(script.open(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_what_is_in_use() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    script.state().delay = SECOND;
    let mut held = pool.get().await.unwrap();
    let in_flight = tokio::spawn({
        let lane = pool.lane("a");
        async move { lane.run(&echo("a")).await }
    });
    pass(2 * SECOND).await;
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close().await }
    });
    settle().await;
    assert!(matches!(pool.get().await, Err(PoolError::Closed)));
    assert!(matches!(pool.any_lane().run(&echo("a")).await, Err(PoolError::Closed)));
    in_flight.await.unwrap().unwrap();
    assert!(!closing.is_finished());
    held.run(&echo("a")).await.unwrap();
    drop(held);
    closing.await.unwrap().unwrap();
    pass(SECOND).await;
    assert_eq!(script.open(), 0);
    pool.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn closing_ends_at_its_deadline() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.timeout", "3s"), ("redis.pool.size", "1")]).await;
    let held = pool.get().await.unwrap();
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await.map(drop) }
    });
    settle().await;
    let begun = Instant::now();
    let error = pool.close().await.unwrap_err();
    assert!(matches!(error, PoolError::NotDrained { active: 1, .. }), "{error:?}");
    assert_eq!(begun.elapsed(), 3 * SECOND);
    assert!(matches!(waiting.await.unwrap(), Err(PoolError::Closed)));
    drop(held);
    pass(SECOND).await;
    assert_eq!(script.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_size_changes_while_connections_are_out() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "4"), ("redis.pool.timeout", "1s")]).await;
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(pool.get().await.unwrap());
    }
    pool.resize(2);
    assert_eq!(pool.status().size, 2);
    taken.truncate(2);
    assert!(pool.get().await.is_err());
    taken.truncate(1);
    taken.push(pool.get().await.unwrap());
    assert!(pool.get().await.is_err());
    pool.resize(3);
    taken.push(pool.get().await.unwrap());
    assert!(pool.get().await.is_err());
    drop(taken);
    settle().await;
    assert!(script.open() <= 3);
    assert_eq!((script.most_open(), pool.status().active), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_for_too_long_is_told_with_its_place() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.hold_limit", "10s")]).await;
    let held = pool.get().await.unwrap();
    pass(9 * SECOND).await;
    assert!(pool.leaks().is_empty());
    pass(2 * SECOND).await;
    let leaks = pool.leaks();
    assert_eq!(leaks.len(), 1);
    assert!(leaks[0].place.as_ref().unwrap().contains("tests/pool/bounds.rs:"), "{leaks:?}");
    assert!(pool.advice().iter().any(|advice| advice.to_string().contains("bounds.rs:")));
    drop(held);
    assert!(pool.leaks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_peak_at_the_cap_asks_for_more() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2"), ("redis.pool.timeout", "2s")]).await;
    let taken = (pool.get().await.unwrap(), pool.get().await.unwrap());
    assert!(pool.get().await.is_err());
    let advice: Vec<_> = pool.advice().iter().map(ToString::to_string).collect();
    assert!(advice[0].starts_with("raise redis.pool.size from 2 to 3"), "{advice:?}");
    assert!(advice[1].contains("redis.pool.timeout"), "{advice:?}");
    drop(taken);
    script.door(Door::Open);
    pool.any_lane().run(cmd("SET").arg("a").arg("b")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_short_peak_is_seen() {
    let check = async |over_lanes: bool| {
        let script = Script::new();
        let settings = [("redis.pool.size", "10"), ("redis.pool.lane_depth", "1")];
        let pool = script.pool(&settings).await;
        pass(3 * SECOND / 2).await;
        // All are in use within the same moment, and then none is for minutes.
        if over_lanes {
            script.state().delay = Duration::from_millis(1);
            let calls = (0..10).map(|_| {
                let lane = pool.any_lane();
                tokio::spawn(async move { lane.run(&echo("a")).await })
            });
            for call in calls.collect::<Vec<_>>() {
                call.await.unwrap().unwrap();
            }
        } else {
            let mut taken = Vec::new();
            for _ in 0..10 {
                taken.push(pool.get().await.unwrap());
            }
        }
        for _ in 0..2 {
            let advice = pool.advice();
            assert!(matches!(advice[..], [Advice::RaiseSize { from: 10, .. }]), "{advice:?}");
            pass(120 * SECOND).await;
        }
        // After five minutes it is forgotten.
        pass(120 * SECOND).await;
        let advice = pool.advice();
        assert!(matches!(advice[..], [Advice::LowerSize { from: 10, .. }]), "{advice:?}");
    };
    check(true).await;
    check(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_connecting_asks_for_no_greater_size() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "3")]).await;
    script.freeze(true);
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move {
            let lane = pool.any_lane();
            let command = echo("a");
            let (taken, answer) = tokio::join!(pool.get(), lane.run(&command));
            taken.map(drop).and(answer)
        }
    });
    pass(2 * SECOND).await;
    script.freeze(false);
    waiting.await.unwrap().unwrap();
    let snapshot = pool.snapshot();
    assert!(snapshot.wait.quantile(1.0) > SECOND);
    assert_eq!((snapshot.queued.count, snapshot.queued.total), (2, Duration::ZERO));
    assert_eq!(pool.advice(), []);

    // With all of them in use it does.
    let taken = (pool.get().await.unwrap(), pool.get().await.unwrap(), pool.get().await.unwrap());
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await.map(drop) }
    });
    pass(SECOND).await;
    drop(taken);
    waiting.await.unwrap().unwrap();
    let queued = pool.snapshot().queued;
    assert_eq!((queued.count, queued.total), (6, SECOND));
}

#[tokio::test(start_paused = true)]
async fn whatever_the_pool_closes_is_counted() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "4"), ("redis.pool.lane_depth", "1")]).await;
    let held = pool.get().await.unwrap();
    drop((pool.get().await.unwrap(), pool.get().await.unwrap()));
    pool.any_lane().run(&echo("a")).await.unwrap();
    script.kill_connections();
    settle().await;
    drop(held);
    // One became a lane, one was idle, and one was held.
    assert_eq!((script.dials(), script.open()), (3, 0));
    assert_eq!(pool.snapshot().reaped, [("stale", 3)]);
    drop((pool.get().await.unwrap(), pool.get().await.unwrap()));
    pool.any_lane().run(&echo("a")).await.unwrap();
    pool.resize(1);
    settle().await;
    assert_eq!(script.open(), 1);
    assert_eq!(pool.snapshot().reaped, [("stale", 3), ("resized", script.dials() as u64 - 4)]);
}
