//! The process that writes until it is killed.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::place::Place;
use crate::chaos::record::Record;
use crate::chaos::session::Session;

/// What the process is told, as one line on its standard input.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) place: Place,
    pub(crate) session: Session,
}

/// Writes until it is killed, or until the one who started it is gone.
pub(crate) fn run() -> Outcome<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(ChaosError::system("the order cannot be read"))?;
    let Order { place, session } = serde_json::from_str(&line)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ChaosError::system("no runtime can be started"))?;
    runtime.block_on(async {
        note(&Record::Started)?;
        let store = place.open().await?.store;
        note(&Record::Opened)?;
        session.write(store, &|record| note(&record)).await?;
        note(&Record::Ended)
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
