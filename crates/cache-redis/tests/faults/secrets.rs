//! What the pool tells of itself, in errors, logs and metrics, and that no password is in it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_redis::metrics::names;
use cache_redis::{PoolError, RedisSettings};
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use redis_testkit::{Cluster, RedisServer, Sentinels};
use tracing::level_filters::LevelFilter;

use crate::support::{WAYS, Way, pool, run, settings, settings_of, text, until, within};

const CANARY: &str = "canary-5b3e";

/// All that is told, and how often each metric was.
#[derive(Clone, Default)]
struct Told {
    text: Arc<Mutex<String>>,
    metrics: Arc<Mutex<BTreeMap<String, Arc<Times>>>>,
}

#[derive(Default)]
struct Times(AtomicU64);

impl HistogramFn for Times {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl metrics::CounterFn for Times {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

impl metrics::GaugeFn for Times {
    fn increment(&self, _: f64) {
        self.record(0.0);
    }

    fn decrement(&self, _: f64) {
        self.record(0.0);
    }

    fn set(&self, _: f64) {
        self.record(0.0);
    }
}

impl Told {
    /// Listens to the logs and metrics of this process from now on.
    fn listen() -> Self {
        let told = Self::default();
        let writer = told.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        assert!(metrics::set_global_recorder(told.clone()).is_ok(), "there is another recorder");
        told
    }

    fn debug(&self, value: &dyn Debug) {
        writeln!(self.text.lock().unwrap(), "{value:?} {value:#?}").unwrap();
    }

    fn error(&self, error: &PoolError) {
        self.debug(error);
        let mut cause: Option<&dyn Error> = Some(error);
        while let Some(error) = cause {
            writeln!(self.text.lock().unwrap(), "{error}").unwrap();
            cause = error.source();
        }
    }

    fn metric(&self, key: &Key) -> Arc<Times> {
        writeln!(self.text.lock().unwrap(), "{key:?}").unwrap();
        let mut metrics = self.metrics.lock().unwrap();
        Arc::clone(metrics.entry(key.name().to_owned()).or_default())
    }

    fn times(&self, name: &str) -> u64 {
        self.metrics.lock().unwrap().get(name).map_or(0, |times| times.0.load(Ordering::SeqCst))
    }

    fn has(&self, text: &str) -> bool {
        self.text.lock().unwrap().contains(text)
    }
}

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Recorder for Told {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}

/// Uses a pool until it works, and has all that it tells noted.
async fn use_it(told: &Told, settings: RedisSettings, ways: &[Way]) {
    told.debug(&settings);
    let pool = pool(settings).await;
    for way in ways {
        text(&pool, *way, &["SET", "key", "value"]).await;
        let error = within(run(&pool, *way, &["INCR", "key"])).await.unwrap_err();
        told.error(&error);
    }
    told.debug(&(&pool, pool.any_lane(), pool.status(), pool.snapshot(), pool.advice()));
    told.debug(&within(pool.diagnose()).await.unwrap());
}

/// Uses a pool with a wrong password.
async fn use_in_vain(told: &Told, variables: &[(&str, &str)]) {
    let wrong = format!("{CANARY}-not");
    let settings = settings_of(&[variables, &[("REDIS_PASSWORD", &wrong)]].concat());
    told.debug(&settings);
    let pool = pool(settings).await;
    told.error(&within(run(&pool, Way::Lane, &["GET", "key"])).await.unwrap_err());
    told.error(&within(pool.diagnose()).await.map(drop).unwrap_err());
}

fn list(addresses: &[std::net::SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn a_password_is_in_nothing_that_is_told() {
    let told = Told::listen();
    let server = RedisServer::builder().password(CANARY).start().await.unwrap();
    let port = server.port().to_string();
    let address = [("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", port.as_str())];
    use_it(&told, settings(&server.url()), &WAYS).await;
    use_in_vain(&told, &address).await;

    let mut small = settings(&server.url());
    small.pool.size = 1;
    small.pool.hold_limit = Duration::from_millis(1);
    small.pool.timeout = Duration::from_secs(2);
    let pool = pool(small).await;
    let held = within(pool.get()).await.unwrap();
    told.error(&within(pool.get()).await.map(drop).unwrap_err());
    told.debug(&(&held, pool.leaks(), pool.advice()));
    server.kill_clients().await.unwrap();
    until(|| pool.snapshot().generations > 0).await;
    drop(held);
    server.kill().unwrap();
    told.error(&within(run(&pool, Way::Lane, &["GET", "key"])).await.unwrap_err());

    let server = RedisServer::builder().password(CANARY);
    let cluster = Cluster::builder().server(server.clone()).start().await.unwrap();
    let seeds = list(&cluster.addresses());
    let seeds = [("REDIS_CLUSTER_SEEDS", seeds.as_str())];
    let right = settings_of(&[&seeds[..], &[("REDIS_PASSWORD", CANARY)]].concat());
    use_it(&told, right, &[Way::Lane]).await;
    use_in_vain(&told, &seeds).await;

    let group = Sentinels::builder().server(server).start().await.unwrap();
    let nodes = list(&group.addresses());
    let nodes =
        [("REDIS_SENTINEL_SERVICE", group.service()), ("REDIS_SENTINEL_NODES", nodes.as_str())];
    let right = settings_of(&[&nodes[..], &[("REDIS_PASSWORD", CANARY)]].concat());
    use_it(&told, right, &WAYS).await;
    use_in_vain(&told, &nodes).await;

    assert!(!told.has(CANARY));
    // It is listened to everything.
    for part in ["an attempt to connect failed", "all are made anew", "redis.password"] {
        assert!(told.has(part), "{part}");
    }
    for name in [
        names::SIZE,
        names::ACTIVE,
        names::IDLE,
        names::WAITING,
        names::UTILISATION,
        names::IN_FLIGHT,
        names::LEAKED,
        names::EXHAUSTED,
        names::CONNECTED,
        names::CONNECT_FAILED,
        names::REAPED,
        names::GENERATIONS,
        names::WAIT_SECONDS,
        names::HELD_SECONDS,
        names::OPERATION_SECONDS,
    ] {
        assert!(told.times(name) > 0, "{name}");
    }
}
