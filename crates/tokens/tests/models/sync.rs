//! What threads share, start and wait with, under a scheduler's hand.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicUsize};
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};

use shuttle::rand::{Rng, thread_rng};

/// A deadline that never comes.
pub(crate) const NEVER: Duration = Duration::MAX;

/// A deadline that may come at any moment.
pub(crate) const ANY: Duration = Duration::from_secs(1);

/// A deadline that has come.
pub(crate) const NOW: Duration = Duration::ZERO;

/// So many looks at the future at most before [`ANY`] has come.
const LOOKS: u32 = 12;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elapsed;

pub(crate) async fn timeout<F: Future>(
    deadline: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let mut looks = match deadline {
        NEVER => None,
        NOW => Some(0),
        _ => Some(thread_rng().gen_range(0..LOOKS)),
    };
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        if let Some(left) = &mut looks {
            let Some(fewer) = left.checked_sub(1) else { return Poll::Ready(Err(Elapsed)) };
            *left = fewer;
            // Time passes whether or not anything happens.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

pub(crate) mod thread {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    pub(crate) use shuttle::thread::{Thread, current};

    /// As the library's, with the question whether the thread has ended.
    #[derive(Debug)]
    pub(crate) struct JoinHandle<T> {
        handle: shuttle::thread::JoinHandle<T>,
        finished: Arc<AtomicBool>,
    }

    impl<T> JoinHandle<T> {
        pub(crate) fn thread(&self) -> &Thread {
            self.handle.thread()
        }

        pub(crate) fn is_finished(&self) -> bool {
            self.finished.load(Ordering::SeqCst)
        }

        pub(crate) fn join(self) -> std::thread::Result<T> {
            self.handle.join()
        }
    }

    pub(crate) struct Builder(shuttle::thread::Builder);

    impl Builder {
        pub(crate) fn new() -> Self {
            Self(shuttle::thread::Builder::new())
        }

        pub(crate) fn name(self, name: String) -> Self {
            Self(self.0.name(name))
        }

        pub(crate) fn spawn<T: Send + 'static>(
            self,
            code: impl FnOnce() -> T + Send + 'static,
        ) -> io::Result<JoinHandle<T>> {
            let finished = Arc::new(AtomicBool::new(false));
            let ends = Arc::clone(&finished);
            let handle = self.0.spawn(move || {
                let result = code();
                ends.store(true, Ordering::SeqCst);
                result
            })?;
            Ok(JoinHandle { handle, finished })
        }
    }
}
