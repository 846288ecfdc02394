//! How fast tokens are counted: the program behind `cargo xtask bench tokens`.
//!
//! Other tokenizers are heavy, so they are a program of their own, which is started anew for each
//! text and round: caches that outlive a call help nobody twice.

mod clock;
mod competitors;
mod estimator;
mod first_use;
mod hostile;
mod sections;
mod settings;
mod submit;
mod threads;

pub use first_use::{FIRST_USE, first_use};
pub use sections::SECTIONS;
pub use settings::Settings;
