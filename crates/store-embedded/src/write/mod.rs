//! What changes a conversation, inside the writer's transaction.

mod append;
mod batch;
mod drop_newest;
mod garbage;
mod lives;
mod mend;
mod records;
mod recount;
mod settle;
mod trim;

pub(crate) use append::{Prepared, append};
pub(crate) use batch::{Batch, State};
pub(crate) use drop_newest::drop_newest;
pub(crate) use garbage::sweep_up;
pub(crate) use lives::{clear, expire, set_counter};
pub(crate) use mend::mend;
pub(crate) use recount::{continue_recount, recount};
pub(crate) use settle::settle;
pub(crate) use trim::trim;
