//! Asking and measuring.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::info;
use super::report::{Concern, Diagnosis, RoundTrip, ServerReport, Throughput};
use crate::connection::{Value, cmd};
use crate::{Lane, PoolError, RedisPool};

/// How much longer than `redis.pool.timeout` all may take.
const GRACE: Duration = Duration::from_secs(4);

/// Round trips that are measured, and how long that may take.
const ROUND_TRIPS: usize = 1000;
const FOR_ROUND_TRIPS: Duration = Duration::from_millis(500);

/// Commands in flight when throughput is measured, and for how long it is.
const IN_FLIGHT: usize = 64;
const FOR_THROUGHPUT: Duration = Duration::from_millis(500);

/// Connections that may end before it is an error.
const LOSSES: usize = 3;

impl RedisPool {
    /// Looks at the servers: their versions and memory policies, how long an answer takes, how much
    /// goes through, and what the figures of the pool suggest.
    ///
    /// It sends INFO and PING, and writes nothing. What a server refuses is a
    /// [concern](Diagnosis::concerns) and no error, unless it refuses everything. It takes about one
    /// second where servers answer.
    ///
    /// # Errors
    ///
    /// Those of [`Lane::run`] and [`servers`](Self::servers), where no connection can be made or a
    /// command is not answered. Whatever the servers do, it ends 4 s after `redis.pool.timeout`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the look.
    pub async fn diagnose(&self) -> Result<Diagnosis, PoolError> {
        let begun = Instant::now();
        let mut examination = Examination { pool: self, losses: 0, concerns: Vec::new(), step: "" };
        let deadline = begun + self.timeout() + GRACE;
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
    /// Connections that have ended.
    losses: usize,
    concerns: Vec<Concern>,
    /// What is waited for.
    step: &'static str,
}

impl Examination<'_> {
    async fn run(&mut self) -> Result<Diagnosis, PoolError> {
        self.step = "CLUSTER SLOTS";
        let lanes = self.pool.servers().await?;
        let mut servers = Vec::new();
        let mut refusal = None;
        for lane in &lanes {
            match self.describe(lane).await {
                Ok(server) => servers.push(server),
                Err(error @ PoolError::Server { .. }) => {
                    self.refused(lane, "INFO", &error);
                    refusal = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        let (mut round_trip, mut throughput) = (None, None);
        match self.round_trip(&lanes).await {
            Ok(measured) => {
                round_trip = Some(measured);
                throughput = Some(self.throughput(&lanes).await?);
            }
            Err(error @ PoolError::Server { .. }) if refusal.is_none() => {
                self.refused(&lanes[0], "PING", &error);
            }
            Err(error) => return Err(error),
        }
        if self.losses > 0 {
            self.concerns.push(Concern::Lost { connections: self.losses });
        }
        let concerns = std::mem::take(&mut self.concerns);
        let advice = self.pool.advice();
        Ok(Diagnosis { servers, round_trip, throughput, concerns, advice })
    }

    fn refused(&mut self, lane: &Lane, command: &'static str, error: &PoolError) {
        let address = self.address(lane);
        let code = error.server_code().unwrap_or_default().to_owned();
        self.concerns.push(Concern::Refused { address, command, code });
    }

    fn address(&self, lane: &Lane) -> String {
        lane.node().map_or_else(|| self.pool.address().to_owned(), ToString::to_string)
    }

    async fn describe(&mut self, lane: &Lane) -> Result<ServerReport, PoolError> {
        // Without a section, since older servers know one at a time.
        let text = match self.ask(lane, "INFO").await? {
            Value::BulkString(text) => String::from_utf8_lossy(&text).into_owned(),
            Value::VerbatimString { text, .. } => text,
            _ => String::new(),
        };
        let server = info::read(&self.address(lane), &text);
        self.concerns.extend(info::concerns(&server));
        Ok(server)
    }

    /// Asks something that may be asked twice, since it changes nothing.
    async fn ask(&mut self, lane: &Lane, command: &'static str) -> Result<Value, PoolError> {
        self.step = command;
        loop {
            match lane.run(&cmd(command)).await {
                Err(PoolError::ConnectionLost { .. }) if self.losses < LOSSES => self.losses += 1,
                answer => return answer,
            }
        }
    }

    /// One PING after the other, each server in its turn.
    async fn round_trip(&mut self, lanes: &[Lane]) -> Result<RoundTrip, PoolError> {
        for lane in lanes {
            // Connecting is not to be measured.
            self.ask(lane, "PING").await?;
        }
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
        for lane in lanes.iter().cycle().take(IN_FLIGHT) {
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
        Ok(Throughput {
            in_flight: IN_FLIGHT,
            per_second: answered / begun.elapsed().as_secs_f64(),
        })
    }
}
