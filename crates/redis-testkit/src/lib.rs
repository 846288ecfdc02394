//! Real Redis servers that tests start, break and stop, and a faulty network before them.
//!
//! For tests only. Every server is a process of `redis-server` or `valkey-server` on a free port of
//! `127.0.0.1`, in a temporary folder of its own. It has answered a PING when a test gets hold of
//! it, and it is killed and reaped when the test lets go of it, also by a panic.
//!
//! - [`RedisServer`]: one server, with what it is to have: persistence, limits, passwords, users,
//!   TLS. It can be paused, killed, started again, asked what it sees, and made a replica.
//! - [`Certificates`]: an authority, and what it signed for a server and for its clients.
//! - [`Sentinels`]: a master, its replicas, and three Sentinels that watch them.
//! - [`Cluster`]: three masters with a replica each; slots move on request.
//! - [`FaultProxy`]: what stands between a client and a server, and delays, cuts, swallows, resets
//!   or refuses; it counts the sockets that were open at the same time.
//! - [`ServerBinary`]: where the program is. Without one, tests fail and say what to do.
//!
//! What a server sees is asked over a Unix socket in its folder, so that neither TLS nor a proxy
//! nor the port's fate stands in the way, and so that its own connection can be told from the
//! others.
//!
//! # Examples
//!
//! ```
//! use redis_testkit::RedisServer;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let server = RedisServer::builder().max_clients(50).start().await?;
//! assert!(server.url().starts_with("redis://127.0.0.1:"));
//! server.kill()?;
//! server.restart().await?;
//! assert_eq!(server.sockets().await?, 0);
//! # Ok::<(), redis_testkit::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binary;
mod certificates;
mod error;
mod ports;
mod process;
mod proxy;
mod server;
mod topology;
mod wait;

pub use binary::{SERVER_VARIABLE, ServerBinary, Version};
pub use certificates::Certificates;
pub use error::Error;
pub use proxy::{End, Event, Fault, FaultProxy, Happened, Log};
pub use server::{
    Client, ClientCertificates, CommandStats, Durability, RedisServer, Reply, ServerBuilder,
};
pub use topology::{Cluster, ClusterBuilder, Sentinels, SentinelsBuilder, SlotMigration};
