//! One conversation: appending, reading, and looking after it.

mod append;
mod export;
mod handle;
mod window;

pub use export::Export;
pub use handle::Conversation;
pub use window::{Window, WindowOptions};
