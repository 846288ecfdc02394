//! Waits, deadlines and cancelled commands.

use std::time::Duration;

use cache_redis::{PoolError, WaitingFor};

use crate::support::{FOR_EVER, cluster, command, key_of, pool, run, settings, text, within};

#[tokio::test]
async fn a_command_that_was_not_answered_says_so() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.response_timeout = Duration::from_millis(100);
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
    settings.pool.timeout = Duration::from_millis(100);
    settings.pool.response_timeout = FOR_EVER;
    let pool = pool(settings).await;
    let (key, free) =
        (key_of(&cluster, &cluster.nodes()[0]).await, key_of(&cluster, &cluster.nodes()[1]).await);
    text(&pool, &["SET", &key, "1"]).await;
    cluster.nodes()[0].pause().unwrap();
    let holding = {
        let (pool, key) = (pool.clone(), key.clone());
        tokio::spawn(async move { run(&pool, &["GET", &key]).await })
    };
    within(async {
        while pool.status().in_flight == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // One has no place, and the other one not even its key's turn.
    for key in [&free, &key] {
        let error = within(run(&pool, &["GET", key])).await.unwrap_err();
        let PoolError::WaitTimedOut(late) = &error else { panic!("{error:?}") };
        assert_eq!(late.waiting_for, WaitingFor::Lane);
        assert!(error.to_string().contains("redis.pool.lane_depth"), "{error}");
    }
    assert_eq!(pool.snapshot().exhausted, 2);
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
    within(async {
        while pool.status().in_flight > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within(pool.close()).await.unwrap();
}

#[tokio::test]
async fn closing_waits_for_what_is_in_flight() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.timeout = Duration::from_millis(200);
    settings.pool.response_timeout = FOR_EVER;
    let pool = pool(settings).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    text(&pool, &["SET", &key, "1"]).await;
    cluster.nodes()[0].pause().unwrap();
    let held = {
        let (pool, key) = (pool.clone(), key.clone());
        tokio::spawn(async move { run(&pool, &["GET", &key]).await })
    };
    within(async {
        while pool.status().in_flight == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let error = within(pool.close()).await.unwrap_err();
    assert!(matches!(error, PoolError::NotDrained { active: 1, .. }), "{error:?}");
    // It is cut then, and does not wait for its answer any longer.
    let error = within(held).await.unwrap().unwrap_err();
    assert!(matches!(error, PoolError::ConnectionLost { .. }), "{error:?}");
    cluster.nodes()[0].resume().unwrap();
}
