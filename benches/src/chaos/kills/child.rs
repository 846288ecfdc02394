//! The process that writes until it is killed.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store_embedded::{Durability, EmbeddedStore};

use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::record::Record;
use crate::chaos::writer::Session;

/// What the process is told, as one line on its standard input.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) path: PathBuf,
    pub(super) synced: bool,
    pub(super) session: Session,
}

pub(super) fn durability(synced: bool) -> Durability {
    if synced { Durability::Sync } else { Durability::Relaxed }
}

/// Writes until it is killed, or until the one who started it is gone.
pub(crate) fn run() -> Outcome<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(ChaosError::system("the order cannot be read"))?;
    let Order { path, synced, session } = serde_json::from_str(&line)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .map_err(ChaosError::system("no runtime can be started"))?;
    runtime.block_on(async {
        note(&Record::Started)?;
        let builder = EmbeddedStore::builder().path(path).durability(durability(synced));
        let store = builder.open_async().await?;
        note(&Record::Opened)?;
        session.write(Arc::new(store), &|record| note(&record)).await
    })?;
    // The end of the input is the end of the one who shall kill this process.
    let waited = io::stdin().read_to_end(&mut Vec::new());
    waited.map(drop).map_err(ChaosError::system("the end cannot be waited for"))
}

/// Writes a line at once, so that a kill leaves no half of one and keeps none back.
fn note(record: &Record) -> Outcome<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    let mut output = io::stdout().lock();
    let written = output.write_all(&line).and_then(|()| output.flush());
    written.map_err(ChaosError::system("a record cannot be written"))
}
