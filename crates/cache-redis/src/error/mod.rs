//! What can go wrong, with the thing that it concerns and what to do about it.

mod connect;
mod pool;
mod wait;

pub use connect::{ConnectError, ConnectReason};
pub use pool::{PoolError, ServerDetail};
pub use wait::WaitTimedOut;
