//! How fast the Redis pool is: the program behind `cargo xtask bench pool`.
//!
//! A server of its own is started on this machine. The alternatives have their turns in each round
//! one after the other, and goals are held against ratios within a round.

mod alternatives;
mod many;
mod scripted;
mod sections;
mod sequential;

pub(crate) use alternatives::settings as pool_settings;
pub use sections::SECTIONS;
