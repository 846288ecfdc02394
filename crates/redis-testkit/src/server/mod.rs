//! One server: what it is to have, its process, and what it says of itself.

mod builder;
mod clients;
mod config;
mod control;
mod instance;
mod replication;
mod reply;
mod statistics;

pub use builder::ServerBuilder;
pub use clients::Client;
pub use config::{ClientCertificates, Durability};
pub use instance::RedisServer;
pub use reply::Reply;
pub use statistics::CommandStats;

use config::quoted;
pub(crate) use statistics::fields;
