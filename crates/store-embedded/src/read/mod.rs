//! What reads conversations, at one moment.

mod conversation;
mod lists;
mod pages;
mod pendings;
mod windows;

pub(crate) use conversation::{check, is_recounting, totals};
pub(crate) use lists::list;
pub(crate) use pages::page;
pub(crate) use pendings::{Claims, claim, pending};
pub(crate) use windows::read_window;
