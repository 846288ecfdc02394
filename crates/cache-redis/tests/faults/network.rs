//! A network that cuts, swallows, resets and delays.

use std::time::Duration;

use cache_redis::{PoolError, RedisPool, RedisSettings};
use redis_testkit::{End, Fault, FaultProxy, RedisServer};

use crate::support::{FOR_EVER, WAYS, Way, pool, run, settings, text, until, warm_up, within};

/// A server, the network before it, and a pool that connects through it.
struct Scene {
    server: RedisServer,
    network: FaultProxy,
    pool: RedisPool,
}

impl Scene {
    async fn new(change: impl FnOnce(&mut RedisSettings)) -> Self {
        let server = RedisServer::builder().start().await.unwrap();
        let network = FaultProxy::start(server.address()).unwrap();
        let mut settings = settings(&format!("redis://{}/0", network.address()));
        change(&mut settings);
        Self { server, network, pool: pool(settings).await }
    }

    async fn stored(&self, key: &str) -> Option<String> {
        let reply = self.server.command(&["GET", key]).await.unwrap();
        reply.text().map(ToOwned::to_owned)
    }
}

#[tokio::test]
async fn a_reply_that_is_cut_anywhere_is_an_error_and_never_a_wrong_answer() {
    // `$12`, two line ends and the value.
    let reply = b"$12\r\ntwelve bytes\r\n".len() as u64;
    for way in WAYS {
        for end in [End::Close, End::Reset] {
            let scene = Scene::new(|_| ()).await;
            assert_eq!(text(&scene.pool, way, &["SET", "key", "twelve bytes"]).await, "OK");
            for after in 0..reply {
                scene.network.cut_reply(after, end);
                let error = within(run(&scene.pool, way, &["GET", "key"])).await.unwrap_err();
                assert!(
                    matches!(error, PoolError::ConnectionLost { outcome_unknown: false, .. }),
                    "{way:?} {after} {error:?}"
                );
                // No cut is armed any more, and no other connection is spoilt.
                assert_eq!(text(&scene.pool, way, &["GET", "key"]).await, "twelve bytes");
            }
        }
    }
}

#[tokio::test]
async fn a_write_whose_reply_is_cut_is_done_once_and_says_that_this_is_not_known() {
    for way in WAYS {
        let scene = Scene::new(|_| ()).await;
        warm_up(&scene.pool, 1).await;
        // `:1` and a line end, while the counter has one digit.
        for after in 0..4 {
            scene.network.cut_reply(after, End::Close);
            let error = within(run(&scene.pool, way, &["INCR", "count"])).await.unwrap_err();
            assert!(error.is_outcome_unknown(), "{way:?} {after} {error:?}");
            // The next command cannot overtake it, for the server has answered it.
            let count = (after + 1).to_string();
            assert_eq!(text(&scene.pool, way, &["GET", "count"]).await, count);
        }
        assert_eq!(scene.stored("count").await.as_deref(), Some("4"));
    }
}

#[tokio::test]
async fn a_half_open_connection_is_found_out_once() {
    for way in WAYS {
        let scene = Scene::new(|settings| {
            settings.pool.response_timeout = Duration::from_secs(3);
        })
        .await;
        warm_up(&scene.pool, 6).await;
        assert!(scene.network.end_all(End::Silence).await.unwrap() >= 6);
        let error = within(run(&scene.pool, way, &["GET", "key"])).await.unwrap_err();
        assert!(matches!(error, PoolError::ResponseTimedOut { .. }), "{way:?} {error:?}");
        // The other five are as dead, and nobody has to find that out.
        for number in 0..20 {
            let word = number.to_string();
            assert_eq!(text(&scene.pool, WAYS[number % 2], &["ECHO", &word]).await, word);
        }
    }
}

#[tokio::test]
async fn what_is_in_flight_when_connections_are_reset_ends_at_once() {
    for way in WAYS {
        let scene = Scene::new(|settings| settings.pool.response_timeout = FOR_EVER).await;
        warm_up(&scene.pool, 4).await;
        scene.network.set_fault(Fault::Delay(FOR_EVER)).await.unwrap();
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let pool = scene.pool.clone();
                tokio::spawn(async move { run(&pool, way, &["INCR", "count"]).await })
            })
            .collect();
        // The server has done them when it has counted them; the replies are held.
        within(async {
            while scene.stored("count").await.as_deref() != Some("4") {
                tokio::task::yield_now().await;
            }
        })
        .await;
        scene.network.end_all(End::Reset).await.unwrap();
        for waiting in waiting {
            let error = within(waiting).await.unwrap().unwrap_err();
            assert!(error.is_outcome_unknown(), "{way:?} {error:?}");
        }
        scene.network.set_fault(Fault::None).await.unwrap();
        assert_eq!(text(&scene.pool, way, &["GET", "count"]).await, "4");
    }
}

#[tokio::test]
async fn a_black_hole_holds_nobody_and_is_left_behind() {
    for way in WAYS {
        let scene = Scene::new(|settings| {
            settings.pool.timeout = Duration::from_secs(4);
            settings.pool.connect_timeout = Duration::from_secs(2);
            settings.pool.response_timeout = Duration::from_secs(3);
        })
        .await;
        warm_up(&scene.pool, 4).await;
        scene.network.set_fault(Fault::BlackHole).await.unwrap();
        let error = within(run(&scene.pool, way, &["GET", "key"])).await.unwrap_err();
        assert!(matches!(error, PoolError::ResponseTimedOut { .. }), "{way:?} {error:?}");
        let error = within(run(&scene.pool, way, &["GET", "key"])).await.unwrap_err();
        assert!(matches!(error, PoolError::WaitTimedOut(_)), "{way:?} {error:?}");
        scene.network.set_fault(Fault::None).await.unwrap();
        assert_eq!(text(&scene.pool, way, &["ECHO", "back"]).await, "back");
    }
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_tried_until_it_listens() {
    let scene = Scene::new(|_| ()).await;
    scene.network.set_fault(Fault::Refuse).await.unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let (pool, way) = (scene.pool.clone(), WAYS[number % 2]);
            tokio::spawn(async move { run(&pool, way, &["PING"]).await })
        })
        .collect();
    // An attempt has failed when the pool counts one.
    until(|| scene.pool.snapshot().connect_failures.iter().any(|(_, count)| *count > 0)).await;
    scene.network.set_fault(Fault::None).await.unwrap();
    for waiting in waiting {
        within(waiting).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_slow_network_mixes_no_answers_up() {
    let scene = Scene::new(|settings| settings.pool.size = 4).await;
    scene.network.set_fault(Fault::Delay(Duration::from_millis(5))).await.unwrap();
    let callers: Vec<_> = (0..200)
        .map(|number: usize| {
            let pool = scene.pool.clone();
            tokio::spawn(async move {
                let word = number.to_string();
                let way = if number.is_multiple_of(10) { Way::Exclusive } else { Way::Lane };
                assert_eq!(text(&pool, way, &["ECHO", &word]).await, word);
            })
        })
        .collect();
    for caller in callers {
        within(caller).await.unwrap();
    }
    assert!(scene.network.log().most_open <= 4);
}
