//! A Redis pool that keeps to its bounds: shared lanes and exclusive connections under one cap.
//!
//! [`RedisPool`] has two ways to a server. A [`Lane`] is shared and pipelined: many commands are in
//! flight on one socket, in the order of their key, and it is made anew when it fails. It is the way
//! for nearly everything. An [`Exclusive`] connection is for what leaves something behind or holds
//! up others: blocking commands, WATCH. Both together never have more sockets open than
//! `redis.pool.size`, whatever fails.
//!
//! - Every wait has a deadline, and its error says what was waited for and which setting to turn.
//! - After a failure no operation is given a connection from before it.
//! - What is cancelled leaves nothing behind that another caller could see.
//! - [`RedisPool::snapshot`] and the [`metrics`] say what happens, [`RedisPool::advice`] what to do.
//!
//! # Connecting
//!
//! ```no_run
//! use cache_redis::connection::{cmd, from_redis_value};
//! use cache_redis::{RedisPool, RedisSettings};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = RedisPool::builder(RedisSettings::default()).connect().await?;
//! let lane = pool.lane("visits");
//! let visits: u64 = from_redis_value(lane.run(cmd("INCR").arg("visits")).await?)?;
//!
//! let mut exclusive = pool.get().await?;
//! exclusive.run(cmd("BLPOP").arg("jobs").arg(1)).await?;
//! drop(exclusive);
//!
//! println!("{visits} visits, {}", pool.status());
//! pool.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Clusters
//!
//! A lane of a cluster has a connection to each node that owns slots, and sends each command to the
//! owner of its key. A command is sent again only where a node answered that it has not executed it:
//! `MOVED`, `ASK`, `TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`, `LOADING` and `READONLY`. There are no
//! exclusive connections, a pipeline has keys of one slot, and commands that concern nodes one by one
//! go over the lanes of [`RedisPool::servers`].
//!
//! # Settings
//!
//! [`RedisSettings`] is the section `[redis]` as typed values: what exists has been checked. Its
//! [schema](RedisSettings::schema) goes into a [`Loader`], alone or merged with a program's own,
//! and [`settle`](RedisSettings::settle) fills in what follows from other values, corrects what can
//! be corrected, and refuses the rest. Every value keeps the layer that it comes from, and no
//! password is ever shown.
//!
//! ```
//! use std::collections::BTreeMap;
//! use cache_redis::{Layer, Loader, RedisSettings, Topology};
//!
//! // A program would give `ProcessEnvironment` here.
//! let environment = BTreeMap::from([
//!     ("REDIS_URL".to_owned(), "rediss://app:hunter2@cache/3".to_owned()),
//!     ("REDIS_POOL_SIZE".to_owned(), "25".to_owned()),
//! ]);
//! let mut settings = Loader::new(RedisSettings::schema()).environment(environment).build()?;
//! let redis = RedisSettings::settle(&mut settings)?;
//!
//! let Topology::Single(server) = &redis.topology else { panic!("one URL is one server") };
//! assert_eq!((server.to_string().as_str(), redis.database), ("cache:6379", 3));
//! assert!(redis.tls.is_some() && !format!("{redis:?}").contains("hunter2"));
//!
//! // Half of the size, rounded up, since nothing says otherwise.
//! assert_eq!(redis.pool.max_idle, 13);
//! let max_idle = settings.resolved("redis.pool.max_idle")?;
//! assert_eq!((max_idle.layer(), max_idle.source()), (Layer::Derived, Some("redis.pool.size")));
//! # Ok::<_, cache_redis::SettingsError>(())
//! ```
//!
//! # Variables
//!
//! Each setting has two: one with the prefix, such as `TURNLEDGER__REDIS__POOL__SIZE`, and a flat
//! one, such as `REDIS_POOL_SIZE`. The one with the prefix wins; where both are set and differ, a
//! warning says so. [`Setting::variables`](layered_settings::Setting::variables) names the flat
//! ones. Most follow from their keys; `REDIS_MAX_IDLE_CONNS` and `REDIS_MIN_IDLE_CONNS` have the
//! names that the clients of other languages gave them.

mod cluster;
mod connect;
pub mod connection;
mod diagnosis;
mod error;
mod lanes;
pub mod metrics;
mod pool;
mod settings;

pub use diagnosis::{Concern, Diagnosis, RoundTrip, ServerReport, Throughput};
pub use error::{ConnectError, ConnectReason, PoolError, ServerDetail, WaitTimedOut};
pub use lanes::Lane;
pub use layered_settings::{
    Environment, Layer, Loader, ProcessEnvironment, ResolvedSetting, Schema, Secret, Settings,
    SettingsError, Url, Value, Warning,
};
pub use metrics::{PoolSnapshot, TimeSummary};
pub use pool::{Advice, Exclusive, Leak, PoolStatus, RedisPool, RedisPoolBuilder, WaitingFor};
pub use settings::{
    ClientCertificate, Credentials, Node, PoolSettings, RedisSettings, TlsSettings, Topology,
};
