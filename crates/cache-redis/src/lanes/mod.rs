//! Shared connections: which command goes on which, how many at a time, and in which order.

mod board;
mod closing;
mod destination;
mod fence;
mod giving_way;
mod lane;
mod link;
mod opening;
mod place;
mod proof;
mod queue;
mod state;
mod waiting;

pub use lane::Lane;

pub(crate) use board::{Board, Start};
pub(crate) use destination::Destination;
pub(crate) use place::Place;
pub(crate) use state::{KeyHasher, Verdict};
