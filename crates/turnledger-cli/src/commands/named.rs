//! The conversation that an argument names.

use turnledger::{
    Conversation, ConversationId, LedgerTotals, Limits, Memory, MemoryError, MessageId, StoreError,
};

use crate::error::CliError;

/// The conversation of this id; it need not hold anything.
pub(super) fn conversation(memory: &Memory, id: &str) -> Result<Conversation, CliError> {
    let id = ConversationId::within(id, memory.limits())
        .map_err(|source| CliError::Id { what: "ID", source })?;
    Ok(memory.conversation(id))
}

/// The conversation of this id and its sums; an error where there is none.
///
/// One whose messages were all dropped is there, and holds nothing.
pub(super) async fn existing(
    memory: &Memory,
    id: &str,
) -> Result<(Conversation, LedgerTotals), CliError> {
    let conversation = conversation(memory, id)?;
    let ledger = conversation.ledger().await?;
    if ledger.epoch.is_none() {
        return Err(CliError::NoConversation { key: conversation.key().clone() });
    }
    Ok((conversation, ledger))
}

/// The id that a replay or a copy gives to the message at this place, from 1.
///
/// It depends on the place alone, since ids are told apart by conversation anyway; so whoever
/// appends the same conversation again adds nothing.
pub(super) fn message_id(place: u64, limits: &Limits) -> Result<MessageId, CliError> {
    MessageId::within(format!("replay:{place}"), limits)
        .map_err(|source| CliError::Id { what: "the id of a replayed message", source })
}

/// Whether the id is known with other content.
pub(super) fn is_conflict(error: &MemoryError) -> bool {
    matches!(error, MemoryError::Store(StoreError::Conflict { .. }))
}

/// Whether an error is about one conversation, so that others can still be worked on.
pub(super) fn concerns_one_conversation(error: &MemoryError) -> bool {
    match error {
        MemoryError::Store(error) => matches!(
            error,
            StoreError::Conflict { .. }
                | StoreError::Limit(_)
                | StoreError::DamagedConversation { .. }
        ),
        MemoryError::Limit(_)
        | MemoryError::Id(_)
        | MemoryError::Redact { .. }
        | MemoryError::Count { .. }
        | MemoryError::Uncounted { .. }
        | MemoryError::Unreadable { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_an_id_of_its_own() {
        let id = |place| message_id(place, &Limits::default()).unwrap();
        assert_eq!(id(1).as_str(), "replay:1");
        assert_ne!(id(12), id(2));
        assert!(message_id(u64::MAX, &Limits::default()).is_ok());
        assert!(message_id(1, &Limits { id_bytes: 5, ..Limits::default() }).is_err());
        // The least that the setting can be holds every place.
        assert!(message_id(u64::MAX, &Limits { id_bytes: 32, ..Limits::default() }).is_ok());
    }
}
