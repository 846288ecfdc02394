//! Counts against the reference: stored vectors, hostile texts short and long.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod equality;
mod hostile;
mod large;
mod vectors;
