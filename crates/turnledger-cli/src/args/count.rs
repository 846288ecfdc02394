//! What `count` takes.

use std::path::PathBuf;

use clap::Args;

use super::conversation::Encoded;

/// Arguments of `count`.
#[derive(Debug, Args)]
pub(crate) struct CountArgs {
    /// Files to count; `-`, or none at all, is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Count as this model does, such as `gpt-4o`
    #[arg(long, value_name = "NAME", conflicts_with = "tokenizer")]
    pub(crate) model: Option<String>,

    /// Count as this `tokenizer.json` of Hugging Face says
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,

    /// Take each line as a JSON object with `text` or `messages`, and print its tokens
    #[arg(long)]
    pub(crate) jsonl: bool,

    /// Add the estimate, and how far it is off
    #[arg(long)]
    pub(crate) estimate: bool,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}
