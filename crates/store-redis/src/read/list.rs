//! Lists of conversations.

use std::collections::BTreeSet;

use cache_redis::Lane;
use cache_redis::connection::{Value, cmd};
use memory_core::{
    ConversationId, ConversationKey, ConversationSummary, ListPage, ListQuery, Namespace,
};

use crate::answer::{array, number, texts};
use crate::damage::Damage;
use crate::error::Fault;
use crate::inner::Inner;
use crate::state::{self, State};

const WHAT: &str = "SCAN";

/// Keys that the server looks at in one step.
pub(super) const STEP: u64 = 1000;

/// As [`MemoryStore::list`](memory_core::MemoryStore::list), in the order of the ids.
///
/// There is no index of conversations, so each page looks at all keys of the servers, and keeps as
/// many ids as the page has.
pub(crate) async fn list(inner: &Inner, query: &ListQuery) -> Result<ListPage, Fault> {
    let limit = query.limit.max(1);
    let mut found: BTreeSet<ConversationId> = BTreeSet::new();
    for server in inner.client.pool.servers().await? {
        let mut cursor = 0;
        loop {
            let (next, keys) = scan(inner, &server, &query.namespace, cursor).await?;
            for key in keys {
                if query.after.as_ref().is_none_or(|after| key.id > *after) {
                    found.insert(key.id);
                }
                // One more than the page has tells that another one follows.
                if found.len() > limit.saturating_add(1) {
                    found.pop_last();
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }
    let is_last = found.len() <= limit;
    let ids: Vec<_> = found.into_iter().take(limit).collect();
    let next = ids.last().filter(|_| !is_last).cloned();
    let conversations = summaries(inner, &query.namespace, ids).await?;
    Ok(ListPage { conversations, next })
}

/// One step of a walk over the conversations of a namespace on one server: where it goes on, and
/// what it found.
pub(super) async fn scan(
    inner: &Inner,
    server: &Lane,
    namespace: &Namespace,
    cursor: u64,
) -> Result<(u64, Vec<ConversationKey>), Fault> {
    let mut command = cmd("SCAN");
    command.arg(cursor).arg("MATCH").arg(inner.prefix.pattern(namespace)).arg("COUNT").arg(STEP);
    let answer = array(server.run(&command).await?, WHAT)?;
    let Ok([cursor, keys]) = <[Value; 2]>::try_from(answer) else {
        return Err(Fault::answer(WHAT));
    };
    let cursor = number(&cursor).ok_or_else(|| Fault::answer(WHAT))?;
    let keys = texts(keys, WHAT)?;
    // What matches the pattern and is none of ours is somebody else's.
    Ok((cursor, keys.iter().filter_map(|key| inner.prefix.parse_meta(key)).collect()))
}

async fn summaries(
    inner: &Inner,
    namespace: &Namespace,
    ids: Vec<ConversationId>,
) -> Result<Vec<ConversationSummary>, Fault> {
    let key = |id: &ConversationId| ConversationKey::new(namespace.clone(), id.clone());
    let read = |id| state::read(inner.prefix.keys(&key(id)).meta(), None);
    let answers = inner.client.scattered(ids.iter().map(read).collect()).await?;
    let mut summaries = Vec::with_capacity(ids.len());
    for (id, answer) in ids.into_iter().zip(answers) {
        let state = match answer {
            Value::Array(values) => State::decode(values),
            _ => Err(Damage::TYPE),
        };
        let state = state.map_err(|Damage(detail)| {
            Fault::Refused(memory_core::StoreError::DamagedConversation { key: key(&id), detail })
        })?;
        // Else it has ended meanwhile.
        if let Some(state) = state {
            let counter = inner.counters.ids(&inner.client, &[state.current]).await?;
            let counter = counter.into_iter().next().ok_or_else(|| Fault::answer(WHAT))?;
            let (epoch, messages) = (state.epoch, state.messages());
            summaries.push(ConversationSummary { id, epoch, messages, counter });
        }
    }
    Ok(summaries)
}
