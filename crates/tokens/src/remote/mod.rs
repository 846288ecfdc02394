//! Counting by asking a provider.

mod blocking;
mod builder;
mod client;
mod counter;
mod error;
mod provider;
mod retry;

pub use blocking::BlockingCounter;
pub use builder::ProviderBuilder;
pub use counter::ProviderCounter;
pub use error::RemoteError;
