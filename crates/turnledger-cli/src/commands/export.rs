//! `export`: JSON lines that `replay` reads back.

use turnledger::{Conversation, Memory};

use super::each::Each;
use crate::args::ExportArgs;
use crate::error::{CliError, Outcome};
use crate::output::Output;

/// Prints conversations, one a line, without holding a whole one in memory.
pub(crate) async fn export(
    args: ExportArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let mut each = Each::of(memory, &args.conversations).await?;
    while let Some(conversation) = each.next().await? {
        if output.is_closed() {
            break;
        }
        line(&conversation, output).await?;
    }
    Ok(Outcome::Done)
}

async fn line(conversation: &Conversation, output: &mut Output) -> Result<(), CliError> {
    let id = serde_json::to_string(conversation.key().id.as_str())
        .map_err(|error| CliError::Output { source: error.into() })?;
    output.part(&format!("{{\"id\":{id},\"messages\":["))?;
    let (mut export, mut separator) = (conversation.export(), "");
    while let Some(entry) = export.next().await {
        let entry = entry?;
        output.part(separator)?;
        output.part(entry.message.as_json())?;
        separator = ",";
    }
    output.line("]}")
}
