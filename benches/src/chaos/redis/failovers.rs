//! Replicas take the place of masters while everybody writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::join;
use serde::Serialize;

use super::load::{BOUND, COUNTING, settled};
use super::progress::{Progress, lock, noting};
use super::servers::{emptied, runtime};
use super::topology::{Kind, Topology};
use crate::chaos::budget::Enough;
use crate::chaos::content::Gate;
use crate::chaos::error::{Outcome, ensure};
use crate::chaos::expect::{Crowd, CrowdCounts, observe, settle};
use crate::chaos::place::Server;
use crate::chaos::record::{Answer, Record};
use crate::chaos::session::{Layout, Session, Sweeping};

const WRITERS: u16 = 16;
const CONVERSATIONS: u16 = 12;
/// How long anyone waits for a connection and for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How soon after everything stands again writers must be answered, with their time-outs.
const RECOVERY: Duration = Duration::from_secs(15);

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct FailoverFigures {
    failovers: u64,
    /// Those of them in which the master was killed.
    masters_killed: u64,
    /// Those in which no operation failed.
    unnoticed: u64,
    /// From a fail-over's begin to the last operation that failed, in milliseconds.
    longest_disturbance_ms: u128,
    disturbances_ms: u128,
    counts: CrowdCounts,
}

/// When operations failed last, and when they were answered as done.
#[derive(Debug)]
struct Heard {
    crowd: Crowd,
    failed_at: Option<Instant>,
    /// Which conversation each writer comes to.
    writers: BTreeMap<u16, u16>,
    /// For each conversation.
    acknowledged_at: BTreeMap<u16, Instant>,
}

impl Heard {
    const fn new(crowd: Crowd) -> Self {
        Self { crowd, failed_at: None, writers: BTreeMap::new(), acknowledged_at: BTreeMap::new() }
    }

    fn note(&mut self, record: Record) -> Outcome<()> {
        match &record {
            Record::Begun { writer, operation } => {
                self.writers.insert(*writer, operation.conversation);
            }
            Record::Done { answer: Answer::Failed { .. } | Answer::Unknown { .. }, .. } => {
                self.failed_at = Some(Instant::now());
            }
            Record::Done { writer, .. } => {
                let conversation = self.writers.get(writer).copied();
                self.acknowledged_at.extend(conversation.map(|number| (number, Instant::now())));
            }
            _ => {}
        }
        self.crowd.note(record)
    }

    /// The conversations for which nothing was answered as done after a moment.
    fn silent_since(&self, moment: Instant) -> Vec<u16> {
        let is_silent =
            |number: &u16| self.acknowledged_at.get(number).is_none_or(|at| *at <= moment);
        (0..CONVERSATIONS).filter(is_silent).collect()
    }
}

/// Lets servers fail over until they did so often enough.
pub(crate) fn run(kind: Kind, seed: u64, enough: Enough) -> Outcome<(FailoverFigures, u64)> {
    let (part, number) = match kind {
        Kind::Sentinel => ("sentinel", 11),
        Kind::Cluster => ("cluster", 12),
    };
    let seed = crate::chaos::budget::case_seed(seed, number, 0);
    runtime()?.block_on(async {
        let topology = Topology::start(kind).await?;
        let mut rng = Rng::with_seed(seed);
        let (mut done, start) = (FailoverFigures::default(), Instant::now());
        loop {
            let goes_on = match enough {
                Enough::Count(count) => done.failovers < count,
                Enough::Time(time) => start.elapsed() < time,
            };
            if !goes_on {
                return Ok((done, done.failovers));
            }
            let round = done.failovers;
            let failed_over = fail_over(&topology, seed ^ round, &mut rng, &mut done).await;
            failed_over.map_err(|error| error.within(part, round, format!("drawn from {seed}")))?;
        }
    })
}

async fn fail_over(
    topology: &Topology,
    seed: u64,
    rng: &mut Rng,
    done: &mut FailoverFigures,
) -> Outcome<()> {
    topology.settled().await?;
    let place = Server::new(topology.url());
    let opened = place.clone().patience(PATIENCE).open().await?;
    let layout = Layout::Crowd { writers: WRITERS, conversations: (0..CONVERSATIONS).collect() };
    let session = Session {
        layout,
        sweeping: Some(Sweeping { interval: 50, lease: 200, grace: rng.u64(..300) }),
        persists: true,
        pause: rng.u64(1..6),
        looks: false,
        ..Session::draw(seed, 1, COUNTING, rng)
    };
    let gate = Gate::default();
    let counter = gate.before(COUNTING.counter());
    let memory = session.memory(Arc::clone(&opened.store), counter).await?;
    let heard = Mutex::new(Heard::new(Crowd::new(seed, COUNTING, true)));
    let progress = Progress::default();
    let kills = done.failovers.is_multiple_of(2);
    let disturbing = progress.beside(async {
        progress.reached(rng.u64(100..1000)).await;
        // What is counted from here on is settled when another master answers.
        if rng.bool() {
            gate.shut();
        }
        progress.reached(progress.now().saturating_add(rng.u64(1..400))).await;
        let begun = Instant::now();
        if let Some(killed) = topology.fail_over(kills, rng).await? {
            killed.restart().await?;
        }
        topology.settled().await?;
        let stands = Instant::now();
        answered_after(&heard, stands).await?;
        gate.open();
        progress.reached(progress.now().saturating_add(200)).await;
        Ok(begun)
    });
    let note = noting(&progress, &heard, Heard::note);
    let writing = async {
        let written = session.write_on(&memory, &progress.stop, &note).await;
        progress.finish();
        written
    };
    let (written, begun) = join(writing, disturbing).await;
    written?;
    let begun = begun?;
    gate.open();
    settled(&memory).await?;
    memory.shutdown(BOUND).await;
    drop(memory);
    opened.close().await?;
    emptied(topology.servers()).await?;
    drop(note);
    let mut heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    let conversations: Vec<u16> = (0..CONVERSATIONS).collect();
    let opened = place.open().await?;
    let observed = observe(&*opened.store, &COUNTING.tally_id(), &conversations).await?;
    heard.crowd.finish(&observed)?;
    settle(&opened.store, COUNTING, heard.crowd.contents(), &conversations).await?;
    opened.close().await?;
    topology.clear().await?;
    let disturbed = heard.failed_at.map_or(0, |at| at.saturating_duration_since(begun).as_millis());
    done.failovers += 1;
    done.masters_killed += u64::from(kills);
    done.unnoticed += u64::from(heard.failed_at.is_none());
    done.longest_disturbance_ms = done.longest_disturbance_ms.max(disturbed);
    done.disturbances_ms += disturbed;
    done.counts.add(heard.crowd.counts());
    Ok(())
}

/// Returns when something was answered as done after a moment, in each conversation: they are on
/// several servers, and on several connections.
async fn answered_after(heard: &Mutex<Heard>, moment: Instant) -> Outcome<()> {
    loop {
        let silent = lock(heard).silent_since(moment);
        if silent.is_empty() {
            return Ok(());
        }
        ensure!(
            moment.elapsed() < RECOVERY,
            "nothing is acknowledged in conversations {silent:?} within {} s after the servers \
             stand again",
            RECOVERY.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::record::{Action, Operation};

    #[test]
    fn one_conversation_that_stays_silent_is_found_among_those_that_are_answered() {
        let before = Instant::now();
        let mut heard = Heard::new(Crowd::new(1, COUNTING, true));
        let mut answered = |number: u16, answer: Answer| {
            let operation = Operation { conversation: number, action: Action::Clear };
            // Every writer has a number that no conversation has.
            let writer = number + CONVERSATIONS;
            heard.note(Record::Begun { writer, operation }).unwrap();
            heard.note(Record::Done { writer, answer }).unwrap();
            heard.silent_since(before)
        };
        for number in 1..CONVERSATIONS {
            answered(number, Answer::Cleared { removed: 0 });
        }
        assert_eq!(answered(0, Answer::Unknown { error: "cut".to_owned() }), [0]);
        assert!(answered(0, Answer::Cleared { removed: 0 }).is_empty());
        assert_eq!(heard.silent_since(Instant::now()).len(), usize::from(CONVERSATIONS));
    }
}
