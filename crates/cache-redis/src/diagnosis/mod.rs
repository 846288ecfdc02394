//! A look at the servers of a pool: what they are, how they are set up, and how fast they answer.

mod examine;
mod info;
mod report;

pub use report::{Concern, Diagnosis, RoundTrip, ServerReport, Throughput};
