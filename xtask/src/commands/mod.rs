//! What each command does.

pub(crate) mod bench;
mod bench_page;
mod bench_stored;
pub(crate) mod chaos;
pub(crate) mod ci;
pub(crate) mod corpus;
pub(crate) mod docs;
mod full;
pub(crate) mod hostile;
pub(crate) mod lint;
mod shown_settings;
pub(crate) mod test;
pub(crate) mod tidy;
