//! The settings of a run, and the memories that it opens.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use turnledger::settings::{Layer, Loaded, SettingsError, Sources};
use turnledger::{Backlog, Memory, MemoryError, MemoryStore, wiring};

use crate::args::GlobalArgs;
use crate::error::{CliError, note};
use crate::output::count;

/// An open memory.
pub(crate) struct Session {
    pub(crate) memory: Memory,
    /// The store's URL, without its password.
    pub(crate) store_url: String,
    /// How long the end may take.
    shutdown_deadline: Duration,
    /// When the end began.
    end: OnceLock<Instant>,
    /// What the end left, where a command has ended the memory itself.
    left: OnceLock<Left>,
}

/// What the end of a memory left.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    /// Messages that were counted at the end.
    pub(crate) settled: u64,
    /// Messages that are not counted yet.
    pub(crate) pending: u64,
    /// Whether that is all that is known, and some of them may be counted after all.
    pub(crate) at_most: bool,
    /// What counts them.
    pub(crate) advice: &'static str,
}

/// How what an ordinary command has left is counted.
const SWEEP: &str = "`turnledger sweep` counts what is left";

/// The setting that `--store` and `--to` give.
const STORE_URL: &str = "store.url";

/// The setting that has the vocabulary loaded at the start.
const WARM_UP: &str = "counter.warm_up";

/// The part of the end's time in which may be counted; in the rest the store says what is left.
const COUNTING: f64 = 0.9;

/// Loads the settings, the options on top, and tells their warnings.
pub(crate) fn load(global: &GlobalArgs) -> Result<Loaded, CliError> {
    load_from(sources(global))
}

/// Loads the settings of a command on a store. One that does not count has no need of a vocabulary.
pub(crate) fn load_for_store(global: &GlobalArgs, counts: bool) -> Result<Loaded, CliError> {
    let sources = sources(global);
    load_from(if counts { sources } else { sources.explicit(WARM_UP, "false") })
}

/// Loads the settings with the store that `--to` names.
pub(crate) fn load_for_target(global: &GlobalArgs, url: &str) -> Result<Loaded, CliError> {
    sources(global).explicit(STORE_URL, url).load().map_err(|error| match error {
        SettingsError::GivenValue { key, expected, .. } if key == STORE_URL => {
            CliError::Target { expected }
        }
        error => error.into(),
    })
}

fn load_from(sources: Sources) -> Result<Loaded, CliError> {
    let loaded = sources.load()?;
    for warning in &loaded.warnings {
        note(&format!("warning: {warning}"));
    }
    Ok(loaded)
}

fn sources(global: &GlobalArgs) -> Sources {
    let mut sources = Sources::of_process().strict(global.strict);
    if let Some(file) = &global.config {
        sources = sources.file(file);
    }
    global.explicit().fold(sources, |sources, (key, text)| sources.explicit(key, text))
}

impl Session {
    /// Opens the store that the settings name, and a memory on it.
    pub(crate) async fn open(loaded: &Loaded) -> Result<Self, CliError> {
        Self::open_as(loaded, false).await
    }

    /// Opens the store to copy to.
    pub(crate) async fn open_target(loaded: &Loaded) -> Result<Self, CliError> {
        Self::open_as(loaded, true).await
    }

    async fn open_as(loaded: &Loaded, target: bool) -> Result<Self, CliError> {
        let given = matches!(loaded.settings.layer(STORE_URL), Ok(Layer::Explicit));
        let opened = wiring::open(&loaded.settings).await.map_err(|source| CliError::Open {
            source,
            given,
            target,
        })?;
        Ok(Self {
            memory: opened.memory,
            store_url: opened.store_url,
            shutdown_deadline: opened.settings.memory.shutdown_deadline,
            end: OnceLock::new(),
            left: OnceLock::new(),
        })
    }

    /// What is left of the time that the end may take. It begins with the first call, so that
    /// everything that is done at the end shares it.
    pub(crate) fn time_left(&self) -> Duration {
        self.shutdown_deadline.saturating_sub(self.end.get_or_init(Instant::now).elapsed())
    }

    /// Ends the memory before the command has told what it did; returns how many messages were
    /// counted by that. Nothing is counted afterwards, so what is read then is what stays.
    pub(crate) async fn end_counting(&self) -> u64 {
        self.memory.shutdown(self.time_left().mul_f64(COUNTING)).await.settled
    }

    /// Says what is left of a memory that the command has ended itself.
    pub(crate) fn leave(&self, left: Left) {
        // Only one command runs on a session, and it ends once.
        let _ = self.left.set(left);
    }

    /// Ends the memory in good order, unless the command has done so.
    ///
    /// With `look`, what is left is read from the store, which knows of pendings that the memory
    /// itself never had.
    pub(crate) async fn close(self, look: bool) -> Left {
        if let Some(left) = self.left.get() {
            return *left;
        }
        let part = if look { COUNTING } else { 1.0 };
        let report = self.memory.shutdown(self.time_left().mul_f64(part)).await;
        let (settled, pending) = (report.settled, report.left_pending);
        let mut left = Left { settled, pending, at_most: false, advice: SWEEP };
        if look && let Ok(Ok(found)) = timeout(self.time_left(), self.sweepable()).await {
            left.pending = found;
        }
        left
    }

    /// How many messages of the namespace a sweep with this counter would count.
    async fn sweepable(&self) -> Result<u64, MemoryError> {
        let mut messages = 0;
        let (store, namespace) = (self.memory.store(), self.memory.namespace());
        for found in store.pending(namespace, Backlog::Pending, usize::MAX).await? {
            let ledger = self.memory.conversation(found.key.id).ledger().await?;
            if ledger.current.as_ref() == Some(&self.memory.tally_id()) {
                messages += found.pending;
            }
        }
        Ok(messages)
    }
}

impl Left {
    /// Adds what is left elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        self.settled += other.settled;
        self.pending += other.pending;
        self.at_most |= other.at_most;
    }

    /// Says what is left.
    pub(crate) fn tell(&self, interrupted: bool) {
        let Self { settled, pending, at_most, advice } = *self;
        let bound = if at_most { "at most " } else { "" };
        if interrupted {
            let settled = count(settled, "message");
            note(&format!("{settled} counted at the end, {bound}{pending} left pending"));
        }
        if pending > 0 {
            let pending = count(pending, "message");
            note(&format!("{bound}{pending} not counted yet; {advice}"));
        }
    }
}
