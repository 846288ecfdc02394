//! The section `[redis]`: its declarations, the relations between them, and their typed values.

mod address;
mod bounds;
mod credentials;
mod node;
mod pool;
mod preset;
mod redis_url;
mod schema;
mod tls;
mod topology;
mod typed;
mod variables;

pub(crate) use bounds::MOST_CONNECTIONS;
pub use credentials::Credentials;
pub use node::Node;
pub use pool::PoolSettings;
pub use tls::{ClientCertificate, TlsSettings};
pub use topology::Topology;
pub use typed::RedisSettings;
