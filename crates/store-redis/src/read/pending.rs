//! Lists of what waits.

use memory_core::{Backlog, Namespace, PendingConversation};

use super::backlog::{Indexes, states_with_sums};
use crate::error::Fault;
use crate::inner::Inner;

/// Conversations whose numbers are read at a time.
const CHUNK: usize = 256;

/// As [`MemoryStore::pending`](memory_core::MemoryStore::pending).
pub(crate) async fn pending(
    inner: &Inner,
    namespace: &Namespace,
    backlog: Backlog,
    limit: usize,
) -> Result<Vec<PendingConversation>, Fault> {
    let mut indexes = Indexes::new(inner, backlog, None);
    let mut found = Vec::new();
    while let Some(mut keys) = indexes.next(inner).await? {
        keys.retain(|key| key.namespace == *namespace);
        for keys in keys.chunks(CHUNK) {
            for (key, state) in states_with_sums(inner, keys).await? {
                let pending = backlog.of(&state.totals());
                // An index may name what was settled, or has ended, since.
                if pending > 0 && found.len() < limit {
                    found.push(PendingConversation { key, pending });
                }
            }
            if found.len() >= limit {
                return Ok(found);
            }
        }
    }
    Ok(found)
}
