//! `replay`: real conversations through the path of a live agent.

mod append;
mod course;
mod report;
mod run;

pub(crate) use run::replay;
