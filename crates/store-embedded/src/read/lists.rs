//! Lists of conversations.

use std::ops::Bound;

use memory_core::{ConversationKey, ConversationSummary, ListPage, ListQuery, StoreError};

use crate::bytes::Damage;
use crate::error::Fault;
use crate::record::Record;
use crate::schema::{View, namespace_end, namespace_prefix, parse_storage_key, storage_key};
use crate::shared::Shared;

/// As [`MemoryStore::list`](memory_core::MemoryStore::list), in the order of the ids.
pub(crate) fn list(view: &View, shared: &Shared, query: &ListQuery) -> Result<ListPage, Fault> {
    let now = shared.clock.now();
    let end = namespace_end(&query.namespace);
    let start = match &query.after {
        Some(after) => storage_key(&ConversationKey::new(query.namespace.clone(), after.clone())),
        None => namespace_prefix(&query.namespace),
    };
    let range = (Bound::Excluded(start.as_slice()), Bound::Excluded(end.as_slice()));
    let mut conversations: Vec<ConversationSummary> = Vec::new();
    for entry in view.conversations()?.range::<&[u8]>(range)? {
        let (stored_key, value) = entry?;
        let key = parse_storage_key(stored_key.value())?;
        let record = decode(value.value(), &key)?;
        if record.has_expired(now) {
            continue;
        }
        if conversations.len() == query.limit.max(1) {
            let next = conversations.last().map(|last| last.id.clone());
            return Ok(ListPage { conversations, next });
        }
        conversations.push(ConversationSummary {
            id: key.id,
            epoch: record.epoch,
            messages: record.messages(),
            counter: shared.counters.id(record.current)?,
        });
    }
    Ok(ListPage { conversations, next: None })
}

/// Reads a record and says whose it is where it cannot be read.
pub(super) fn decode(value: &[u8], key: &ConversationKey) -> Result<Record, Fault> {
    Record::decode(value).map_err(|damage| damaged(damage, key))
}

pub(super) fn damaged(Damage(detail): Damage, key: &ConversationKey) -> Fault {
    StoreError::DamagedConversation { key: key.clone(), detail }.into()
}
