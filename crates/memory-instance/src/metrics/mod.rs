//! What a memory publishes through the `metrics` facade.
//!
//! Nothing is published until the program installs a recorder; without one a call costs a few
//! nanoseconds. No metric has a label that names a conversation or a tenant.

pub mod names;

pub use describe::describe;

mod describe;
