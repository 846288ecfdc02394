//! What reads conversations.

mod backlog;
mod check;
mod claim;
mod list;
pub(crate) mod look;
mod page;
mod pending;
mod recount;
mod refresh;
mod sizes;
mod totals;
mod waiting;
mod window;

pub(crate) use check::{check, differences};
pub(crate) use claim::claim;
pub(crate) use list::list;
pub(crate) use page::page;
pub(crate) use pending::pending;
pub(crate) use recount::recount;
pub(crate) use totals::totals;
pub(crate) use window::read_window;
