//! The handle that everything of a memory hangs on.

mod builder;
mod figures;
mod handle;
mod running;
mod swap;

pub use builder::MemoryBuilder;
pub use handle::{Memory, ShutdownReport};
pub(crate) use running::Running;
