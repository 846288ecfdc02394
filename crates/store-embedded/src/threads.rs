//! The store's threads: how they begin and end.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use memory_core::StoreError;
use tokio::sync::{mpsc, watch};

use crate::builder::EmbeddedStoreBuilder;
use crate::error::{EmbeddedError, cannot_open};
use crate::finisher::{Commits, Finisher};
use crate::open::{Opened, open};
use crate::readers::{Queries, Reader};
use crate::store::EmbeddedStore;
use crate::views::Views;
use crate::writer::{Finishing, Writer};

const WRITER: &str = "turnledger-embedded-write";
const FINISHER: &str = "turnledger-embedded-sync";
const READER: &str = "turnledger-embedded-read";

/// One acknowledges while the other finishes; and at most one can finish.
const FINISHERS: usize = 2;

/// Reads are short and mostly served from the cache: more threads would only take turns.
const MOST_READERS: usize = 4;

/// The threads of one store.
#[derive(Debug)]
pub(crate) struct Threads {
    handles: Mutex<Vec<JoinHandle<()>>>,
    /// Closed when every thread has let go of the database.
    done: watch::Receiver<()>,
}

impl Threads {
    /// Waits until all threads have ended. They must have been told to.
    pub(crate) async fn ended(&self) {
        let mut done = self.done.clone();
        // Nothing is ever sent; it fails when the last thread is done.
        while done.changed().await.is_ok() {}
        let handles: Vec<_> =
            self.handles.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        for handle in handles {
            // The thread has nothing left to do. One that panicked has said so already.
            let _ = handle.join();
        }
    }
}

/// Opens a store on its writer thread, and hands it over.
pub(crate) fn start(
    builder: EmbeddedStoreBuilder,
    hand_over: impl FnOnce(Result<EmbeddedStore, StoreError>) + Send + 'static,
) -> Result<(), StoreError> {
    let (own_handle, handle) = std::sync::mpsc::sync_channel::<JoinHandle<()>>(1);
    let thread = spawn(WRITER.to_owned(), move || {
        let queue = builder.queue;
        let opened = match open(builder) {
            Ok(opened) => opened,
            Err(error) => return hand_over(Err(error)),
        };
        // The starter sends it as soon as this thread exists.
        let Ok(handle) = handle.recv() else { return };
        match run(opened, queue, handle) {
            Ok((store, writer, done)) => {
                hand_over(Ok(store));
                writer.run();
                drop(done);
            }
            Err(error) => hand_over(Err(error)),
        }
    })?;
    // Where the thread has ended already, opening failed and nobody needs the handle.
    let _ = own_handle.send(thread);
    Ok(())
}

fn run(
    opened: Opened,
    queue: usize,
    own: JoinHandle<()>,
) -> Result<(EmbeddedStore, Writer, watch::Sender<()>), StoreError> {
    let Opened { database, behind, shared, state } = opened;
    let (database, shared) = (Arc::new(database), Arc::new(shared));
    let (orders, order_queue) = mpsc::channel(queue);
    let (queries, query_queue) = mpsc::channel(queue);
    let query_queue: Queries = Arc::new(Mutex::new(query_queue));
    let (done, is_done) = watch::channel(());
    let views = Arc::new(Views::default());
    let finisher = Finisher {
        behind: Arc::clone(&behind),
        shared: Arc::clone(&shared),
        views: Arc::clone(&views),
    };
    // The storage has one sync left at most, so more could not wait.
    let (commits, committed) = std::sync::mpsc::sync_channel(1);
    let committed: Commits = Arc::new(Mutex::new(committed));
    let mut finishers = Vec::new();
    for index in 0..FINISHERS {
        let (finisher, committed) = (finisher.clone(), Arc::clone(&committed));
        finishers.push(spawn(format!("{FINISHER}-{index}"), move || finisher.run(&committed))?);
    }
    let mut handles = vec![own];
    let readers = std::thread::available_parallelism().map_or(1, usize::from);
    for index in 0..readers.clamp(1, MOST_READERS) {
        let reader = Reader::new(Arc::clone(&database), Arc::clone(&shared), Arc::clone(&views));
        let (queries, done) = (Arc::clone(&query_queue), done.clone());
        handles.push(spawn(format!("{READER}-{index}"), move || {
            reader.run(&queries);
            drop(reader);
            drop(done);
        })?);
    }
    let threads = Threads { handles: Mutex::new(handles), done: is_done };
    let finishing = Finishing { behind, views, commits, threads: finishers };
    let writer = Writer::new(database, Arc::clone(&shared), state, order_queue, finishing);
    Ok((EmbeddedStore::new(shared, orders, queries, threads), writer, done))
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let thread = Builder::new().name(name.clone()).spawn(work);
    thread.map_err(|source| cannot_open(EmbeddedError::Thread { name, source }))
}
