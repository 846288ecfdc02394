//! A cluster: which node owns which slot, and a connection to each of them for every lane.
//!
//! Nothing here repeats a command. Who sends one decides that, from what the node answered.

mod attempt;
mod key_turns;
mod lane;
mod node_link;
mod room;
mod server;
mod slots;
mod survey;
mod upkeep;
mod view;

pub(crate) use attempt::{Attempt, NoLink};
pub(crate) use key_turns::KeyTurn;
pub(crate) use lane::{ClusterLane, ClusterLink};
pub(crate) use node_link::NodeLink;
pub(crate) use server::Server;
pub(crate) use slots::{SlotRange, slot_of};
pub(crate) use view::Cluster;
