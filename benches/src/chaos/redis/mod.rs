//! What only a store on Redis can meet.

mod crowds;
mod cuts;
mod disturbed;
mod failovers;
mod load;
mod progress;
mod run;
mod server_kills;
mod servers;
mod topology;

pub(super) use run::RedisRun;
pub(super) use servers::{emptied, start};
