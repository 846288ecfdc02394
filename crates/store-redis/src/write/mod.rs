//! What changes conversations.

mod append;
mod append_fast;
mod append_script;
mod counter;
mod drop_newest;
mod lives;
mod mend;
mod prepared;
mod settle;
mod trim;

pub(crate) use append::append;
pub(crate) use append_script::too_many_counters;
pub(crate) use counter::{set_counter, switch};
pub(crate) use drop_newest::drop_newest;
pub(crate) use lives::{clear, expire};
pub(crate) use mend::mend;
pub(crate) use prepared::check_key;
pub(crate) use settle::settle;
pub(crate) use trim::trim;
