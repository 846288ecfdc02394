//! The nodes together never see more sockets than the size says.

use std::time::Duration;

use cache_redis::{RedisPool, RedisSettings};
use redis_testkit::Cluster;

use crate::support::{
    FOR_EVER, Load, Warnings, add_master, cluster, hold, key_of, pool, settings, sockets, text,
    until, within,
};

/// Lanes of few commands, so that load asks for as many as there may be.
fn small(cluster: &Cluster, size: usize) -> RedisSettings {
    let mut settings = settings(cluster, size);
    settings.pool.lane_depth = 2;
    settings
}

async fn check_sockets(cluster: &Cluster, most: usize) {
    for _ in 0..5 {
        let sockets = sockets(cluster).await;
        assert!(sockets <= most, "{sockets} sockets");
    }
}

/// Does something while all nodes are asked again and again how many sockets they see.
async fn watched(cluster: &Cluster, most: usize, happens: impl Future<Output = ()>) {
    let watching = async {
        loop {
            check_sockets(cluster, most).await;
        }
    };
    tokio::select! {
        () = happens => check_sockets(cluster, most).await,
        () = watching => {}
    }
}

/// Waits until as many lanes are open as there is room for.
async fn all_lanes(pool: &RedisPool, lanes: usize) {
    until(|| pool.status().lanes >= lanes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lanes_are_opened_as_far_as_they_have_room_and_closed_when_idle() {
    let cluster = cluster().await;
    let mut settings = small(&cluster, 8);
    settings.pool.idle_timeout = Duration::from_millis(1);
    let pool = pool(settings).await;
    let load = Load::start(&pool, 40);
    // Two lanes to three masters; a third one would need nine sockets.
    all_lanes(&pool, 2).await;
    load.goes_on(500).await;
    assert_eq!(pool.status().lanes, 2);
    check_sockets(&cluster, 6).await;
    load.end().await;
    within(async {
        while pool.status().idle > 0 || sockets(&cluster).await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(pool.snapshot().exhausted, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_bound_holds_through_kills_fail_overs_and_moves() {
    let cluster = cluster().await;
    let pool = pool(small(&cluster, 7)).await;
    let load = Load::start(&pool, 40);
    all_lanes(&pool, 2).await;
    watched(&cluster, 7, async {
        for _ in 0..5 {
            for node in cluster.nodes() {
                node.kill_clients().await.unwrap();
            }
            load.goes_on(50).await;
        }
        // A master that is well gives up its place.
        cluster.failover(&cluster.nodes()[0]).await.unwrap();
        load.goes_on(200).await;
        // One is killed, and its replica takes over.
        let (killed, replica) = (&cluster.nodes()[1], &cluster.nodes()[4]);
        killed.kill().unwrap();
        replica.command(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await.unwrap();
        cluster.settled().await.unwrap();
        load.goes_on(200).await;
        killed.restart().await.unwrap();
        load.goes_on(200).await;
        for number in 0..5 {
            let slot = cluster.slot_of(Load::key(number).as_bytes()).await.unwrap();
            let owner = cluster.owner(slot).await.unwrap().port();
            let to = if owner == cluster.nodes()[2].port() { replica } else { &cluster.nodes()[2] };
            cluster.move_slot(slot, to).await.unwrap();
        }
        load.goes_on(200).await;
    })
    .await;
    load.end().await;
    check_sockets(&cluster, 7).await;
    let status = pool.status();
    assert_eq!((status.active, status.in_flight), (0, 0), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lanes_are_closed_where_the_cluster_has_come_to_have_more_nodes() {
    let warnings = Warnings::listen();
    let cluster = cluster().await;
    let pool = pool(small(&cluster, 7)).await;
    let load = Load::start(&pool, 40);
    all_lanes(&pool, 2).await;
    assert_eq!(warnings.text(), "");
    let new = add_master(&cluster).await;
    for number in 0..5 {
        let slot = cluster.slot_of(Load::key(number).as_bytes()).await.unwrap();
        cluster.move_slot(slot, new).await.unwrap();
    }
    until(|| pool.status().lanes <= 1).await;
    check_sockets(&cluster, 7).await;
    load.goes_on(200).await;
    load.end().await;
    assert_eq!(pool.status().lanes, 1);
    assert_eq!(within(pool.servers()).await.unwrap().len(), 4);
    let told = warnings.text();
    for part in ["WARN", "raise redis.pool.size", "size=7", "lanes=2", "nodes=4"] {
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test]
async fn idle_ones_are_kept_and_closed_as_the_settings_say() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 9);
    settings.pool.min_idle = 4;
    let pool = pool(settings).await;
    // Without any command.
    until(|| pool.status().idle >= 4).await;
    assert_eq!(sockets(&cluster).await, 4);
    within(pool.close()).await.unwrap();
    within(async {
        while sockets(&cluster).await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_slot_moves_to_a_new_node_with_no_socket_to_spare() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.timeout = FOR_EVER;
    let pool = pool(settings).await;
    for master in &cluster.nodes()[..3] {
        text(&pool, &["SET", &key_of(&cluster, master).await, "1"]).await;
    }
    assert_eq!(pool.status().idle, 3);
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    let slot = cluster.slot_of(key.as_bytes()).await.unwrap();
    let new = add_master(&cluster).await;
    let moving = cluster.begin_move(slot, new).await.unwrap();
    assert_eq!(moving.move_keys(10).await.unwrap(), 1);
    // The new node owns no slot yet, and the former owner sends everybody there.
    for count in 2..10 {
        assert_eq!(text(&pool, &["INCR", &key]).await, count.to_string());
    }
    check_sockets(&cluster, 3).await;
    assert!(pool.snapshot().reaped.contains(&("made_room", 1)), "{:?}", pool.snapshot());
}

#[tokio::test]
async fn a_connection_with_commands_on_it_is_active_however_it_ends() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 3);
    settings.pool.max_lifetime = Some(Duration::from_millis(1));
    settings.pool.response_timeout = FOR_EVER;
    let pool = pool(settings).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    text(&pool, &["SET", &key, "1"]).await;
    let held = hold(&pool, &key, &cluster.nodes()[0]);
    let is_aged = |(word, _): &(&str, u64)| *word == "max_lifetime";
    until(|| pool.status().in_flight > 0 && pool.snapshot().reaped.iter().any(is_aged)).await;
    let status = pool.status();
    assert_eq!((status.active, status.idle), (1, 0), "{status}");
    cluster.nodes()[0].resume().unwrap();
    within(held).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lanes_whose_connections_have_gone_are_closed() {
    let cluster = cluster().await;
    let mut settings = small(&cluster, 6);
    settings.pool.max_idle = 0;
    settings.pool.idle_timeout = Duration::from_millis(1500);
    let pool = pool(settings).await;
    let load = Load::start(&pool, 40);
    all_lanes(&pool, 2).await;
    load.end().await;
    until(|| pool.status().lanes == 0).await;
}
