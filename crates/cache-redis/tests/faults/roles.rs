//! Masters that become replicas, by an order or by a fail-over.

use std::time::Duration;

use cache_redis::{PoolError, RedisPool};
use redis_testkit::{Durability, FaultProxy, RedisServer, Sentinels};

use crate::support::{WAYS, Way, pool, run, settings, settings_of, text, within};

#[tokio::test]
async fn after_the_first_refusal_of_a_replica_writes_go_to_the_new_master() {
    for way in WAYS {
        let master = RedisServer::builder().start().await.unwrap();
        let replica = RedisServer::builder().start().await.unwrap();
        replica.replicate(&master).await.unwrap();
        // An address that stands for the master, as a name in a network does.
        let address = FaultProxy::start(master.address()).unwrap();
        let pool = pool(settings(&format!("redis://{}/0", address.address()))).await;
        assert_eq!(text(&pool, way, &["SET", "key", "before"]).await, "OK");
        replica.promote().await.unwrap();
        master.replicate(&replica).await.unwrap();
        address.set_target(replica.address());
        let error = within(run(&pool, way, &["SET", "key", "refused"])).await.unwrap_err();
        assert_eq!(error.server_code(), Some("READONLY"), "{way:?} {error:?}");
        assert!(error.is_retryable() && !error.is_outcome_unknown());
        for other in WAYS {
            assert_eq!(text(&pool, other, &["SET", "key", "after"]).await, "OK");
        }
        assert_eq!(replica.command(&["GET", "key"]).await.unwrap().text(), Some("after"));
    }
}

/// A pool that asks the Sentinels for the master.
async fn pool_of(group: &Sentinels) -> RedisPool {
    let nodes: Vec<_> = group.addresses().iter().map(ToString::to_string).collect();
    let nodes = nodes.join(",");
    let variables = [
        ("REDIS_SENTINEL_SERVICE", group.service()),
        ("REDIS_SENTINEL_NODES", &nodes),
        ("REDIS_PASSWORD", "secret"),
    ];
    let mut settings = settings_of(&variables);
    settings.pool.connect_rate = 100_000;
    pool(settings).await
}

/// Writes until it is done: every failure may be met by trying again.
async fn write(pool: &RedisPool, way: Way, value: &str) -> usize {
    let mut failures = 0;
    within(async {
        while let Err(error) = run(pool, way, &["SET", "key", value]).await {
            assert!(error.is_retryable(), "{way:?} {error:?}");
            failures += 1;
        }
    })
    .await;
    failures
}

#[tokio::test]
async fn writes_follow_the_master_that_sentinels_name() {
    let server = RedisServer::builder().password("secret").durability(Durability::Always);
    // Long enough that a busy machine is not taken for a death.
    let down_after = Duration::from_secs(3);
    let group = Sentinels::builder().server(server).down_after(down_after).start().await.unwrap();
    let pool = pool_of(&group).await;
    let first = within(group.master()).await.unwrap();
    for way in WAYS {
        assert_eq!(write(&pool, way, "before").await, 0);
    }
    assert_eq!(first.command(&["GET", "key"]).await.unwrap().text(), Some("before"));

    first.kill().unwrap();
    let second = group.master_after(first).await.unwrap();
    for way in WAYS {
        write(&pool, way, "after a death").await;
    }
    assert_eq!(second.command(&["GET", "key"]).await.unwrap().text(), Some("after a death"));

    first.restart().await.unwrap();
    group.settled().await.unwrap();
    let third = group.failover().await.unwrap();
    assert_eq!(third.port(), first.port());
    // Until then the former master takes writes, and loses them.
    group.settled().await.unwrap();
    for way in WAYS {
        write(&pool, way, "after an order").await;
    }
    assert_eq!(third.command(&["GET", "key"]).await.unwrap().text(), Some("after an order"));
}

#[tokio::test]
async fn a_service_that_no_sentinel_knows_is_told_at_the_deadline() {
    let group = Sentinels::builder().start().await.unwrap();
    let nodes = group.addresses()[0].to_string();
    let mut settings =
        settings_of(&[("REDIS_SENTINEL_SERVICE", "unknown"), ("REDIS_SENTINEL_NODES", &nodes)]);
    settings.pool.timeout = Duration::from_secs(3);
    let pool = pool(settings).await;
    for way in WAYS {
        let error = within(run(&pool, way, &["PING"])).await.unwrap_err();
        let PoolError::WaitTimedOut(waited) = &error else { panic!("{way:?} {error:?}") };
        let reason = waited.last_failure.as_ref().map(|failure| failure.reason());
        assert_eq!(reason, Some(cache_redis::ConnectReason::NoMaster), "{error}");
    }
}
