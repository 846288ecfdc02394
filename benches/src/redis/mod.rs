//! How fast the ledger is on Redis: the program behind `cargo xtask bench redis`.
//!
//! A server of its own is started on this machine for each part. The alternatives have their turns
//! in each round one after the other, and goals are held against ratios within a round. What a
//! command takes in the server is the server's own count.

mod appends;
mod bare;
mod conversations;
mod counts;
mod generator;
mod load;
mod locked;
mod memory;
mod original;
mod sections;
mod settle;
mod store;
mod waiting;
mod window;

pub use sections::SECTIONS;
