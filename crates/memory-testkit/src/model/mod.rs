//! The ledger in its plainest form: what a store must answer.
//!
//! [`Model`] keeps every message with its tallies and adds them up anew for every answer. Nothing
//! is stored twice, so nothing can drift. [`ModelStore`] puts it behind the trait.

mod answers;
mod conversation;
mod reads;
mod store;
mod sweeps;
mod writes;

pub use answers::Model;
pub use store::ModelStore;

pub(crate) use reads::lower_bound;
