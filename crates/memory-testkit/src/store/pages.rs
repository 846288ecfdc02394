//! Paging.

use memory_core::{Message, Tally};

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::{message, user};
use crate::verdict::{Verdict, ensure, ensure_eq};

/// Pages hold at most their limit, follow each other without gaps, and the last one says so.
pub async fn pages_follow_each_other(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([message(&Message::system("s"), Tally::exact(1))]).await?;
    scene.append((0..11).map(|index| user("a", Tally::exact(index)))).await?;
    for limit in [1, 2, 3, 4, 5, 11, 12, 13, 1000] {
        let mut after = None;
        let mut seqs = Vec::new();
        loop {
            let page = scene.page(after, limit).await?;
            ensure!(page.messages.len() <= limit, "{} of {limit}", page.messages.len());
            ensure!(!page.messages.is_empty(), "an empty page follows a page of {limit}");
            seqs.extend(page.messages.iter().map(|message| message.seq.get()));
            match page.next {
                Some(next) => after = Some(next.get()),
                None => break,
            }
        }
        ensure_eq!(seqs, (1..=12).collect::<Vec<_>>(), "seqs of pages of {limit}");
    }
    for after in 1..12 {
        let page = scene.page(Some(after), 1).await?;
        ensure_eq!(page.messages[0].seq.get(), after + 1, "the seq after {after}");
    }
    Ok(())
}

/// After the newest message there is nothing, and no next page.
pub async fn a_page_after_the_last_is_empty(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([user("a", Tally::exact(1))]).await?;
    for after in [1, 2, u64::MAX] {
        let page = scene.page(Some(after), 10).await?;
        ensure!(page.messages.is_empty() && page.next.is_none(), "after {after}: {page:?}");
        ensure_eq!(page.totals.messages, 1, "messages of a page's totals");
    }
    Ok(())
}
