//! From an address to a socket: where servers are, how often they are tried, and who keeps count.

mod governor;
mod node_dialer;
mod sentinel_dialer;
mod socket;
mod tls;

pub(crate) use governor::{Backoff, Governor};
pub(crate) use node_dialer::NodeDialer;
pub(crate) use sentinel_dialer::SentinelDialer;
pub(crate) use socket::Socket;
pub(crate) use tls::{connector, is_tls};
