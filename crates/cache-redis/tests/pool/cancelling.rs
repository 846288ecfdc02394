//! Futures dropped wherever they wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cache_redis::connection::{Value, cmd};
use cache_redis::{PoolError, RedisPool, WaitingFor};

use tokio::runtime::Builder;

use crate::script::{Script, echo, pass, settle};

/// Polls a future so often at most, letting everything else run in between, and drops it.
async fn poll_so_often<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let polled = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Every place must be free, and every connection free of leftovers.
async fn check_whole(pool: &RedisPool, size: usize, place: usize) {
    pass(Duration::from_secs(2)).await;
    let status = pool.status();
    assert_eq!((status.active, status.waiting, status.in_flight), (0, 0, 0), "{place}");
    let mut taken = Vec::new();
    for number in 0..size {
        let mut connection = pool.get().await.unwrap();
        let word = format!("{place}-{number}");
        let answer = connection.run(&echo(&word)).await.unwrap();
        assert_eq!(answer, Value::BulkString(word.into()), "{place}");
        taken.push(connection);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_connection_can_be_dropped_anywhere() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2")]).await;
    for place in 0..40 {
        // Sometimes a connection is idle, sometimes one is to be made, sometimes all are out.
        let held = match place % 3 {
            0 => Vec::new(),
            1 => vec![pool.get().await.unwrap()],
            _ => vec![pool.get().await.unwrap(), pool.get().await.unwrap()],
        };
        if place % 2 == 0 {
            script.kill_connections();
            settle().await;
        }
        drop(poll_so_often(pool.get(), place / 3).await);
        drop(held);
        check_whole(&pool, 2, place).await;
    }
    assert!(script.most_open() <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_command_can_be_dropped_anywhere() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "2"), ("redis.pool.lane_depth", "2")]).await;
    for place in 0..60 {
        let lane = pool.lane((place % 5).to_string());
        script.state().delay = Duration::from_millis(place % 4);
        let canary = format!("canary-{place}");
        let others: Vec<_> = (0..place % 7)
            .map(|number| {
                let (pool, word) = (pool.clone(), format!("{place}-{number}"));
                tokio::spawn(async move {
                    let answer = pool.lane(number.to_string()).run(&echo(&word)).await.unwrap();
                    assert_eq!(answer, Value::BulkString(word.into()));
                })
            })
            .collect();
        let times = usize::try_from(place).unwrap() / 4;
        drop(poll_so_often(lane.run(&echo(&canary)), times).await);
        let mut exclusive = pool.get().await.unwrap();
        drop(poll_so_often(exclusive.run(&echo(&canary)), times).await);
        drop(exclusive);
        for other in others {
            other.await.unwrap();
        }
        check_whole(&pool, 2, times).await;
    }
    assert!(script.most_open() <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_later_command_of_a_key_does_not_overtake_a_cancelled_one() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "3"), ("redis.pool.lane_depth", "2")]).await;
    pool.any_lane().run(&echo("open")).await.unwrap();
    script.state().delay = Duration::from_millis(10);
    let lane = pool.lane("k");
    let mut cancelled = cmd("SET");
    cancelled.arg("k").arg("first");
    drop(poll_so_often(lane.run(&cancelled), 1).await);
    // It is still in flight, and fills the lane with another one. Those of its key wait for it,
    // while others have a further lane.
    let other = tokio::spawn({
        let lane = pool.lane("m");
        async move { lane.run(&echo("other")).await }
    });
    settle().await;
    assert_eq!((pool.status().in_flight, pool.status().lanes), (2, 1));
    let mut second = cmd("SET");
    second.arg("k").arg("second");
    let second = tokio::spawn(async move { lane.run(&second).await });
    settle().await;
    assert_eq!((pool.status().waiting, pool.status().lanes), (1, 1));
    pool.lane("n").run(&echo("further")).await.unwrap();
    second.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    assert_eq!(pool.status().lanes, 2);
    let order: Vec<_> =
        script.commands("SET").iter().map(|(lane, words)| (*lane, words[2].clone())).collect();
    assert_eq!(order, [(1, "first".to_owned()), (1, "second".to_owned())]);
    pass(Duration::from_secs(1)).await;
    assert_eq!(pool.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_not_polled_holds_up_others_until_their_deadline_or_its_end() {
    let script = Script::new();
    let settings = [("redis.pool.size", "1"), ("redis.pool.lane_depth", "1")];
    let pool = script.pool(&settings).await;
    pool.any_lane().run(&echo("open")).await.unwrap();
    script.state().delay = Duration::from_millis(10);
    let run = |word: &'static str| {
        let lane = pool.lane(word);
        tokio::spawn(async move { lane.run(&echo(word)).await })
    };
    let first = run("first");
    settle().await;
    let (lane, command) = (pool.lane("stuck"), echo("stuck"));
    let mut stuck = Box::pin(lane.run(&command));
    poll_fn(|context| {
        assert!(stuck.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    // It is given the place of the first one, and does not take it.
    let behind = run("behind");
    first.await.unwrap().unwrap();
    let error = behind.await.unwrap().unwrap_err();
    let PoolError::WaitTimedOut(wait) = &error else { panic!("{error:?}") };
    assert_eq!((wait.waiting_for, wait.waited), (WaitingFor::Lane, Duration::from_secs(30)));
    let next = run("next");
    settle().await;
    drop(stuck);
    next.await.unwrap().unwrap();
    assert!(script.commands("GET").iter().all(|(_, words)| words[1] != "stuck"));
    check_whole(&pool, 1, 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_command_whose_runtime_ends_holds_nothing() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "1"), ("redis.pool.lane_depth", "1")]).await;
    pool.any_lane().run(&echo("open")).await.unwrap();
    let lane = pool.lane("k");
    let thread = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { drop(poll_so_often(lane.run(&echo("cancelled")), 1).await) });
    });
    thread.join().unwrap();
    pool.lane("k").run(&echo("later")).await.unwrap();
    check_whole(&pool, 1, 0).await;
}

#[tokio::test]
async fn many_cancelled_commands_leave_no_foreign_answer() {
    let script = Script::new();
    let pool = script.pool(&[("redis.pool.size", "4"), ("redis.pool.lane_depth", "8")]).await;
    let callers: Vec<_> = (0..16_usize)
        .map(|caller| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for round in 0..500_usize {
                    let word = format!("canary-{caller}-{round}");
                    let command = echo(&word);
                    let times = (caller * 31 + round * 17) % 6;
                    let answer = if round % 5 == 0 {
                        let mut connection = pool.get().await.unwrap();
                        poll_so_often(connection.run(&command), times).await
                    } else {
                        let lane = pool.lane((round % 7).to_string());
                        poll_so_often(lane.run(&command), times).await
                    };
                    if let Some(answer) = answer {
                        assert_eq!(answer.unwrap(), Value::BulkString(word.into()));
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(script.most_open() <= 4);
}
