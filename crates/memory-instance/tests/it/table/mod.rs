//! The table of cancellation: every operation is dropped at each point where it waits, while the
//! store or the counter answers at once, fails, answers late or never, before or behind its work.
//!
//! Whatever was dropped where, a fresh call works, no acknowledged message is lost or there twice,
//! every pending becomes exact after a sweep, and every place in the queue is free again.

mod drops;
mod operation;
mod polls;
mod scene;
