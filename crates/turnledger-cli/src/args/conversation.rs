//! What the commands on one conversation take.

use clap::Args;

/// How a result is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Encoded {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `append`.
#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    /// The conversation
    #[arg(value_name = "ID")]
    pub(crate) conversation: String,

    /// Who the message is from
    #[arg(long, requires = "content", value_parser = ROLES)]
    pub(crate) role: Option<String>,

    /// What the message says
    #[arg(long, requires = "role", value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) content: Option<String>,

    /// The message's own id: appending it again appends nothing
    #[arg(long, value_name = "MESSAGE_ID")]
    pub(crate) id: Option<String>,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// The wire form's roles.
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// Arguments of `window`.
#[derive(Debug, Args)]
pub(crate) struct WindowArgs {
    /// The conversation
    #[arg(value_name = "ID")]
    pub(crate) conversation: String,

    /// The window's budget, in tokens
    #[arg(long, default_value_t = 4096, value_name = "TOKENS")]
    pub(crate) budget: u64,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The conversation
    #[arg(value_name = "ID")]
    pub(crate) conversation: String,

    /// Only messages after this place
    #[arg(long, value_name = "SEQ")]
    pub(crate) after: Option<u64>,

    /// At most so many messages
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `totals`.
#[derive(Debug, Args)]
pub(crate) struct TotalsArgs {
    /// The conversation
    #[arg(value_name = "ID")]
    pub(crate) conversation: String,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `drop-newest`.
#[derive(Debug, Args)]
pub(crate) struct DropNewestArgs {
    /// The conversation
    #[arg(value_name = "ID")]
    pub(crate) conversation: String,

    /// How many messages
    #[arg(value_name = "N")]
    pub(crate) count: u64,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `clear`.
#[derive(Debug, Args)]
pub(crate) struct ClearArgs {
    /// The conversation
    #[arg(value_name = "ID")]
    pub(crate) conversation: String,

    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}
