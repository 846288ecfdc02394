//! A writing process is killed at random moments, and what it wrote is looked at.

mod child;
mod parent;
mod process;
mod written;

pub(super) use child::{Order, run as write};
pub(super) use parent::{run, run_redis};
pub(super) use process::Process;
