//! A remote counter for threads that may wait.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use memory_core::{CacheLookups, CountError, CounterId, RemoteCounter, TokenCounter};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::error::RemoteError;

/// The name of the thread.
const THREAD: &str = "turnledger-remote";

/// Makes a counter that asks a service one that the counting pool can use.
///
/// A count blocks its thread until the service has answered or is given up, so it is for threads
/// that may wait, as the pool's are, and is never made at once on the thread of a caller. All
/// requests are made by one thread of its own, `turnledger-remote`, with a runtime of its own; it
/// ends when the counter is dropped.
///
/// Put it as the first of a [`Fallback`](crate::Fallback): what cannot be counted in time is then
/// counted by another counter, in tallies that say so, and
/// [`is_answering`](TokenCounter::is_answering) tells when the service has answered again.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use memory_core::TokenCounter;
/// use tokens::{BlockingCounter, BpeCounter, Fallback, ProviderCounter};
///
/// // Nobody listens on this port.
/// let provider = ProviderCounter::gemini("gemini-2.5-flash", "the key")
///     .base_url("http://127.0.0.1:1")
///     .retries(0)
///     .build()?;
/// let remote = BlockingCounter::new(Arc::new(provider))?;
/// let counter = Fallback::new(Arc::new(remote), Arc::new(BpeCounter::o200k_base()));
/// assert!(counter.count_text("Hello, world!")?.by_fallback);
/// assert!(!counter.is_answering());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BlockingCounter {
    remote: Arc<dyn RemoteCounter>,
    requests: Option<UnboundedSender<Request>>,
    thread: Option<JoinHandle<()>>,
}

struct Request {
    text: String,
    answer: mpsc::SyncSender<Result<usize, CountError>>,
}

impl BlockingCounter {
    /// Starts the thread that asks.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Thread`] where the system refuses the thread or its runtime.
    pub fn new(remote: Arc<dyn RemoteCounter>) -> Result<Self, RemoteError> {
        let failed = |source| RemoteError::Thread { source };
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let (requests, received) = unbounded_channel();
        let asked = Arc::clone(&remote);
        let run = move || runtime.block_on(answer(asked, received));
        let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { remote, requests: Some(requests), thread: Some(thread) })
    }

    fn ended(&self) -> CountError {
        CountError::Panicked { counter: self.remote.id().clone() }
    }
}

/// Answers requests, side by side, until nobody can make any. Each has a caller who waits for it,
/// so they are never more than there are threads.
async fn answer(remote: Arc<dyn RemoteCounter>, mut requests: UnboundedReceiver<Request>) {
    let mut running = JoinSet::new();
    while let Some(Request { text, answer }) = requests.recv().await {
        let remote = Arc::clone(&remote);
        running.spawn(async move {
            // Where the counter panics, the channel closes without an answer.
            let counted = remote.count(&text).await;
            let _ = answer.send(counted);
        });
        while running.try_join_next().is_some() {}
    }
}

#[deny(clippy::missing_trait_methods)]
impl TokenCounter for BlockingCounter {
    fn id(&self) -> &CounterId {
        self.remote.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let request = Request { text: text.to_owned(), answer };
        let requests = self.requests.as_ref().ok_or_else(|| self.ended())?;
        requests.send(request).map_err(|_| self.ended())?;
        answered.recv().unwrap_or_else(|_| Err(self.ended()))
    }

    fn count_text(&self, text: &str) -> Result<memory_core::TextCount, CountError> {
        self.count(text).map(Into::into)
    }

    /// Always: whether the service answers is known to who tries, a [`Fallback`](crate::Fallback).
    fn is_answering(&self) -> bool {
        true
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.remote.upper_bound(text)
    }

    fn inline_safe(&self) -> bool {
        false
    }

    /// Nowhere: nobody knows where the service's vocabulary could be cut.
    fn safe_cut(&self, _: &str, _: usize) -> Option<usize> {
        None
    }

    fn is_cpu_bound(&self) -> bool {
        false
    }

    fn cache_lookups(&self) -> CacheLookups {
        CacheLookups::default()
    }
}

impl Drop for BlockingCounter {
    fn drop(&mut self) {
        // Without anyone who could ask, the thread ends.
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // Its panics are told to those who wait for answers.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for BlockingCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingCounter").field("remote", &self.remote).finish_non_exhaustive()
    }
}
