//! What can be said on the command line.

mod conversation;
mod count;
mod examples;
mod global;
mod program;
mod replay;
mod store;

pub(crate) use conversation::{
    AppendArgs, ClearArgs, DropNewestArgs, ShowArgs, TotalsArgs, WindowArgs,
};
pub(crate) use count::CountArgs;
pub(crate) use global::GlobalArgs;
pub(crate) use program::{Cli, Command, StoreCommand};
pub(crate) use replay::{ForcedFormat, ReplayArgs};
pub(crate) use store::{
    CompletionsArgs, ConfigCommand, ConfigShowArgs, CopyArgs, DoctorArgs, ExportArgs, ListArgs,
    SweepArgs,
};
