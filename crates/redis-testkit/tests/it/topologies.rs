//! Servers that belong together, and what they do when one of them fails.

use redis_testkit::{Certificates, ClientCertificates, Cluster, RedisServer, Sentinels};

use crate::support::{ask, connect};

#[tokio::test]
async fn sentinels_promote_a_replica_when_the_master_is_killed() {
    let group = Sentinels::builder()
        .server(RedisServer::builder().password("secret"))
        .service("store")
        .start()
        .await
        .unwrap();
    let master = group.master().await.unwrap();
    assert_eq!(master.port(), group.servers()[0].port());
    assert_eq!(group.addresses().len(), 3);
    assert_eq!(master.sockets().await.unwrap(), 0, "Sentinels and replicas do not count");
    let mut client = connect(&master.url()).await.unwrap();
    let () = ask(&mut client, &["SET", "key", "value"]).await.unwrap();
    assert_eq!(ask::<i64>(&mut client, &["WAIT", "1", "0"]).await.unwrap(), 1);
    master.kill().unwrap();
    let promoted = group.master_after(master).await.unwrap();
    assert_eq!(promoted.port(), group.servers()[1].port());
    assert_eq!(promoted.command(&["GET", "key"]).await.unwrap().text(), Some("value"));
    // It comes back as a replica, and takes the lead again when it is asked to.
    master.restart().await.unwrap();
    group.settled().await.unwrap();
    assert_eq!(group.failover().await.unwrap().port(), master.port());
}

#[tokio::test]
async fn a_cluster_heals_when_a_master_is_killed_and_hands_its_place_over() {
    let cluster = Cluster::builder().start().await.unwrap();
    let slot = cluster.slot_of(b"key").await.unwrap();
    let master = cluster.owner(slot).await.unwrap();
    master.command(&["SET", "key", "value"]).await.unwrap();
    master.command(&["WAIT", "1", "0"]).await.unwrap();
    master.kill().unwrap();
    let heir = cluster.owner(slot).await.unwrap();
    assert_ne!(heir.port(), master.port());
    assert_eq!(heir.command(&["GET", "key"]).await.unwrap().text(), Some("value"));
    master.restart().await.unwrap();
    cluster.settled().await.unwrap();
    let again = cluster.failover(heir).await.unwrap();
    assert_eq!(again.port(), master.port());
    assert_eq!(cluster.owner(slot).await.unwrap().port(), master.port());
}

#[tokio::test]
async fn a_slot_moves_with_its_keys_in_steps() {
    let cluster =
        Cluster::builder().server(RedisServer::builder().password("secret")).start().await.unwrap();
    let slot = cluster.slot_of(b"{tag}").await.unwrap();
    let from = cluster.owner(slot).await.unwrap();
    let keys: Vec<Vec<u8>> =
        (0..10).map(|number| [b"{tag}\xff".as_slice(), &[number]].concat()).collect();
    for key in &keys {
        from.command(&[b"SET".as_slice(), key, b"value"]).await.unwrap();
    }
    let to = cluster.nodes()[..3].iter().find(|node| node.port() != from.port()).unwrap();
    let migration = cluster.begin_move(slot, to).await.unwrap();
    assert_eq!((migration.from().port(), migration.to().port()), (from.port(), to.port()));
    assert_eq!(migration.move_keys(4).await.unwrap(), 4);
    let mut asked = 0;
    for key in &keys {
        match from.command(&[b"GET".as_slice(), key]).await {
            Ok(reply) => assert_eq!(reply.text(), Some("value")),
            Err(error) => {
                assert!(error.to_string().contains("ASK"), "{error}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 4);
    migration.finish().await.unwrap();
    assert_eq!(cluster.owner(slot).await.unwrap().port(), to.port());
    for key in &keys {
        assert_eq!(to.command(&[b"GET".as_slice(), key]).await.unwrap().text(), Some("value"));
    }
    let moved = from.command(&[b"GET".as_slice(), &keys[0]]).await.unwrap_err().to_string();
    assert!(moved.contains("MOVED"), "{moved}");
}

#[tokio::test]
async fn servers_that_belong_together_speak_tls_with_each_other() {
    let files = Certificates::generate().unwrap();
    let server =
        RedisServer::builder().tls(&files, ClientCertificates::Required).password("secret");
    let group = Sentinels::builder().server(server.clone()).start().await.unwrap();
    let master = group.master().await.unwrap();
    assert!(master.url().starts_with("rediss://"));
    let promoted = group.failover().await.unwrap();
    assert_ne!(promoted.port(), master.port());
    drop(group);
    let cluster = Cluster::builder().server(server).start().await.unwrap();
    let slot = cluster.slot_of(b"key").await.unwrap();
    let owner = cluster.owner(slot).await.unwrap();
    owner.command(&["SET", "key", "value"]).await.unwrap();
    let to = cluster.nodes()[..3].iter().find(|node| node.port() != owner.port()).unwrap();
    cluster.move_slot(slot, to).await.unwrap();
    assert_eq!(to.command(&["GET", "key"]).await.unwrap().text(), Some("value"));
}
