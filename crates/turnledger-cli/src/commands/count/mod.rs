//! `count`: tokens, bytes and lines, without a store.

mod choice;
mod cores;
mod files;
mod lines;
mod progress;
mod report;
mod run;

pub(crate) use run::count;
