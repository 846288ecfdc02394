//! Asking and measuring.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::info;
use super::report::{Concern, Diagnosis, RoundTrip, Throughput};
use crate::connection::{Value, cmd};
use crate::{Advice, Lane, PoolError, RedisPool};

/// How much longer than `redis.pool.timeout` all may take.
const GRACE: Duration = Duration::from_secs(4);

/// The part of that which is left for measuring when a server is given up that does not answer.
const FOR_MEASURING: Duration = Duration::from_secs(2);

/// Round trips that are measured, and how long that may take.
const ROUND_TRIPS: usize = 1000;
const FOR_ROUND_TRIPS: Duration = Duration::from_millis(500);

/// Commands in flight when throughput is measured, as far as lanes have places, and for how long it
/// is.
const IN_FLIGHT: usize = 64;
const FOR_THROUGHPUT: Duration = Duration::from_millis(500);

/// Connections that may end before it is an error.
const LOSSES: usize = 3;

impl RedisPool {
    /// Looks at the servers: their versions and memory policies, how long an answer takes, how much
    /// goes through, and what the figures of the pool suggest.
    ///
    /// It sends INFO and PING, and writes nothing. What a server refuses is a
    /// [concern](Diagnosis::concerns) and no error, and so is a node of a cluster that cannot be
    /// used, unless no command succeeds at all. It takes about one second where servers answer.
    ///
    /// # Errors
    ///
    /// Those of [`Lane::run`] and [`servers`](Self::servers), where no connection can be made or no
    /// command succeeds. Whatever the servers do, it ends 4 s after `redis.pool.timeout`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the look.
    pub async fn diagnose(&self) -> Result<Diagnosis, PoolError> {
        let begun = Instant::now();
        let deadline = begun + self.timeout() + GRACE;
        let given_up = deadline - FOR_MEASURING;
        let (losses, concerns, step) = (0, Vec::new(), "");
        let mut examination = Examination { pool: self, given_up, losses, concerns, step };
        match timeout_at(deadline, examination.run()).await {
            Ok(diagnosis) => diagnosis,
            Err(_) => Err(PoolError::ResponseTimedOut {
                operation: examination.step,
                waited: begun.elapsed(),
                outcome_unknown: false,
            }),
        }
    }
}

struct Examination<'a> {
    pool: &'a RedisPool,
    /// When a server that has not answered is given up.
    given_up: Instant,
    /// Connections that have ended.
    losses: usize,
    concerns: Vec<Concern>,
    /// What is waited for.
    step: &'static str,
}

impl Examination<'_> {
    async fn run(&mut self) -> Result<Diagnosis, PoolError> {
        // What is asked here is no load to be prepared for.
        let mut advice = self.pool.advice();
        self.step = "CLUSTER SLOTS";
        let lanes = self.pool.servers().await?;
        self.step = "INFO";
        let mut servers = Vec::new();
        let mut well = Vec::new();
        let mut failure = None;
        for (lane, asked) in self.ask_all(lanes).await {
            self.losses += asked.losses;
            let info = match asked.info {
                Ok(info) => Some(info),
                Err(error) => {
                    self.failed(&lane, "INFO", &error);
                    failure.get_or_insert(error);
                    None
                }
            };
            if let Some(text) = info {
                let server = info::read(&self.address(&lane), &text);
                self.concerns.extend(info::concerns(&server));
                servers.push(server);
            }
            match asked.ping {
                Some(Ok(())) => well.push(lane),
                Some(Err(error)) => {
                    self.failed(&lane, "PING", &error);
                    failure.get_or_insert(error);
                }
                None => {}
            }
        }
        if let (true, true, Some(error)) = (servers.is_empty(), well.is_empty(), failure) {
            return Err(error);
        }
        let is_failure = |advice: &Advice| matches!(advice, Advice::ConnectFailures { .. });
        advice.retain(|advice| !is_failure(advice));
        advice.extend(self.pool.advice().into_iter().filter(is_failure));
        let (mut round_trip, mut throughput) = (None, None);
        if !well.is_empty() {
            round_trip = Some(self.round_trip(&well).await?);
            throughput = Some(self.throughput(&well).await?);
        }
        if self.losses > 0 {
            self.concerns.push(Concern::Lost { connections: self.losses });
        }
        let concerns = std::mem::take(&mut self.concerns);
        Ok(Diagnosis { servers, round_trip, throughput, concerns, advice })
    }

    /// Asks all servers at a time, so that one that does not answer holds up no other.
    async fn ask_all(&self, lanes: Vec<Lane>) -> Vec<(Lane, Asked)> {
        let mut asking = JoinSet::new();
        for (place, lane) in lanes.into_iter().enumerate() {
            let given_up = self.given_up;
            asking.spawn(async move {
                let asked = Asked::of(&lane, given_up).await;
                (place, lane, asked)
            });
        }
        let mut all = asking.join_all().await;
        all.sort_by_key(|(place, ..)| *place);
        all.into_iter().map(|(_, lane, asked)| (lane, asked)).collect()
    }

    /// Notes that a server refused a command, or cannot be used.
    fn failed(&mut self, lane: &Lane, command: &'static str, error: &PoolError) {
        let address = self.address(lane);
        self.concerns.push(match error.server_code() {
            Some(code @ ("NOPERM" | "NOAUTH" | "ERR")) => {
                Concern::Refused { address, command, code: code.to_owned() }
            }
            _ => Concern::Unusable { address, reason: error.to_string() },
        });
    }

    fn address(&self, lane: &Lane) -> String {
        let node = lane.node().map(ToString::to_string).or_else(|| lane.shared().reached());
        node.unwrap_or_else(|| self.pool.address().to_owned())
    }

    /// Asks something that may be asked twice, since it changes nothing.
    async fn ask(&mut self, lane: &Lane, command: &'static str) -> Result<Value, PoolError> {
        self.step = command;
        ask(lane, command, &mut self.losses).await
    }

    /// One PING after the other, each server in its turn.
    async fn round_trip(&mut self, lanes: &[Lane]) -> Result<RoundTrip, PoolError> {
        let end = Instant::now() + FOR_ROUND_TRIPS;
        let mut times = Vec::new();
        for lane in lanes.iter().cycle().take(ROUND_TRIPS) {
            let begun = Instant::now();
            if begun >= end && !times.is_empty() {
                break;
            }
            self.ask(lane, "PING").await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let quantile = |part: usize| {
            let place = (times.len() * part).div_ceil(100).saturating_sub(1);
            times.get(place).copied().unwrap_or_default()
        };
        Ok(RoundTrip { count: times.len(), median: quantile(50), p99: quantile(99) })
    }

    /// Many PINGs at a time for a while.
    async fn throughput(&mut self, lanes: &[Lane]) -> Result<Throughput, PoolError> {
        self.step = "PING";
        let begun = Instant::now();
        let mut callers = JoinSet::new();
        let in_flight = IN_FLIGHT.min(self.pool.places());
        for lane in lanes.iter().cycle().take(in_flight) {
            let lane = lane.clone();
            callers.spawn(async move {
                let (ping, mut answered) = (cmd("PING"), 0_u32);
                while begun.elapsed() < FOR_THROUGHPUT {
                    match lane.run(&ping).await {
                        Ok(_) => answered += 1,
                        Err(error) => return (answered, Some(error)),
                    }
                }
                (answered, None)
            });
        }
        let (mut answered, mut lost) = (0.0, false);
        while let Some(caller) = callers.join_next().await {
            // A caller that panicked has answered nothing.
            let Ok((count, error)) = caller else { continue };
            answered += f64::from(count);
            match error {
                Some(PoolError::ConnectionLost { .. }) => lost = true,
                Some(error) => return Err(error),
                None => {}
            }
        }
        self.losses += usize::from(lost);
        Ok(Throughput { in_flight, per_second: answered / begun.elapsed().as_secs_f64() })
    }
}

/// What a server answered.
struct Asked {
    info: Result<String, PoolError>,
    /// Nothing where INFO was not even answered.
    ping: Option<Result<(), PoolError>>,
    losses: usize,
}

impl Asked {
    async fn of(lane: &Lane, given_up: Instant) -> Self {
        let mut losses = 0;
        // Without a section, since older servers know one at a time.
        let info = ask_until(given_up, lane, "INFO", &mut losses).await.map(|info| match info {
            Value::BulkString(text) => String::from_utf8_lossy(&text).into_owned(),
            Value::VerbatimString { text, .. } => text,
            _ => String::new(),
        });
        let ping = match &info {
            Ok(_) | Err(PoolError::Server { .. }) => {
                Some(ask_until(given_up, lane, "PING", &mut losses).await.map(drop))
            }
            Err(_) => None,
        };
        Self { info, ping, losses }
    }
}

async fn ask_until(
    given_up: Instant,
    lane: &Lane,
    command: &'static str,
    losses: &mut usize,
) -> Result<Value, PoolError> {
    let begun = Instant::now();
    match timeout_at(given_up, ask(lane, command, losses)).await {
        Ok(answer) => answer,
        Err(_) => Err(PoolError::ResponseTimedOut {
            operation: command,
            waited: begun.elapsed(),
            outcome_unknown: false,
        }),
    }
}

async fn ask(lane: &Lane, command: &'static str, losses: &mut usize) -> Result<Value, PoolError> {
    loop {
        match lane.run(&cmd(command)).await {
            Err(PoolError::ConnectionLost { .. }) if *losses < LOSSES => *losses += 1,
            answer => return answer,
        }
    }
}
