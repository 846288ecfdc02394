//! Lanes that show that they work, while others wait.

use std::time::Duration;

use cache_redis::RedisPool;
use tokio::time::Instant;

use crate::script::{Script, echo, pass, settle};

/// A pool of one socket, whose lane is asked for a sign of life that does not come.
async fn asked(script: &Script) -> RedisPool {
    let pool = script.pool(&[("redis.pool.size", "1")]).await;
    pool.any_lane().run(&echo("a")).await.unwrap();
    pass(Duration::from_secs(31)).await;
    script.freeze(true);
    pool
}

#[tokio::test(start_paused = true)]
async fn a_lane_does_not_give_way_while_it_is_asked() {
    let script = Script::new();
    let pool = asked(&script).await;
    let lane = pool.any_lane();
    let call = tokio::spawn(async move { lane.run(&echo("b")).await });
    settle().await;
    let taking = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await }
    });
    settle().await;
    assert_eq!((pool.status().lanes, pool.status().waiting), (1, 2));
    script.freeze(false);
    // Who came first is served first, over the connection that has answered.
    call.await.unwrap().unwrap();
    drop(taking.await.unwrap().unwrap());
    assert_eq!(script.commands("GET").last().unwrap().0, 1);
    assert_eq!((script.dials(), script.most_open()), (2, 1));
    let snapshot = pool.snapshot();
    assert_eq!((snapshot.generations, snapshot.reaped), (0, vec![("made_room", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_was_asked_in_vain_gives_way() {
    let script = Script::new();
    let pool = asked(&script).await;
    let lane = pool.any_lane();
    let call = tokio::spawn(async move { lane.run(&echo("b")).await });
    settle().await;
    let taking = tokio::spawn({
        let pool = pool.clone();
        async move { pool.get().await.map(drop) }
    });
    settle().await;
    call.abort();
    script.freeze(false);
    let begun = Instant::now();
    taking.await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!((script.commands("GET").len(), pool.snapshot().generations), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_closed_while_it_is_asked_ends_no_others() {
    let script = Script::new();
    let settings = [("redis.pool.size", "2"), ("redis.pool.max_lifetime", "32s")];
    let pool = script.pool(&settings).await;
    pool.any_lane().run(&echo("a")).await.unwrap();
    pass(Duration::from_millis(31_500)).await;
    let mut held = pool.get().await.unwrap();
    script.freeze(true);
    let lane = pool.any_lane();
    let call = tokio::spawn(async move { lane.run(&echo("b")).await });
    // Its time comes before its sign of life.
    pass(Duration::from_secs(2)).await;
    script.freeze(false);
    call.await.unwrap().unwrap();
    held.run(&echo("c")).await.unwrap();
    assert_eq!(pool.snapshot().generations, 0);
}
