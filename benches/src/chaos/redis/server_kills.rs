//! The server is killed and started again, with what it kept.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join;
use redis_testkit::{Durability, RedisServer};
use serde::Serialize;

use super::load::{BOUND, COUNTING, Load, Writing};
use super::progress::{Progress, lock, noting};
use super::servers::{emptied, runtime};
use crate::chaos::budget::{self, Budget, Enough, case_seed};
use crate::chaos::content::Gate;
use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::expect::{Counts, Expected, Faults, Lost, Retry};
use crate::chaos::record::{Action, Record};
use crate::chaos::session::Session;

const PART: &str = "servers";
/// Most kills of one server.
const ROUNDS: u64 = 8;
/// A dead server answers nobody, however long they wait.
const PATIENCE: Duration = Duration::from_millis(500);

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct ServerKillFigures {
    kills: u64,
    keeping_all: u64,
    keeping_most: u64,
    /// Those of them after which the end of the file was cut off, as a loss of power would.
    torn: u64,
    keeping_nothing: u64,
    servers: u64,
    counts: Counts,
}

impl ServerKillFigures {
    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.keeping_all += other.keeping_all;
        self.keeping_most += other.keeping_most;
        self.torn += other.torn;
        self.keeping_nothing += other.keeping_nothing;
        self.servers += other.servers;
        self.counts.add(other.counts);
    }
}

/// Kills servers until enough were killed.
pub(crate) fn run(seed: u64, enough: Enough) -> Outcome<(ServerKillFigures, u64)> {
    budget::run(enough, ServerKillFigures::add, |case, budget| {
        let seed = case_seed(seed, 6, case);
        let keeps = [Durability::Always, Durability::EverySecond, Durability::Memory];
        let done = runtime()?.block_on(server(seed, keeps[(case % 3) as usize], budget));
        done.map_err(|error| error.within(PART, case, format!("drawn from {seed}")))
    })
}

/// Kills one server, time after time.
async fn server(seed: u64, keeps: Durability, budget: &Budget) -> Outcome<ServerKillFigures> {
    let mut rng = Rng::with_seed(seed);
    let server = RedisServer::builder()
        .durability(keeps)
        .directive("auto-aof-rewrite-percentage", &["0"])
        .start()
        .await?;
    let mut killed = Killed {
        keeps,
        load: Load::new(seed, server, Faults::Passing),
        done: ServerKillFigures { servers: 1, ..ServerKillFigures::default() },
    };
    for _ in 0..=rng.u64(..ROUNDS) {
        if !budget.goes_on() {
            break;
        }
        killed.kill_once(&mut rng).await?;
        budget.spend(1);
    }
    killed.done.counts = killed.load.counts();
    Ok(killed.done)
}

/// A server that is killed.
struct Killed {
    keeps: Durability,
    load: Load,
    done: ServerKillFigures,
}

impl Killed {
    /// One memory lives on while its server is killed: what it counted for messages that are lost
    /// arrives when others have their seqs.
    async fn kill_once(&mut self, rng: &mut Rng) -> Outcome<()> {
        let gate = Gate::default();
        let session = self.load.session_behind_gate(rng);
        let counter = gate.before(COUNTING.counter());
        let writing = self.load.open(&session, counter, PATIENCE).await?;
        let kept_at_least = self.written().await?;
        self.write_and_kill(&session, &writing, &gate, rng).await?;
        let lost = match self.keeps {
            Durability::Always => Lost::Nothing,
            Durability::EverySecond => Lost::Newest,
            Durability::Memory => Lost::Everything,
        };
        let is_torn = self.keeps == Durability::EverySecond
            && rng.u8(..4) > 0
            && self.tear(kept_at_least, rng)?;
        self.load.server.restart().await?;
        if is_torn {
            self.rewrite().await?;
        }
        let observed = self.load.look().await?;
        self.load.retries = lock(&self.load.expected).resolve(&observed, lost)?;
        // Somebody who comes anew may be the first, or whoever has lived through it.
        if rng.bool() {
            self.come_anew(rng).await?;
        }
        let again = self.go_on(&writing, rng).await?;
        gate.open();
        writing.close().await?;
        emptied([&self.load.server]).await?;
        let observed = self.load.look().await?;
        let unknown = lock(&self.load.expected).resolve(&observed, Lost::Nothing)?;
        self.repeat(again, rng).await?;
        self.load.retries = unknown;
        self.load.check().await
    }

    async fn write_and_kill(
        &mut self,
        session: &Session,
        writing: &Writing,
        gate: &Gate,
        rng: &mut Rng,
    ) -> Outcome<()> {
        let progress = Progress::default();
        let lines = if rng.u8(..4) == 0 { rng.u64(..40) } else { rng.u64(40..1500) };
        let (shut_at, delay) = (rng.u64(..=lines), Duration::from_micros(rng.u64(..2000)));
        let kill = async {
            progress.reached(shut_at).await;
            gate.shut();
            progress.reached(lines).await;
            tokio::time::sleep(delay).await;
            progress.stop();
            self.load.server.kill()
        };
        let (wrote, killed) = join(self.load.write(session, writing, &progress), kill).await;
        wrote?;
        killed?;
        self.done.kills += 1;
        match self.keeps {
            Durability::Always => self.done.keeping_all += 1,
            Durability::EverySecond => self.done.keeping_most += 1,
            Durability::Memory => self.done.keeping_nothing += 1,
        }
        Ok(())
    }

    /// The file of the server's commands, where it has one.
    fn file(&self) -> Outcome<Option<PathBuf>> {
        let cannot = ChaosError::system("the server's folder cannot be read");
        let folder = self.load.server.folder().join("appendonlydir");
        if self.keeps == Durability::Memory {
            return Ok(None);
        }
        let entries = std::fs::read_dir(folder).map_err(cannot)?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(paths.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).max())
    }

    fn length(&self) -> Outcome<u64> {
        let Some(file) = self.file()? else { return Ok(0) };
        let found = std::fs::metadata(file);
        Ok(found.map_err(ChaosError::system("the server's file cannot be read"))?.len())
    }

    /// How long the file is when everything until now is in it.
    async fn written(&self) -> Outcome<u64> {
        if self.keeps == Durability::Memory {
            return Ok(0);
        }
        let is_written = async || {
            let info = self.load.server.info("persistence").await?;
            Ok::<_, ChaosError>(info.get("aof_buffer_length").is_some_and(|length| length == "0"))
        };
        while !is_written().await? {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.length()
    }

    /// Has the server write its file anew.
    ///
    /// Where the file ends within a transaction, Redis 7.0 drops the half command and lets the
    /// rest of the transaction stand. What it writes from then on is taken for a part of that at
    /// the start after this one.
    async fn rewrite(&self) -> Outcome<()> {
        self.load.server.command(&["BGREWRITEAOF"]).await?;
        loop {
            let info = self.load.server.info("persistence").await?;
            let is = |name: &str| info.get(name).is_some_and(|value| value == "1");
            if !is("aof_rewrite_in_progress") && !is("aof_rewrite_scheduled") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Cuts off the end of the file, at any byte; false where there is nothing to cut.
    fn tear(&mut self, from: u64, rng: &mut Rng) -> Outcome<bool> {
        let length = self.length()?;
        let Some(file) = self.file()?.filter(|_| length > from) else { return Ok(false) };
        // Mostly a little, so that seqs are given again soon.
        let most = (length - from).min(1 << rng.u32(4..20));
        let opened = std::fs::OpenOptions::new().write(true).open(file);
        opened
            .and_then(|file| file.set_len(length - rng.u64(..=most)))
            .map_err(ChaosError::system("the server's file cannot be cut"))?;
        self.done.torn += 1;
        Ok(true)
    }

    /// Writes a little as somebody who was not there before.
    async fn come_anew(&mut self, rng: &mut Rng) -> Outcome<()> {
        let session = Session { operations: Some(rng.u64(1..6)), ..self.load.session(rng) };
        let writing = self.load.open(&session, COUNTING.counter(), BOUND).await?;
        self.load.write(&session, &writing, &Progress::default()).await?;
        writing.close().await
    }

    /// Writes on with the memory that has lived through it, and gives what was appended with ids.
    async fn go_on(&mut self, writing: &Writing, rng: &mut Rng) -> Outcome<Vec<Retry>> {
        let operations = Some(rng.u64(1..60));
        let session = Session { operations, ..self.load.session_behind_gate(rng) };
        let progress = Progress::default();
        let begun = Mutex::new(Vec::new());
        let note = noting(&progress, &self.load.expected, |expected: &mut Expected, record| {
            if let Record::Begun { writer, operation } = &record
                && let Action::Append(items) = &operation.action
                && items.iter().all(|item| item.with_id && !item.altered)
            {
                lock(&begun).push(Retry { writer: *writer, items: items.clone() });
            }
            expected.note(record)
        });
        session.write_on(&writing.memory, &progress.stop, &note).await?;
        drop(note);
        Ok(begun.into_inner().unwrap_or_default())
    }

    /// Repeats appends as somebody who has come anew.
    async fn repeat(&mut self, retries: Vec<Retry>, rng: &mut Rng) -> Outcome<()> {
        let session = Session { retries, operations: Some(0), ..self.load.session(rng) };
        let writing = self.load.open(&session, COUNTING.counter(), BOUND).await?;
        lock(&self.load.expected).let_fail(Faults::None);
        self.load.write(&session, &writing, &Progress::default()).await?;
        lock(&self.load.expected).let_fail(Faults::Passing);
        writing.close().await
    }
}
