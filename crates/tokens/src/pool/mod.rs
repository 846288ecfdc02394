//! How [`AsyncTokenCounter`] behaves, and the bounds of its settings.
//!
//! It is a pool of owned threads that count in the background. Whoever hands a job over never waits: a place in the queue is either free or it is not. The
//! threads are named `turnledger-count-0`, `turnledger-count-1`, … and joined at shutdown.
//!
//! # What it promises
//!
//! - **One answer each.** Every job that was taken is delivered exactly once, with its tally, the
//!   counter's error, [`CountError::Panicked`] or [`CountError::ShutDown`]. A job whose caller no
//!   longer waits for it is not counted.
//! - **Faults cost one result.** A counter or a callback that panics does not end its thread.
//! - **Bounds.** At most `capacity` jobs are queued, in hand, or delivered and still held by who
//!   got them: a place is free again when its [`Counted`] is dropped.
//! - **An end.** After [`shutdown`](crate::AsyncTokenCounter::shutdown) no job is left without an answer, even where
//!   a counter hangs. Dropping the last handle ends the threads without waiting for them.
//!
//! Callbacks run on the worker's thread and must not block: they hold it up. Those of jobs that
//! are given up run on the thread that shuts the pool down or drops its last handle.
//!
//! A panic is caught by unwinding: in a program that is built to abort on panic, a counter that
//! panics ends the process.
//!
//! [`AsyncTokenCounter`]: crate::AsyncTokenCounter
//! [`Counted`]: crate::Counted
//! [`CountError::Panicked`]: memory_core::CountError::Panicked
//! [`CountError::ShutDown`]: memory_core::CountError::ShutDown

pub(crate) mod builder;
mod cost;
pub(crate) mod deliver;
mod guard;
mod hand;
pub(crate) mod handle;
mod idle;
mod inline;
pub(crate) mod job;
mod queue;
mod shared;
pub(crate) mod shutdown;
mod warm;
mod worker;

pub use builder::{DEFAULT_CAPACITY, DEFAULT_MAX_WORKERS, MAX_CAPACITY, MAX_WORKERS};
pub use handle::DEFAULT_DEADLINE;
pub use inline::INLINE_MAX_BYTES;

#[cfg(test)]
mod tests;
