//! A Redis server for the tests: found, or installed.
//!
//! Tests that need one fail without it. What is found here is handed to them in a variable.

mod decision;
mod machine;
mod server;
mod version;

pub(crate) use server::RedisServer;
