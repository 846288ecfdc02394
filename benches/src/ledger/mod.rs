//! What the ledger costs on the embedded store: the program behind `cargo xtask bench ledger`.
//!
//! Every section measures its alternatives side by side, one round after the other, and reports
//! the median of the rounds. A figure that stands for itself has a reference loop beside it, which
//! does the same work every time and so shows how fast the machine was just then.

mod counting;
mod exact;
mod free_counter;
mod machine;
mod measure;
mod null_store;
mod outcome;
mod overhead;
mod paced;
mod raw;
mod recording;
mod report;
mod sections;
mod settings;
mod sync_count;
mod texts;
mod threads;
mod tokenizer_file;
mod window;
mod writers;

pub(crate) use free_counter::{FreeCounter, warmed_up};
pub use machine::{Load, Machine};
pub(crate) use measure::{Reference, Times, microseconds, per_second, ratios};
pub use outcome::Outcome;
pub use report::{Goal, Report, Section, Series, Verdict};
pub use sections::SECTIONS;
pub use settings::Settings;
pub(crate) use texts::Texts;
pub(crate) use tokenizer_file::o200k_base as tokenizer_json;
