//! What `replay` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Files to read; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The budget of each conversation's window, in tokens
    #[arg(long, default_value_t = 4096, value_name = "TOKENS")]
    pub(crate) budget: u64,

    /// The input's format, instead of recognising it
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ForcedFormat>,

    /// Skip what cannot be replayed, and exit with 1 at the end
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// Print one JSON object a line: each conversation, then the summary
    #[arg(long)]
    pub(crate) json: bool,

    /// Add every message's tokens to the JSON of its conversation
    #[arg(long, requires = "json")]
    pub(crate) tallies: bool,
}

/// A format that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForcedFormat {
    /// One {"id"?, "messages"} on each line
    #[value(alias = "ndjson")]
    Jsonl,
    /// An array of {"id"?, "messages"}
    #[value(alias = "array")]
    Json,
    /// {"id"?, "conversations"}, on lines or in an array
    Sharegpt,
}
