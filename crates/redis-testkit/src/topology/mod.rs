//! Servers that belong together.

mod cluster;
mod cluster_builder;
mod nodes;
mod sentinels;
mod slots;

pub use cluster::Cluster;
pub use cluster_builder::ClusterBuilder;
pub use sentinels::{Sentinels, SentinelsBuilder};
pub use slots::SlotMigration;
