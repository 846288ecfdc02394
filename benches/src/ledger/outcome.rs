//! What a measurement returns.

use std::error::Error;

/// A result whose errors end the program: they are shown and not handled.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
