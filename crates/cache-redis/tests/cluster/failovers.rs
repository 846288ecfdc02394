//! Masters that go, and replicas that take their place.

use std::time::Duration;

use cache_redis::{PoolError, RedisPool};
use redis_testkit::{Cluster, RedisServer};

use crate::support::{
    FOR_EVER, check_list, cluster, command, key_of, loaded, master_of_pair, pool, run, settings,
    text, until, within,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_command_is_executed_twice_through_kills_and_graceful_fail_overs() {
    let (cluster, pool, load) = loaded().await;
    for round in 0..6 {
        load.goes_on(100).await;
        let master = master_of_pair(&cluster, round % 3).await;
        master.kill_clients().await.unwrap();
        if round >= 3 {
            cluster.failover(master).await.unwrap();
        }
    }
    load.goes_on(200).await;
    for (number, counted) in load.end().await.into_iter().enumerate() {
        check_list(&pool, number, &counted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_go_on_after_a_master_was_killed() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 6)).await;
    let killed = &cluster.nodes()[0];
    let lost = key_of(&cluster, killed).await;
    let other = key_of(&cluster, &cluster.nodes()[1]).await;
    text(&pool, &["SET", &lost, "before"]).await;
    text(&pool, &["SET", &other, "before"]).await;
    killed.kill().unwrap();
    // The first command may find out that the connection has ended.
    if let Err(error) = within(run(&pool, &["SET", &lost, "during"])).await {
        assert!(error.is_retryable(), "{error:?}");
    }
    // The next one waits for the replica, which takes over by itself.
    text(&pool, &["SET", &lost, "after"]).await;
    assert_eq!(text(&pool, &["GET", &lost]).await, "after");
    assert_eq!(text(&pool, &["GET", &other]).await, "before");
    killed.restart().await.unwrap();
    cluster.settled().await.unwrap();
    assert_eq!(text(&pool, &["GET", &lost]).await, "after");
}

/// Freezes a node, and returns a key of it and one of another node, both with a value. The pool has
/// connections to both nodes.
async fn freeze(cluster: &Cluster, pool: &RedisPool, frozen: &RedisServer) -> (String, String) {
    let other = cluster.nodes().iter().find(|node| node.port() != frozen.port()).unwrap();
    let (held, free) = (key_of(cluster, frozen).await, key_of(cluster, other).await);
    for key in [&held, &free] {
        text(pool, &["SET", key, "before"]).await;
    }
    frozen.pause().unwrap();
    (held, free)
}

#[tokio::test]
async fn a_frozen_master_holds_up_its_own_keys_only() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.response_timeout = Duration::from_secs(3);
    settings.pool.connect_timeout = Duration::from_secs(3);
    let pool = pool(settings).await;
    let frozen = &cluster.nodes()[0];
    let (held, free) = freeze(&cluster, &pool, frozen).await;
    let error = within(run(&pool, &["INCR", &held])).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    let waiting = {
        let (pool, held) = (pool.clone(), held.clone());
        tokio::spawn(async move { text(&pool, &["SET", &held, "after"]).await })
    };
    for _ in 0..100 {
        assert_eq!(text(&pool, &["GET", &free]).await, "before");
    }
    // The replica takes over, or the frozen one goes on.
    within(waiting).await.unwrap();
    frozen.resume().unwrap();
    cluster.settled().await.unwrap();
    assert_eq!(text(&pool, &["GET", &held]).await, "after");
}

#[tokio::test]
async fn a_cluster_that_was_away_is_found_again() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    text(&pool, &["SET", "key", "value"]).await;
    for node in cluster.nodes() {
        node.kill().unwrap();
    }
    if let Err(error) = within(run(&pool, &["GET", "key"])).await {
        assert!(error.is_retryable(), "{error:?}");
    }
    let waiting = {
        let pool = pool.clone();
        tokio::spawn(async move { run(&pool, &["SET", "key", "again"]).await })
    };
    for node in cluster.nodes() {
        RedisServer::restart(node).await.unwrap();
    }
    cluster.settled().await.unwrap();
    within(waiting).await.unwrap().unwrap();
    assert_eq!(text(&pool, &["GET", "key"]).await, "again");
}

#[tokio::test]
async fn commands_for_a_frozen_node_do_not_take_the_places_of_others() {
    let builder = Cluster::builder().node_timeout(Duration::from_mins(2));
    let cluster = builder.start().await.unwrap();
    let mut settings = settings(&cluster, 3);
    settings.pool.lane_depth = 4;
    settings.pool.response_timeout = Duration::from_secs(3);
    settings.pool.connect_timeout = FOR_EVER;
    settings.pool.timeout = FOR_EVER;
    let pool = pool(settings).await;
    let frozen = &cluster.nodes()[0];
    let (held, free) = freeze(&cluster, &pool, frozen).await;
    let error = within(run(&pool, &["INCR", &held])).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let (pool, key) = (pool.clone(), format!("{{{held}}}{number}"));
            tokio::spawn(async move { run(&pool, &["SET", &key, "after"]).await })
        })
        .collect();
    until(|| pool.status().waiting >= 15).await;
    for _ in 0..100 {
        assert_eq!(text(&pool, &["GET", &free]).await, "before");
    }
    frozen.resume().unwrap();
    for waiting in waiting {
        within(waiting).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn commands_on_a_frozen_node_do_not_take_the_places_of_others() {
    let builder = Cluster::builder().node_timeout(Duration::from_mins(2));
    let cluster = builder.start().await.unwrap();
    let mut settings = settings(&cluster, 3);
    settings.pool.lane_depth = 2;
    settings.pool.response_timeout = FOR_EVER;
    settings.pool.timeout = FOR_EVER;
    let pool = pool(settings).await;
    let frozen = &cluster.nodes()[0];
    let (held, free) = freeze(&cluster, &pool, frozen).await;
    let sent: Vec<_> = (0..20)
        .map(|number| {
            let (pool, key) = (pool.clone(), format!("{{{held}}}{number}"));
            tokio::spawn(async move { run(&pool, &["SET", &key, "after"]).await })
        })
        .collect();
    // Its connection takes two, and the others wait for that, each for the one before it.
    until(|| pool.status().waiting >= 18).await;
    assert_eq!(pool.status().in_flight, 2, "{}", pool.status());
    for _ in 0..100 {
        assert_eq!(text(&pool, &["GET", &free]).await, "before");
    }
    assert_eq!(pool.status().in_flight, 2, "{}", pool.status());
    frozen.resume().unwrap();
    for sent in sent {
        within(sent).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn many_connections_that_end_together_are_one_failure() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 9);
    settings.pool.lane_depth = 1;
    settings.pool.response_timeout = FOR_EVER;
    let pool = pool(settings).await;
    let node = &cluster.nodes()[0];
    let servers = within(pool.servers()).await.unwrap();
    let lane = servers.iter().find(|lane| lane.node().unwrap().port() == node.port()).unwrap();
    // Nobody has so many replicas, so each of these is held on a lane of its own.
    let held = [(); 3].map(|()| {
        let lane = lane.clone();
        tokio::spawn(async move { lane.run(&command(&["WAIT", "9", "0"])).await })
    });
    within(async {
        let is_held = |client: &&redis_testkit::Client| client.command == "wait";
        while node.clients().await.unwrap().iter().filter(is_held).count() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    node.kill_clients().await.unwrap();
    for held in held {
        let error = within(held).await.unwrap().unwrap_err();
        assert!(matches!(error, PoolError::ConnectionLost { .. }), "{error:?}");
    }
    text(&pool, &["SET", &key_of(&cluster, node).await, "1"]).await;
    assert_eq!(pool.snapshot().generations, 1);
}
