//! Writers of this process to one server.

use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use memory_core::TokenCounter;
use memory_instance::{CountPolicy, Memory};
use redis_testkit::RedisServer;
use std::sync::Arc;

use super::progress::{Progress, lock, noting};
use super::servers::emptied;
use crate::chaos::content::{Contents, Counting};
use crate::chaos::error::{Outcome, ensure};
use crate::chaos::expect::{
    Counts, Expected, Faults, Lost, Observed, Retry, observe_at_rest, settle,
};
use crate::chaos::place::{Opened, Server};
use crate::chaos::session::{Layout, Session, Sweeping};

pub(super) const COUNTING: Counting = Counting::Hash;
/// What nobody waits for forever.
pub(super) const BOUND: Duration = Duration::from_secs(20);

/// A server that is written to, and what it must hold.
pub(super) struct Load {
    pub(super) seed: u64,
    pub(super) server: RedisServer,
    pub(super) layout: Layout,
    pub(super) expected: Mutex<Expected>,
    pub(super) retries: Vec<Retry>,
    pub(super) round: u64,
}

/// A memory of the harness's own, with what it is connected by.
pub(super) struct Writing {
    pub(super) memory: Memory,
    opened: Opened,
}

impl Load {
    pub(super) fn new(seed: u64, server: RedisServer, faults: Faults) -> Self {
        let layout = Layout::Own { own: 6, sharing: 3 };
        let expected = Expected::new(seed, COUNTING, faults, &layout.conversations(0));
        Self { seed, server, layout, expected: Mutex::new(expected), retries: Vec::new(), round: 0 }
    }

    pub(super) fn counts(&self) -> Counts {
        lock(&self.expected).counts()
    }

    /// Draws how the server is written to next: by writers that go on after an error which says
    /// that nothing was written.
    pub(super) fn session(&mut self, rng: &mut Rng) -> Session {
        self.round += 1;
        let sweeping =
            Sweeping { interval: rng.u64(5..100), lease: rng.u64(20..400), grace: rng.u64(..400) };
        Session {
            layout: self.layout.clone(),
            sweeping: Some(sweeping),
            persists: true,
            retries: std::mem::take(&mut self.retries),
            ..Session::draw(self.seed, self.round, COUNTING, rng)
        }
    }

    /// The same behind a gate: nothing is counted on the caller's side.
    pub(super) fn session_behind_gate(&mut self, rng: &mut Rng) -> Session {
        let policy = CountPolicy::Background.as_str().to_owned();
        // A window counts what is pending, and nothing is counted behind a gate.
        Session { policy, looks: false, ..self.session(rng) }
    }

    /// Opens the store with a memory on it; each wait has this bound.
    pub(super) async fn open(
        &self,
        session: &Session,
        counter: Arc<dyn TokenCounter>,
        patience: Duration,
    ) -> Outcome<Writing> {
        let opened = Server::new(self.server.url()).patience(patience).open().await?;
        let memory = session.memory(Arc::clone(&opened.store), counter).await?;
        Ok(Writing { memory, opened })
    }

    /// Writes until the writers are through, or are told to stop.
    pub(super) async fn write(
        &self,
        session: &Session,
        writing: &Writing,
        progress: &Progress,
    ) -> Outcome<()> {
        let note = noting(progress, &self.expected, Expected::note);
        let written = session.write_on(&writing.memory, &progress.stop, &note).await;
        progress.finish();
        written
    }

    /// What the server holds.
    pub(super) async fn look(&self) -> Outcome<Vec<Observed>> {
        let opened = Server::new(self.server.url()).open().await?;
        let (conversations, counter) = (self.layout.conversations(0), COUNTING.tally_id());
        let observed = observe_at_rest(&*opened.store, &counter, &conversations).await?;
        opened.close().await?;
        Ok(observed)
    }

    /// Everything is as acknowledged, and exact after a sweep.
    pub(super) async fn check(&mut self) -> Outcome<()> {
        emptied([&self.server]).await?;
        let observed = self.look().await?;
        self.retries = lock(&self.expected).resolve(&observed, Lost::Nothing)?;
        let opened = Server::new(self.server.url()).open().await?;
        let contents = Contents::new(self.seed, COUNTING);
        settle(&opened.store, COUNTING, &contents, &self.layout.conversations(0)).await?;
        opened.close().await?;
        emptied([&self.server]).await
    }
}

impl Writing {
    /// Settles what was counted, and is gone.
    pub(super) async fn close(self) -> Outcome<()> {
        settled(&self.memory).await?;
        self.memory.shutdown(BOUND).await;
        drop(self.memory);
        self.opened.close().await
    }
}

/// Returns when what a memory has queued is settled, or left to a sweep: soon, where servers answer.
pub(super) async fn settled(memory: &Memory) -> Outcome<()> {
    ensure!(
        memory.settled(BOUND).await,
        "a memory has not settled what it had queued within {} s, and its servers answer",
        BOUND.as_secs()
    );
    Ok(())
}
