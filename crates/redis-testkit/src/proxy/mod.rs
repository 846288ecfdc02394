//! A faulty network between clients and a server.

mod cut;
mod fault;
mod handle;
mod link;
mod listener;
mod log;

pub use fault::{End, Fault};
pub use handle::FaultProxy;
pub use log::{Event, Happened, Log};
