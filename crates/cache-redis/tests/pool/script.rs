//! A server that does as it is told, at the other end of a pipe in memory.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use cache_redis::connection::{ByteStream, Cmd, Dialer, cmd};
use cache_redis::{
    ConnectError, ConnectReason, Loader, PoolError, RedisPool, RedisPoolBuilder, RedisSettings,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::consume_budget;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, sleep};

/// What becomes of attempts to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    Fails(ConnectReason),
    Hangs,
}

/// The script: clones are handles to the same.
#[derive(Clone)]
pub(crate) struct Script(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    frozen: watch::Sender<bool>,
    killed: watch::Sender<u64>,
}

pub(crate) struct State {
    pub(crate) door: Door,
    pub(crate) dials: Vec<Instant>,
    pub(crate) open: usize,
    pub(crate) most_open: usize,
    /// Connection and words of every command.
    pub(crate) log: Vec<(usize, Vec<String>)>,
    /// What every command but PING is answered with.
    pub(crate) answer: Option<&'static str>,
    /// A command that its user has no right to.
    pub(crate) forbidden: Option<&'static str>,
    /// Whether attempts to connect leave nothing of their task's budget.
    pub(crate) greedy: bool,
    /// The time that each command takes.
    pub(crate) delay: Duration,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(State {
                door: Door::Open,
                dials: Vec::new(),
                open: 0,
                most_open: 0,
                log: Vec::new(),
                answer: None,
                forbidden: None,
                greedy: false,
                delay: Duration::ZERO,
            }),
            frozen: watch::Sender::new(false),
            killed: watch::Sender::new(0),
        }))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// How many attempts to connect there were.
    pub(crate) fn dials(&self) -> usize {
        self.state().dials.len()
    }

    /// How many connections the server sees.
    pub(crate) fn open(&self) -> usize {
        self.state().open
    }

    /// The most that it has seen at a time.
    pub(crate) fn most_open(&self) -> usize {
        self.state().most_open
    }

    pub(crate) fn door(&self, door: Door) {
        self.state().door = door;
    }

    /// Lets nothing be answered, or everything again.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.0.frozen.send_replace(frozen);
    }

    /// Ends all connections, as a server that is killed does.
    pub(crate) fn kill_connections(&self) {
        self.0.killed.send_modify(|times| *times += 1);
    }

    /// A pool with this script for its server and some other settings.
    pub(crate) async fn pool(&self, settings: &[(&str, &str)]) -> RedisPool {
        builder(settings).dialer(self.clone()).build().await.unwrap()
    }

    /// The words of a kind of command, with the connections they came on.
    pub(crate) fn commands(&self, name: &str) -> Vec<(usize, Vec<String>)> {
        self.state().log.iter().filter(|(_, words)| words[0] == name).cloned().collect()
    }
}

pub(crate) fn builder(settings: &[(&str, &str)]) -> RedisPoolBuilder {
    let loader = Loader::new(RedisSettings::schema());
    let loader = settings.iter().fold(loader, |loader, (key, value)| loader.explicit(*key, *value));
    let mut settings = loader.build().unwrap();
    RedisPool::builder(RedisSettings::settle(&mut settings).unwrap())
}

/// A command whose answer is its word.
pub(crate) fn echo(word: &str) -> Cmd {
    let mut command = cmd("GET");
    command.arg(word);
    command
}

pub(crate) fn timed_out(error: PoolError) -> cache_redis::WaitTimedOut {
    match error {
        PoolError::WaitTimedOut(timed_out) => *timed_out,
        error => panic!("{error:?}"),
    }
}

/// Lets so much time pass, on a clock that stands still while something can be done.
pub(crate) async fn pass(time: Duration) {
    sleep(time).await; // paused clock
}

/// Lets all tasks run until they wait for time or for each other.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Dialer for Script {
    fn address(&self) -> String {
        "script:1".to_owned()
    }

    async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
        let (door, number, greedy) = {
            let mut state = self.state();
            state.dials.push(Instant::now());
            (state.door, state.dials.len(), state.greedy)
        };
        match door {
            Door::Fails(reason) => return Err(ConnectError::new("script:1", reason)),
            Door::Hangs => std::future::pending().await,
            Door::Open => {}
        }
        let (client, server) = duplex(1 << 20);
        {
            let mut state = self.state();
            state.open += 1;
            state.most_open = state.most_open.max(state.open);
        }
        let script = self.clone();
        tokio::spawn(async move {
            let mut killed = script.0.killed.subscribe();
            tokio::select! {
                () = script.serve(number, server) => {}
                _ = killed.changed() => {}
            }
            script.state().open -= 1;
        });
        while greedy && has_budget_remaining() {
            consume_budget().await;
        }
        Ok(Box::new(client))
    }
}

impl Script {
    async fn serve(&self, number: usize, stream: DuplexStream) {
        let mut frozen = self.0.frozen.subscribe();
        let mut stream = BufReader::new(stream);
        while let Some(words) = read(&mut stream).await {
            // To a command without words a server says nothing.
            if words.is_empty() {
                continue;
            }
            frozen.wait_for(|frozen| !frozen).await.unwrap();
            let (answer, delay) = {
                let mut state = self.state();
                state.log.push((number, words.clone()));
                let is_forbidden = state.forbidden == Some(&words[0]);
                let answer = if is_forbidden { Some("-NOPERM no right\r\n") } else { state.answer };
                (answer, state.delay)
            };
            if !delay.is_zero() && words[0] != "PING" {
                pass(delay).await;
            }
            let answer = match (words[0].as_str(), answer) {
                ("PING", _) => "+PONG\r\n".to_owned(),
                ("HANG" | "BLPOP", _) => std::future::pending().await,
                (_, Some(answer)) => answer.to_owned(),
                ("GET", _) => format!("${}\r\n{}\r\n", words[1].len(), words[1]),
                _ => "+OK\r\n".to_owned(),
            };
            if stream.get_mut().write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            if words[0] == "QUIT" {
                return;
            }
        }
    }
}

async fn read(stream: &mut BufReader<DuplexStream>) -> Option<Vec<String>> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let count: usize = line.trim_end()[1..].parse().unwrap();
    let mut words = Vec::new();
    for _ in 0..count {
        line.clear();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let length: usize = line.trim_end()[1..].parse().unwrap();
        let mut word = vec![0; length + 2];
        stream.read_exact(&mut word).await.ok()?;
        words.push(String::from_utf8(word[..length].to_vec()).unwrap());
    }
    Some(words)
}
