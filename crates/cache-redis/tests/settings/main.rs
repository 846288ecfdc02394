//! The section `[redis]`, from its layers to typed values.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod common;
mod layers;
mod pool;
mod secrets;
mod tls;
