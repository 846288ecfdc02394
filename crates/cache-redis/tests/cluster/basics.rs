//! What a cluster does, and what it refuses.

use std::collections::BTreeSet;

use cache_redis::connection::{Value, cmd, from_redis_value, pipe};
use cache_redis::{ConnectReason, PoolError, WaitingFor};
use redis_testkit::RedisServer;

use crate::support::{
    FOR_EVER, cluster, command, key_of, pool, run, seeds, settings, settings_of, sockets, text,
    within,
};

#[tokio::test]
async fn keys_are_found_wherever_they_are() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    assert_eq!(pool.address(), format!("cluster of {}", seeds(&cluster).replace(',', ", ")));
    for number in 0..100 {
        let (key, value) = (format!("key-{number}"), number.to_string());
        text(&pool, &["SET", &key, &value]).await;
        assert_eq!(text(&pool, &["GET", &key]).await, value);
    }
    // One to each master, and none to the replicas.
    let status = pool.status();
    assert_eq!((status.lanes, status.active, status.idle), (1, 0, 3), "{status}");
    assert_eq!(sockets(&cluster).await, 3);
    within(pool.close()).await.unwrap();
    let error = run(&pool, &["GET", "key-1"]).await.unwrap_err();
    assert!(matches!(error, PoolError::Closed), "{error:?}");
}

#[tokio::test]
async fn the_size_has_to_do_for_a_socket_to_each_node() {
    let cluster = cluster().await;
    let small = pool(settings(&cluster, 2)).await;
    let connected = cache_redis::RedisPool::builder(settings(&cluster, 2)).connect();
    for error in [
        within(connected).await.map(drop).unwrap_err(),
        within(run(&small, &["GET", "key"])).await.unwrap_err(),
        within(small.servers()).await.map(drop).unwrap_err(),
    ] {
        let PoolError::ClusterSize { size: 2, lanes: 1, nodes: 3 } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            error.to_string(),
            "redis.pool.size is 2, too small for 1 lane to the 3 nodes of the cluster: a lane has a \
             socket to each node that owns slots, so set redis.pool.size to 3 or more"
        );
    }
    small.resize(7);
    text(&small, &["SET", "key", "value"]).await;
    // Less than a lane needs is as much as it needs.
    small.resize(1);
    assert_eq!(small.status().size, 3);
    assert_eq!(text(&small, &["GET", "key"]).await, "value");
    cache_redis::RedisPool::builder(settings(&cluster, 3)).connect().await.unwrap();
}

#[tokio::test]
async fn what_a_cluster_cannot_do_is_said() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    let error = pool.get().await.unwrap_err();
    assert!(matches!(error, PoolError::NoExclusive), "{error:?}");
    assert!(error.to_string().contains("`lane`"), "{error}");
    for words in [["DBSIZE", ""], ["SCAN", "0"], ["FLUSHALL", "SYNC"]] {
        let error = run(&pool, &words).await.unwrap_err();
        assert!(matches!(error, PoolError::NeedsServer { .. }), "{error:?}");
    }
    let error = run(&pool, &["BLPOP", "key", "1"]).await.unwrap_err();
    assert!(matches!(error, PoolError::NeedsExclusive { .. }), "{error:?}");
    let lane = pool.any_lane();
    let crossed = within(lane.run_all(pipe().set("foo", 1).set("bar", 1))).await.unwrap_err();
    assert_eq!(crossed.server_code(), Some("CROSSSLOT"), "{crossed:?}");
    let crossed = within(lane.run(&command(&["MGET", "foo", "bar"]))).await.unwrap_err();
    assert_eq!(crossed.server_code(), Some("CROSSSLOT"), "{crossed:?}");
    let value: Option<String> =
        from_redis_value(within(lane.run(&command(&["GET", "foo"]))).await.unwrap()).unwrap();
    assert_eq!(value, None);
}

#[tokio::test]
async fn pipelines_and_transactions_keep_to_one_slot() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    for number in 0..20 {
        let keys = ["a", "b"].map(|part| format!("{{{number}}}{part}"));
        let lane = pool.lane(&keys[0]);
        let mut pipeline = pipe();
        pipeline.set(&keys[0], number).ignore().incr(&keys[1], number);
        let answers = within(lane.run_all(&pipeline)).await.unwrap();
        assert_eq!(answers, [Value::Okay, Value::Int(number)]);
        let mut transaction = pipe();
        transaction.atomic().get(&keys[0]).incr(&keys[1], 1);
        let answers = within(lane.run_all(&transaction)).await.unwrap();
        let text = Value::BulkString(number.to_string().into_bytes());
        assert_eq!(answers, [text, Value::Int(number + 1)]);
        let mut wrong = pipe();
        wrong.atomic().set(&keys[0], 1).cmd("LPUSH").arg(&keys[1]);
        let error = within(lane.run_all(&wrong)).await.unwrap_err();
        assert!(matches!(error, PoolError::Server { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn each_server_can_be_asked_by_itself() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    for number in 0..100 {
        text(&pool, &["SET", &format!("key-{number}"), "value"]).await;
    }
    let mut keys = 0;
    let mut ports = BTreeSet::new();
    for server in within(pool.servers()).await.unwrap() {
        ports.insert(server.node().unwrap().port());
        let answer = within(server.run(&cmd("DBSIZE"))).await.unwrap();
        keys += from_redis_value::<usize>(answer).unwrap();
    }
    assert_eq!(keys, 100);
    assert_eq!(ports, cluster.nodes()[..3].iter().map(RedisServer::port).collect());
    // What the chosen node answers is the answer.
    let strange = key_of(&cluster, &cluster.nodes()[1]).await;
    let servers = within(pool.servers()).await.unwrap();
    let first = cluster.nodes()[0].port();
    let first = servers.iter().find(|lane| lane.node().unwrap().port() == first).unwrap();
    let error = within(first.run(&command(&["GET", &strange]))).await.unwrap_err();
    assert_eq!(error.server_code(), Some("MOVED"), "{error:?}");
}

#[tokio::test]
async fn a_server_without_a_cluster_is_said_at_once() {
    let server = RedisServer::builder().start().await.unwrap();
    let mut settings = settings_of(&[("REDIS_CLUSTER_SEEDS", &server.address().to_string())]);
    settings.pool.timeout = FOR_EVER;
    let pool = pool(settings).await;
    let error = within(run(&pool, &["GET", "key"])).await.unwrap_err();
    let PoolError::Connect(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.reason(), ConnectReason::NoCluster, "{error}");
    assert!(error.to_string().contains("redis.cluster.seeds"), "{error}");
}

#[tokio::test]
async fn nobody_at_the_seeds_is_a_wait_that_ends() {
    let server = RedisServer::builder().start().await.unwrap();
    let address = server.address().to_string();
    server.kill().unwrap();
    let mut settings = settings_of(&[("REDIS_CLUSTER_SEEDS", &address)]);
    settings.pool.timeout = std::time::Duration::from_secs(3);
    let pool = pool(settings).await;
    let error = within(run(&pool, &["GET", "key"])).await.unwrap_err();
    let PoolError::WaitTimedOut(late) = &error else { panic!("{error:?}") };
    assert_eq!(late.waiting_for, WaitingFor::Connection);
    assert!(error.to_string().contains(&format!("cannot connect to {address}")), "{error}");
    assert!(!error.is_outcome_unknown() && error.is_retryable());
}

#[tokio::test]
async fn a_seed_that_is_no_part_of_the_cluster_does_not_hide_it() {
    let (cluster, alone) = (cluster().await, RedisServer::builder().start().await.unwrap());
    let mut settings = settings_of(&[(
        "REDIS_CLUSTER_SEEDS",
        &format!("{},{}", alone.address(), seeds(&cluster)),
    )]);
    settings.pool.size = 3;
    let pool = pool(settings).await;
    text(&pool, &["SET", "key", "value"]).await;
}

#[tokio::test]
async fn a_script_is_loaded_to_every_master() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    let load = command(&["SCRIPT", "LOAD", "return KEYS[1]"]);
    let hash: String =
        from_redis_value(within(pool.lane("any").run(&load)).await.unwrap()).unwrap();
    for master in &cluster.nodes()[..3] {
        let key = key_of(&cluster, master).await;
        let call = command(&["EVALSHA", &hash, "1", &key]);
        let answer: String =
            from_redis_value(within(pool.lane(&key).run(&call)).await.unwrap()).unwrap();
        assert_eq!(answer, key);
    }
    let wrong = command(&["SCRIPT", "LOAD", "return ("]);
    let error = within(pool.any_lane().run(&wrong)).await.unwrap_err();
    assert!(matches!(error, PoolError::Server { .. }), "{error:?}");
}
