//! The process that kills, and looks at what is left.

use std::hint::spin_loop;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use memory_core::MemoryStore;
use serde::Serialize;
use store_embedded::EmbeddedStore;
use tempfile::TempDir;

use super::child::{Order, durability};
use crate::chaos::budget::{self, Budget, Enough, case_seed};
use crate::chaos::content::Counting;
use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::expect::{Counts, Expected, Retry, observe, settle};
use crate::chaos::record::Record;
use crate::chaos::writer::Session;

const PART: &str = "kills";
/// Most kills of writers of one file.
const ROUNDS: u64 = 12;

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct KillFigures {
    kills: u64,
    /// Those of them that came while the file was opened or its pendings were swept.
    kills_without_writing: u64,
    synced: u64,
    relaxed: u64,
    files: u64,
    files_with_bpe: u64,
    counts: Counts,
}

impl KillFigures {
    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.kills_without_writing += other.kills_without_writing;
        self.synced += other.synced;
        self.relaxed += other.relaxed;
        self.files += other.files;
        self.files_with_bpe += other.files_with_bpe;
        self.counts.add(other.counts);
    }
}

/// Kills until enough was killed.
pub(crate) fn run(seed: u64, enough: Enough, directory: &Path) -> Outcome<(KillFigures, u64)> {
    budget::run(enough, KillFigures::add, |case, budget| {
        let place = tempfile::Builder::new().prefix("turnledger-chaos-").tempdir_in(directory);
        let place = place.map_err(ChaosError::system("no folder can be created for the files"))?;
        file(case_seed(seed, 1, case), case, budget, &place).map_err(|error| {
            // What is left is worth a look.
            let place = place.keep().display().to_string();
            error.within(PART, case, place)
        })
    })
}

/// Kills the writers of one file, one after the other.
fn file(seed: u64, case: u64, budget: &Budget, place: &TempDir) -> Outcome<KillFigures> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(ChaosError::system("no runtime can be started"))?;
    let mut rng = Rng::with_seed(seed);
    let counting = if case % 16 == 3 { Counting::Bpe } else { Counting::Hash };
    let mut file = File {
        path: place.path().join("memory.redb"),
        seed,
        counting,
        expected: Expected::new(seed, counting, false),
        retries: Vec::new(),
        done: KillFigures { files: 1, ..KillFigures::default() },
    };
    file.done.files_with_bpe += u64::from(counting == Counting::Bpe);
    for round in 1..=1 + rng.u64(..ROUNDS) {
        if !budget.goes_on() {
            break;
        }
        let before = file.done.kills;
        file.round(round, &mut rng)?;
        runtime.block_on(file.check(rng.u8(..8) > 0))?;
        budget.spend(file.done.kills - before);
    }
    file.done.counts = file.expected.counts();
    Ok(file.done)
}

/// One file, and what it must hold.
struct File {
    path: PathBuf,
    seed: u64,
    counting: Counting,
    expected: Expected,
    retries: Vec<Retry>,
    done: KillFigures,
}

impl File {
    /// Lets a process write, kills it, and now and then kills another one that only opens the
    /// file and sweeps it.
    fn round(&mut self, round: u64, rng: &mut Rng) -> Outcome<()> {
        let mut session = Session::draw(self.seed, round, self.counting, rng);
        session.retries = std::mem::take(&mut self.retries);
        let lines = match rng.u8(..10) {
            0 => rng.usize(..4),
            1..=6 => rng.usize(2..300),
            _ => rng.usize(100..1500),
        };
        self.kill(session, lines, rng)?;
        while rng.u8(..4) == 0 {
            let mut session = Session::draw(self.seed, round, self.counting, rng);
            session.operations = Some(0);
            self.kill(session, rng.usize(..3), rng)?;
            self.done.kills_without_writing += 1;
        }
        Ok(())
    }

    /// Kills a process a random moment after so many lines of it were read.
    fn kill(&mut self, session: Session, lines: usize, rng: &mut Rng) -> Outcome<()> {
        let synced = self.done.kills.is_multiple_of(2);
        let mut child = start(&Order { path: self.path.clone(), synced, session })?;
        let read = self.read(&mut child, lines, Duration::from_micros(rng.u64(..300)));
        // Where reading failed, nothing is left running either.
        let killed = child.kill().and_then(|()| child.wait());
        let status = killed.map_err(ChaosError::system("the writing process cannot be killed"))?;
        if status.code().is_some() {
            return Err(ChaosError::ChildEnded { status });
        }
        read?;
        self.done.kills += 1;
        self.done.synced += u64::from(synced);
        self.done.relaxed += u64::from(!synced);
        Ok(())
    }

    fn read(&mut self, child: &mut Child, lines: usize, delay: Duration) -> Outcome<()> {
        let cannot = "the writing process cannot be listened to";
        let Some(output) = child.stdout.take() else {
            return Err(ChaosError::violation(cannot));
        };
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        for number in 0.. {
            if number == lines {
                let start = Instant::now();
                while start.elapsed() < delay {
                    spin_loop();
                }
                child.kill().map_err(ChaosError::system("the writing process cannot be killed"))?;
            }
            // What it said before it died is still read.
            line.clear();
            output.read_until(b'\n', &mut line).map_err(ChaosError::system(cannot))?;
            if line.pop() != Some(b'\n') {
                break;
            }
            let record: Record = serde_json::from_slice(&line)?;
            self.expected.note(record)?;
        }
        Ok(())
    }

    /// Opens the file and compares it with what was acknowledged.
    async fn check(&mut self, settles: bool) -> Outcome<()> {
        // The process that wrote is gone, so its locks are too; this one's own are let go below.
        let builder = EmbeddedStore::builder().path(&self.path).durability(durability(false));
        let opened = builder.open_async().await?;
        let store: Arc<dyn MemoryStore> = Arc::new(opened.clone());
        let observed = observe(&*store, &self.counting.tally_id()).await?;
        self.retries = self.expected.resolve(&observed)?;
        if settles {
            settle(&store, self.counting, &self.expected).await?;
        }
        opened.close().await;
        Ok(())
    }
}

fn start(order: &Order) -> Outcome<Child> {
    let cannot = "the writing process cannot be started";
    let program = std::env::current_exe().map_err(ChaosError::system(cannot))?;
    let mut child = Command::new(program)
        .arg("write")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(ChaosError::system(cannot))?;
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    let told = match child.stdin.as_mut() {
        Some(input) => input.write_all(&line),
        None => Ok(()),
    };
    if let Err(source) = told {
        // It cannot go on without an order.
        let _ = child.kill().and_then(|()| child.wait());
        return Err(ChaosError::System { what: cannot, source });
    }
    Ok(child)
}
