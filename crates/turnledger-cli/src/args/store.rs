//! What the commands on the store, the settings and the shell take.

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::conversation::Encoded;

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The conversations; all of the namespace where none is named
    #[arg(value_name = "ID")]
    pub(crate) conversations: Vec<String>,
}

/// Arguments of `copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The store to copy into
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,

    /// The conversations; all of the namespace where none is named
    #[arg(value_name = "ID")]
    pub(crate) conversations: Vec<String>,

    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What can be done with the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its value and where that comes from
    Show(ConfigShowArgs),
}

/// Arguments of `config show`.
#[derive(Debug, Args)]
pub(crate) struct ConfigShowArgs {
    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) encoded: Encoded,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}
