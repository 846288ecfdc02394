//! The one module with types of other crates: the `redis` crate's commands and replies, and byte
//! streams of tokio.
//!
//! [`Lane`](crate::Lane) and [`Exclusive`](crate::Exclusive) run a [`Cmd`] or a [`Pipeline`] and
//! answer with a [`Value`] or a [`PoolError`](crate::PoolError). Both are connections in the sense
//! of the `redis` crate too, so that its own helpers work on them.
//!
//! # Examples
//!
//! ```no_run
//! use cache_redis::connection::{cmd, pipe};
//! # async fn example(pool: &cache_redis::RedisPool) -> Result<(), cache_redis::PoolError> {
//! let lane = pool.lane(b"greeting");
//! lane.run(cmd("SET").arg("greeting").arg("hello")).await?;
//! let replies = lane.run_all(pipe().atomic().get("greeting").del("greeting")).await?;
//! assert_eq!(replies.len(), 2);
//! # Ok(())
//! # }
//! ```

mod ask_for_slots;
mod cancelled;
mod check;
mod command_names;
pub(crate) mod commands;
mod dialer;
mod driver;
mod like;
mod link;
mod outcome;
mod refusal;
mod request;
mod route;
mod run_cluster;
mod run_exclusive;
mod run_lane;
mod sending;
mod sentinel;
mod session;

pub use redis::{
    Arg, AsyncCommands, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult,
    ServerError, ToRedisArgs, Value, cmd, from_redis_value, pipe,
};

pub(crate) use ask_for_slots::ask_for_slots;
pub(crate) use cancelled::Cancelled;
pub use dialer::{ByteStream, Dialer};
pub(crate) use link::{Link, LinkHandle, Login};
pub(crate) use sentinel::master_of;
