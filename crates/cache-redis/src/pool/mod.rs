//! One cap over all sockets, exclusive connections under it, and what keeps it in bounds.

mod advice;
mod builder;
pub(crate) mod cap;
mod connecting;
mod counts;
mod ending;
mod exclusive;
mod generation;
mod holders;
mod manager;
mod reaper;
mod redis_pool;
mod servers;
mod shared;
mod status;

pub use advice::Advice;
pub use builder::RedisPoolBuilder;
pub use exclusive::Exclusive;
pub use holders::Leak;
pub use redis_pool::RedisPool;
pub use status::{PoolStatus, WaitingFor};

pub(crate) use cap::{CapClosed, Permit};
pub(crate) use connecting::LONG_IDLE;
pub(crate) use counts::{AtTimes, Count, Level, Mark};
pub(crate) use generation::{Generation, Generations};
pub(crate) use servers::of as servers_of;
pub(crate) use shared::Shared;
