//! What the tests share.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_redis::connection::{Value, from_redis_value};
use cache_redis::{PoolError, RedisPool, RedisSettings};
use redis_testkit::{Cluster, RedisServer};
use tokio::task::JoinHandle;

pub(crate) use crate::shared::{FOR_EVER, command, pool, settings_of, until, within};

/// A cluster whose replicas do not take over only because the machine is busy.
pub(crate) async fn cluster() -> Cluster {
    Cluster::builder().node_timeout(Duration::from_secs(5)).start().await.unwrap()
}

/// The one of a pair that is the master now: the pair of a master at the start and its replica.
pub(crate) async fn master_of_pair(cluster: &Cluster, pair: usize) -> &RedisServer {
    cluster.settled().await.unwrap();
    let [master, replica] = [pair, pair + 3].map(|place| &cluster.nodes()[place]);
    if master.is_master().await.unwrap() { master } else { replica }
}

/// The addresses of all nodes.
pub(crate) fn seeds(cluster: &Cluster) -> String {
    let addresses = cluster.addresses();
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The settings for a cluster, with so many sockets.
pub(crate) fn settings(cluster: &Cluster, size: usize) -> RedisSettings {
    let mut settings = settings_of(&[("REDIS_CLUSTER_SEEDS", &seeds(cluster))]);
    settings.pool.size = size;
    settings.pool.max_idle = size;
    settings.pool.connect_rate = 100_000;
    settings
}

/// Runs a command over the lane of its second word.
pub(crate) async fn run(pool: &RedisPool, words: &[&str]) -> Result<Value, PoolError> {
    pool.lane(words[1]).run(&command(words)).await
}

/// Runs a command that succeeds, and reads its answer as a text.
pub(crate) async fn text(pool: &RedisPool, words: &[&str]) -> String {
    match within(run(pool, words)).await {
        Ok(value) => from_redis_value(value).unwrap(),
        Err(error) => panic!("{words:?}: {error}"),
    }
}

/// A key that a master owns.
pub(crate) async fn key_of(cluster: &Cluster, master: &RedisServer) -> String {
    for number in 0..1000 {
        let key = format!("key-{number}");
        let slot = cluster.slot_of(key.as_bytes()).await.unwrap();
        if cluster.owner(slot).await.unwrap().port() == master.port() {
            return key;
        }
    }
    panic!("no key of so many belongs to a master, which owns a third of all slots");
}

/// Makes a replica a master of its own without slots.
pub(crate) async fn add_master(cluster: &Cluster) -> &RedisServer {
    let (first, new) = (&cluster.nodes()[0], &cluster.nodes()[3]);
    new.command(&["CLUSTER", "RESET", "SOFT"]).await.unwrap();
    let port = first.port().to_string();
    let bus = first.command(&["CONFIG", "GET", "cluster-port"]).await.unwrap();
    let bus = bus.array()[1].text().unwrap().to_owned();
    new.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await.unwrap();
    cluster.settled().await.unwrap();
    new
}

/// How many sockets of clients were open at the same moment, over all nodes that run.
///
/// What the first and the last list show was open between the first and the second one: a node sees
/// the end of a socket within two lists.
pub(crate) async fn sockets(cluster: &Cluster) -> usize {
    let mut lists = Vec::new();
    for _ in 0..4 {
        let mut list = Vec::new();
        for node in cluster.nodes() {
            let clients = node.clients().await.unwrap_or_default().into_iter();
            // Nodes keep connections to each other that keys were moved over.
            let ours = clients.filter(|client| !client.command.starts_with("restore"));
            list.extend(ours.map(|client| (node.port(), client.id)));
        }
        lists.push(list);
    }
    lists[0].iter().filter(|socket| lists[3].contains(socket)).count()
}

/// What a caller has counted on its own key.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// The numbers that were added for sure.
    pub(crate) sure: Vec<usize>,
    /// Commands that may or may not have been executed.
    pub(crate) unknown: usize,
}

/// Freezes the node of a key, and asks it something.
pub(crate) fn hold(
    pool: &RedisPool,
    key: &str,
    node: &RedisServer,
) -> JoinHandle<Result<Value, PoolError>> {
    node.pause().unwrap();
    let (pool, key) = (pool.clone(), key.to_owned());
    tokio::spawn(async move { run(&pool, &["GET", &key]).await })
}

/// Callers that add numbers to lists of their own, each number once, until they are told to stop,
/// whatever fails.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<Counted>>,
}

impl Load {
    pub(crate) fn start(pool: &RedisPool, callers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let callers = (0..callers)
            .map(|number| {
                let (pool, stop, done) = (pool.clone(), stop.clone(), done.clone());
                tokio::spawn(async move {
                    let key = Self::key(number);
                    let mut counted = Counted::default();
                    for number in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        match run(&pool, &["RPUSH", &key, &number.to_string()]).await {
                            Ok(_) => {
                                counted.sure.push(number);
                                done.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(error) => {
                                assert!(error.is_retryable(), "{error:?}");
                                counted.unknown += usize::from(error.is_outcome_unknown());
                            }
                        }
                    }
                    counted
                })
            })
            .collect();
        Self { stop, done, callers }
    }

    pub(crate) fn key(number: usize) -> String {
        format!("list-{number}")
    }

    /// Returns when so many more commands have succeeded.
    pub(crate) async fn goes_on(&self, commands: usize) {
        let goal = self.done.load(Ordering::SeqCst) + commands;
        until(|| self.done.load(Ordering::SeqCst) >= goal).await;
    }

    pub(crate) async fn end(self) -> Vec<Counted> {
        self.stop.store(true, Ordering::SeqCst);
        let mut counted = Vec::new();
        for caller in self.callers {
            counted.push(within(caller).await.unwrap());
        }
        counted
    }
}

/// A cluster, and 24 callers who need more lanes than one.
pub(crate) async fn loaded() -> (Cluster, RedisPool, Load) {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 9);
    settings.pool.lane_depth = 4;
    let pool = pool(settings).await;
    let load = Load::start(&pool, 24);
    (cluster, pool, load)
}

/// The warnings of this process.
#[derive(Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<u8>>>);

impl Warnings {
    /// Listens to them from now on.
    pub(crate) fn listen() -> Self {
        let warnings = Self::default();
        let writer = warnings.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        warnings
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Warnings {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Insists that each number that was added is there once, and no other than those whose outcome is
/// not known.
pub(crate) async fn check_list(pool: &RedisPool, number: usize, counted: &Counted) {
    let key = Load::key(number);
    let answer = within(run(pool, &["LRANGE", &key, "0", "-1"])).await.unwrap();
    let list: Vec<usize> = from_redis_value(answer).unwrap();
    let once: BTreeSet<_> = list.iter().collect();
    assert_eq!(once.len(), list.len(), "one was added twice: {list:?}");
    assert!(counted.sure.iter().all(|sure| once.contains(sure)), "one is missing: {list:?}");
    assert!(list.len() <= counted.sure.len() + counted.unknown, "{list:?}, {counted:?}");
}
