//! The handle that everything of a memory hangs on.

mod builder;
mod figures;
mod handle;

pub use builder::MemoryBuilder;
pub(crate) use handle::Running;
pub use handle::{Memory, ShutdownReport};
