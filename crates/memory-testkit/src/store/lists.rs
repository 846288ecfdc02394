//! Listing conversations.

use std::collections::BTreeMap;

use memory_core::{ConversationSummary, ListQuery, Tally};

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::user;
use crate::verdict::{Verdict, Violation, ensure_eq};

/// Pages of any size list each conversation once, as it stands.
pub async fn listing_pages_through_every_conversation_once(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let mut expected = BTreeMap::new();
    for index in 0..25_u64 {
        let other = scene.other(&format!("conversation {}", index * 7));
        let batch = (0..=index % 3).map(|_| user("a", Tally::exact(1)));
        let epoch = other.append(batch).await?.epoch;
        expected.insert(other.key.id.clone(), (epoch, index % 3 + 1, scene.counter.clone()));
    }
    for limit in [1, 7, 24, 25, 26, 1000] {
        let listed = list(&scene, limit).await?;
        ensure_eq!(listed.len(), expected.len(), "listed by {limit}");
        let entry = |listed: ConversationSummary| {
            (listed.id, (listed.epoch, listed.messages, listed.counter))
        };
        let found: BTreeMap<_, _> = listed.into_iter().map(entry).collect();
        ensure_eq!(found, expected, "listed by {limit}");
    }
    Ok(())
}

/// What was cleared is not listed.
pub async fn a_cleared_conversation_is_not_listed(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    for id in ["stays", "goes"] {
        scene.other(id).append([user("a", Tally::exact(1))]).await?;
    }
    scene.store.clear(&scene.other("goes").key).await?;
    let listed = list(&scene, 10).await?;
    let ids: Vec<_> = listed.iter().map(|listed| listed.id.as_str()).collect();
    ensure_eq!(ids, ["stays"], "listed conversations");
    Ok(())
}

/// Every conversation of the scene's namespace, by pages of `limit`.
pub(super) async fn list(
    scene: &Scene,
    limit: usize,
) -> Result<Vec<ConversationSummary>, Violation> {
    let mut all = Vec::new();
    let mut after = None;
    for _ in 0..10_000 {
        let query = ListQuery { namespace: scene.key.namespace.clone(), after, limit };
        let page = scene.store.list(query).await?;
        crate::verdict::ensure!(page.conversations.len() <= limit, "more than {limit} in a page");
        all.extend(page.conversations);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
    Err(Violation::new("ten thousand pages of a list did not come to an end"))
}
