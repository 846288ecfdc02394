//! The pool over real clusters of three masters with a replica each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod basics;
mod failovers;
mod logins;
mod moves;
#[path = "../shared/mod.rs"]
mod shared;
mod sockets;
mod support;
mod times;
