//! What killed processes wrote to one store.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::child::Order;
use super::process::Process;
use crate::chaos::content::Counting;
use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::expect::{Counts, Expected, Faults, Lost, Retry, observe, settle};
use crate::chaos::place::Place;
use crate::chaos::session::{Layout, Session, Sweeping};

/// A store, and what it must hold.
pub(super) struct Written {
    seed: u64,
    counting: Counting,
    layout: Layout,
    sweeping: Option<Sweeping>,
    expected: Expected,
    retries: Vec<Retry>,
}

impl Written {
    pub(super) fn new(
        seed: u64,
        counting: Counting,
        layout: Layout,
        sweeping: Option<Sweeping>,
    ) -> Self {
        let conversations = layout.conversations(0);
        let expected = Expected::new(seed, counting, Faults::None, &conversations);
        Self { seed, counting, layout, sweeping, expected, retries: Vec::new() }
    }

    pub(super) const fn counts(&self) -> Counts {
        self.expected.counts()
    }

    /// Lets a process write and kills it after some lines. `writes` is false for one that only
    /// opens the store and sweeps it.
    pub(super) fn kill_one(
        &mut self,
        place: &Place,
        round: u64,
        writes: bool,
        rng: &mut Rng,
    ) -> Outcome<()> {
        let mut session = Session {
            layout: self.layout.clone(),
            sweeping: self.sweeping,
            ..Session::draw(self.seed, round, self.counting, rng)
        };
        let lines = if writes {
            session.retries = std::mem::take(&mut self.retries);
            match rng.u8(..10) {
                0 => rng.usize(..4),
                1..=6 => rng.usize(2..300),
                _ => rng.usize(100..1500),
            }
        } else {
            session.operations = Some(0);
            rng.usize(..3)
        };
        let mut process = Process::start(&Order { place: place.clone(), session })?;
        let read = self.read(&mut process, lines, Duration::from_micros(rng.u64(..300)));
        // Where reading failed, nothing is left running either.
        let status = process.end()?;
        if status.code().is_some() {
            return Err(ChaosError::ChildEnded { status });
        }
        read
    }

    fn read(&mut self, process: &mut Process, lines: usize, delay: Duration) -> Outcome<()> {
        for number in 0.. {
            if number == lines {
                let start = Instant::now();
                while start.elapsed() < delay {
                    spin_loop();
                }
                process.kill()?;
            }
            // What it said before it died is still read.
            let Some(record) = process.next()? else { break };
            self.expected.note(record)?;
        }
        Ok(())
    }

    /// Opens the store and compares it with what was acknowledged.
    pub(super) async fn check(&mut self, place: &Place, settles: bool) -> Outcome<()> {
        let opened = place.open().await?;
        let conversations = self.layout.conversations(0);
        let observed = observe(&*opened.store, &self.counting.tally_id(), &conversations).await?;
        self.retries = self.expected.resolve(&observed, Lost::Nothing)?;
        if settles {
            let contents = self.expected.contents();
            settle(&opened.store, self.counting, contents, &conversations).await?;
        }
        opened.close().await
    }
}
