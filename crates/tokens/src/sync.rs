//! What threads share, start and wait with.
//!
//! What in the pool lives from the order in which threads come to it takes its primitives from here.
//! `tests/models` compiles the same files with a module in this one's place, whose primitives let a
//! scheduler choose that order. Not from here are tokio's `Notify` and `oneshot`, which tokio models
//! itself, and numbers and flags that are only raised: metrics, the warm-up's end, strikes.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use std::thread;

pub(crate) use tokio::time::timeout;
