//! Slots that move to other nodes under load.

use redis_testkit::{Cluster, RedisServer};

use crate::load::{CONVERSATIONS, Load};
use crate::servers;

/// The slots that conversations lie in.
async fn slots(cluster: &Cluster) -> Vec<u16> {
    let mut slots = Vec::new();
    for node in &cluster.nodes()[..3] {
        let keys = node.command(&["KEYS", "turnledger:{*}m*"]).await.unwrap();
        for key in keys.array() {
            slots.push(cluster.slot_of(key.text().unwrap().as_bytes()).await.unwrap());
        }
    }
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// A master that does not own a slot.
async fn other(cluster: &Cluster, slot: u16) -> &RedisServer {
    let owner = cluster.owner(slot).await.unwrap().port();
    cluster.nodes()[..3].iter().find(|node| node.port() != owner).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_while_slots_move() {
    let cluster = &servers::cluster(RedisServer::builder()).await;
    let stores = servers::open_two(cluster).await;
    let load = Load::start(&stores);
    load.all_go_on().await;
    let slots = slots(cluster).await;
    assert!(slots.len() > CONVERSATIONS / 2, "{slots:?}");
    for slot in &slots {
        load.goes_on(20).await;
        cluster.move_slot(*slot, other(cluster, *slot).await).await.unwrap();
    }
    for slot in &slots {
        load.goes_on(20).await;
        // Its keys are in two places for a while.
        let moving = cluster.begin_move(*slot, other(cluster, *slot).await).await.unwrap();
        load.goes_on(10).await;
        while moving.move_keys(1).await.unwrap() > 0 {
            load.goes_on(10).await;
        }
        moving.finish().await.unwrap();
    }
    load.all_go_on().await;
    assert_eq!(load.end(&stores[0]).await, 0, "acknowledged messages that are lost");
}
