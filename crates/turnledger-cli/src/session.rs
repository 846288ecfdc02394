//! The settings of a run, and the memories that it opens.

use std::time::Duration;

use tokio::time::timeout;
use turnledger::settings::{Layer, Loaded, SettingsError, Sources};
use turnledger::{Memory, MemoryStore, wiring};

use crate::args::GlobalArgs;
use crate::error::{CliError, note};
use crate::output::count;

/// An open memory.
pub(crate) struct Session {
    pub(crate) memory: Memory,
    /// The store's URL, without its password.
    pub(crate) store_url: String,
    /// How long the end may wait for counts.
    pub(crate) shutdown_deadline: Duration,
}

/// What the end of a memory left.
pub(crate) struct Left {
    /// Messages that were counted at the end.
    settled: u64,
    /// Messages that are not counted yet.
    pending: u64,
}

/// The setting that `--store` and `--to` give.
const STORE_URL: &str = "store.url";

/// How long the store may take to say what is pending.
const LOOK: Duration = Duration::from_secs(5);

/// Loads the settings, the options on top, and tells their warnings.
pub(crate) fn load(global: &GlobalArgs) -> Result<Loaded, CliError> {
    load_from(sources(global))
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
        let Self { settled, pending } = *self;
        if interrupted {
            let settled = count(settled, "message");
            note(&format!("{settled} counted at the end, {pending} left pending"));
        }
        if pending > 0 {
            let pending = count(pending, "message");
            note(&format!("{pending} not counted yet; `turnledger sweep` counts what is left"));
        }
    }
}
