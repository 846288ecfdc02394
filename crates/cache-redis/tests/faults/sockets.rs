//! The server never sees more sockets than the size says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cache_redis::{RedisPool, RedisSettings};
use redis_testkit::{End, Event, Fault, FaultProxy, Happened, RedisServer};
use tokio::task::JoinHandle;

use crate::support::{WAYS, Way, pool, run, settings, text, until, within};

/// Callers that go on until they are told to stop, whatever fails.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(pool: &RedisPool, callers: usize, ways: &[Way]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let callers = (0..callers)
            .map(|number| {
                let (pool, stop, done) = (pool.clone(), stop.clone(), done.clone());
                let way = ways[number % ways.len()];
                tokio::spawn(async move {
                    let word = number.to_string();
                    while !stop.load(Ordering::SeqCst) {
                        match run(&pool, way, &["ECHO", &word]).await {
                            Ok(_) => done.fetch_add(1, Ordering::SeqCst),
                            Err(error) => {
                                assert!(error.is_retryable(), "{error:?}");
                                0
                            }
                        };
                    }
                })
            })
            .collect();
        Self { stop, done, callers }
    }

    /// Returns when so many more operations have succeeded.
    async fn goes_on(&self, operations: usize) {
        let goal = self.done.load(Ordering::SeqCst) + operations;
        until(|| self.done.load(Ordering::SeqCst) >= goal).await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        for caller in self.callers {
            within(caller).await.unwrap();
        }
    }
}

fn small(url: &str, size: usize) -> RedisSettings {
    let mut settings = settings(url);
    settings.pool.size = size;
    settings.pool.max_idle = size;
    settings.pool.lane_depth = 2;
    settings
}

#[tokio::test]
async fn a_hundred_callers_share_one_socket() {
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start(server.address()).unwrap();
    let pool = pool(small(&format!("redis://{}/0", network.address()), 1)).await;
    for ways in [[Way::Exclusive; 2], [Way::Lane; 2], WAYS] {
        let callers: Vec<_> = (0..100)
            .map(|number: usize| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let word = number.to_string();
                    for _ in 0..5 {
                        assert_eq!(text(&pool, ways[number % 2], &["ECHO", &word]).await, word);
                    }
                })
            })
            .collect();
        for caller in callers {
            within(caller).await.unwrap();
        }
        assert_eq!(server.sockets().await.unwrap(), 1);
    }
    assert_eq!(network.log().most_open, 1);
    assert_eq!(pool.snapshot().exhausted, 0);
}

#[tokio::test]
async fn whoever_needs_a_connection_gets_one_from_lanes_that_are_never_idle() {
    let server = RedisServer::builder().start().await.unwrap();
    for size in [1, 2, 5] {
        let pool = pool(small(&server.url(), size)).await;
        let load = Load::start(&pool, 20, &[Way::Lane]);
        load.goes_on(20).await;
        for number in 0..20 {
            let word = number.to_string();
            assert_eq!(text(&pool, Way::Exclusive, &["ECHO", &word]).await, word);
            load.goes_on(20).await;
        }
        load.end().await;
        assert_eq!(pool.snapshot().exhausted, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_lists_no_more_clients_than_the_size_through_kills_and_restarts() {
    let server = RedisServer::builder().start().await.unwrap();
    let pool = pool(small(&server.url(), 4)).await;
    let load = Load::start(&pool, 40, &WAYS);
    for round in 0..12 {
        load.goes_on(50).await;
        for _ in 0..10 {
            let sockets = server.sockets().await.unwrap();
            assert!(sockets <= 4, "{sockets} sockets");
        }
        if round % 4 == 3 {
            server.kill().unwrap();
            server.restart().await.unwrap();
        } else {
            server.kill_clients().await.unwrap();
        }
        for _ in 0..10 {
            let sockets = server.sockets().await.unwrap();
            assert!(sockets <= 4, "{sockets} sockets");
        }
    }
    load.goes_on(50).await;
    load.end().await;
    assert!(server.sockets().await.unwrap() <= 4);
    assert!(pool.status().active == 0, "{}", pool.status());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_network_carries_no_more_connections_than_the_size_through_every_fault() {
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start(server.address()).unwrap();
    let mut settings = small(&format!("redis://{}/0", network.address()), 4);
    settings.pool.timeout = Duration::from_secs(1);
    settings.pool.connect_timeout = Duration::from_millis(200);
    settings.pool.response_timeout = Duration::from_millis(200);
    let pool = pool(settings).await;
    let load = Load::start(&pool, 40, &WAYS);
    let faults =
        [Fault::Reset, Fault::BlackHole, Fault::Refuse, Fault::Delay(Duration::from_millis(2))];
    for fault in faults {
        for end in [End::Close, End::Reset, End::Silence] {
            load.goes_on(50).await;
            network.end_all(end).await.unwrap();
            load.goes_on(50).await;
            let cuts = network.log().count(Happened::Cut);
            network.cut_reply(3, end);
            within(network.wait_for(|log| log.count(Happened::Cut) > cuts)).await.unwrap();
        }
        load.goes_on(50).await;
        let failures = pool.snapshot().timed_out + pool.snapshot().generations;
        network.set_fault(fault).await.unwrap();
        let is_harmless = matches!(fault, Fault::Delay(_) | Fault::Refuse);
        until(|| is_harmless || pool.snapshot().timed_out + pool.snapshot().generations > failures)
            .await;
        network.set_fault(Fault::None).await.unwrap();
    }
    load.goes_on(50).await;
    load.end().await;
    let log = network.log();
    assert!(log.most_open <= 4, "{} open, {} accepted", log.most_open, log.accepted);
}

/// Insists that no more were accepted since a moment than a rate allows.
///
/// A busy machine lets some of them come later than they were made, and so many at a time; but none
/// comes earlier, so that there are never more than the time since that moment has room for.
fn check_rate(events: &[Event], since: Instant, rate: usize) {
    let accepted = events.iter().filter(|event| event.happened == Happened::Accepted);
    for (before, event) in accepted.enumerate() {
        let seconds = usize::try_from((event.at - since).as_secs()).unwrap() + 1;
        assert!(before < rate * seconds, "{} within {seconds} s", before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_waiters_do_not_storm_a_server_that_is_back() {
    const SIZE: usize = 10;
    const RATE: usize = 20;
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start(server.address()).unwrap();
    let mut settings = settings(&format!("redis://{}/0", network.address()));
    settings.pool.size = SIZE;
    settings.pool.connect_rate = RATE;
    let pool = pool(settings).await;
    network.set_fault(Fault::Reset).await.unwrap();
    let begun = Instant::now();
    let waiting: Vec<_> = (0..1000)
        .map(|number| {
            let (pool, way) = (pool.clone(), WAYS[number % 2]);
            tokio::spawn(async move { run(&pool, way, &["PING"]).await })
        })
        .collect();
    within(network.wait_for(|log| log.accepted >= 50)).await.unwrap();
    network.set_fault(Fault::None).await.unwrap();
    for waiting in waiting {
        within(waiting).await.unwrap().unwrap();
    }
    let log = network.log();
    assert!(log.most_open <= SIZE, "{} open", log.most_open);
    check_rate(&log.events, begun, RATE);
}
