//! The settings of a run, and the memories that it opens.

use std::time::Duration;

use tokio::time::timeout;
use turnledger::settings::{Layer, Loaded, Sources};
use turnledger::{Memory, MemoryStore, wiring};

use crate::args::GlobalArgs;
use crate::error::{CliError, note};

/// An open memory.
pub(crate) struct Session {
    pub(crate) memory: Memory,
    /// The store's URL, without its password.
    pub(crate) store_url: String,
    shutdown_deadline: Duration,
}

/// What the end of a memory left.
pub(crate) struct Left {
    /// Messages that were counted at the end.
    settled: u64,
    /// Messages that are not counted yet.
    pending: u64,
}

/// How long the store may take to say what is pending.
const LOOK: Duration = Duration::from_secs(5);

/// Loads the settings, the options on top, and tells their warnings.
pub(crate) fn load(global: &GlobalArgs) -> Result<Loaded, CliError> {
    load_from(sources(global))
}

/// Loads the settings with another store.
pub(crate) fn load_for_store(global: &GlobalArgs, url: &str) -> Result<Loaded, CliError> {
    Ok(sources(global).explicit("store.url", url).load()?)
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
        let given = matches!(loaded.settings.layer("store.url"), Ok(Layer::Explicit));
        let opened = wiring::open(&loaded.settings)
            .await
            .map_err(|source| CliError::Open { source, given })?;
        Ok(Self {
            memory: opened.memory,
            store_url: opened.store_url,
            shutdown_deadline: opened.settings.memory.shutdown_deadline,
        })
    }

    /// Ends the memory in good order.
    ///
    /// With `look`, what is left is read from the store, which knows of pendings that the memory
    /// itself never had.
    pub(crate) async fn close(self, look: bool) -> Left {
        let report = self.memory.shutdown(self.shutdown_deadline).await;
        let mut left = Left { settled: report.settled, pending: report.left_pending };
        if look {
            let pending = self.memory.store().pending(self.memory.namespace(), usize::MAX);
            if let Ok(Ok(found)) = timeout(LOOK, pending).await {
                left.pending = found.iter().map(|conversation| conversation.pending).sum();
            }
        }
        left
    }
}

impl Left {
    /// Adds what is left elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        self.settled += other.settled;
        self.pending += other.pending;
    }

    /// Says what is left.
    pub(crate) fn tell(&self, interrupted: bool) {
        let Self { settled, pending } = self;
        if interrupted {
            note(&format!(
                "{settled} messages were counted at the end, {pending} are left pending"
            ));
        }
        if *pending > 0 {
            note(&format!(
                "{pending} messages are not counted yet; `turnledger sweep` counts them"
            ));
        }
    }
}
