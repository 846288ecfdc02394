//! The pool on real servers that stop, die, refuse, come back and change their roles.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cancelled;
mod frozen;
mod network;
mod refusals;
mod restarts;
mod roles;
mod secrets;
#[path = "../shared/mod.rs"]
mod shared;
mod sockets;
mod support;
mod tls;
