//! How [`AsyncTokenCounter`] behaves, and the bounds of its settings.
//!
//! It is a pool of owned threads that count in the background. Whoever hands a job over never waits:
//! a place in the queue is either free or it is not. The threads are named `turnledger-count-0`,
//! `turnledger-count-1`, … and `turnledger-count-watch`, run at a lower priority where the system has
//! one for threads, and are joined at shutdown.
//!
//! # What it promises
//!
//! - **One answer each.** Every job that was taken is delivered exactly once, with its tally, the
//!   counter's error, [`CountError::Panicked`] or [`CountError::ShutDown`]. A job whose caller no
//!   longer waits for it is not counted.
//! - **Faults cost one result.** A counter or a callback that panics does not end its thread. Of
//!   several jobs that share a count, one gets its failure, and the others are counted anew.
//! - **Bounds.** At most `capacity` jobs are queued, in hand, or delivered and still held by who
//!   got them: a place is free again when its [`Counted`] is dropped.
//! - **An end.** After [`shutdown`](crate::AsyncTokenCounter::shutdown) no job is left without an answer, even where
//!   a counter hangs. Dropping the last handle ends the threads without waiting for them.
//!
//! # In which order
//!
//! Conversations take turns, each with 8 KiB of text in one turn, so that one with a thousand jobs
//! does not hold up another one's single job. Within a conversation short jobs and long ones take
//! turns as well. What is counted of a conversation in one turn is delivered together, so that it
//! can be settled in one write; for a counter that waits for something else than the processor
//! every result is delivered at once.
//!
//! Jobs with the same texts that are in the queue or in hand at the same time are counted once.
//!
//! A job of more than [`PART_BYTES`] is cut where its counter says that this is
//! [safe](memory_core::TokenCounter::safe_cut), and several workers count its parts. Between the
//! parts it is given up where nobody waits for it any more, be it that the future was dropped, that
//! its deadline has come, or that the pool has ended.
//!
//! # What hangs
//!
//! A count that takes longer than [`DEFAULT_HUNG_AFTER`], for each begun [`PART_BYTES`] of text, is
//! taken to hang. Its jobs get [`CountError::Failed`] with [`HungCount`] as the source; until it
//! comes back, so does every other job with the same texts. Its thread is let go of, and another one
//! takes its place: at most as many as there are workers, so there are never more than twice as many
//! threads. What cannot be replaced goes on as a worker when it comes back; what was replaced ends.
//!
//! # What callers owe it
//!
//! Callbacks run on the worker's thread and must not block: they hold it up. Those of jobs that
//! are given up run on the thread that shuts the pool down or drops its last handle, and those of
//! jobs that hang on the thread that watches.
//!
//! A panic is caught by unwinding: in a program that is built to abort on panic, a counter that
//! panics ends the process.
//!
//! [`HungCount`]: crate::HungCount
//! [`AsyncTokenCounter`]: crate::AsyncTokenCounter
//! [`Counted`]: crate::Counted
//! [`CountError::Failed`]: memory_core::CountError::Failed
//! [`CountError::Panicked`]: memory_core::CountError::Panicked
//! [`CountError::ShutDown`]: memory_core::CountError::ShutDown

mod aftermath;
pub(crate) mod builder;
mod clock;
mod cost;
pub(crate) mod deliver;
mod desk;
mod flights;
mod flows;
pub(crate) mod guard;
mod hand;
pub(crate) mod handle;
mod idle;
mod inline;
mod intake;
pub(crate) mod job;
mod parts;
mod priority;
mod queue;
mod shared;
pub(crate) mod shutdown;
mod warm;
mod watch;
mod worker;

pub use builder::{
    DEFAULT_CAPACITY, DEFAULT_HUNG_AFTER, DEFAULT_MAX_WORKERS, MAX_CAPACITY, MAX_WORKERS,
};
pub use handle::DEFAULT_DEADLINE;
pub use inline::INLINE_MAX_BYTES;
pub use parts::PART_BYTES;

#[cfg(test)]
mod tests;
