//! One file for each command.

mod append;
mod clear;
mod completions;
mod config;
mod copy;
mod count;
mod doctor;
mod drop_newest;
mod each;
mod export;
mod list;
mod named;
mod replay;
mod settle;
mod show;
mod stored;
mod sweep;
mod totals;
mod window;

pub(crate) use append::append;
pub(crate) use clear::clear;
pub(crate) use completions::completions;
pub(crate) use config::config_show;
pub(crate) use copy::copy;
pub(crate) use count::count;
pub(crate) use doctor::doctor;
pub(crate) use drop_newest::drop_newest;
pub(crate) use export::export;
pub(crate) use list::list;
pub(crate) use replay::replay;
pub(crate) use show::show;
pub(crate) use sweep::sweep;
pub(crate) use totals::totals;
pub(crate) use window::window;
