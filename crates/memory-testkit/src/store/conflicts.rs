//! The same id with other content.

use memory_core::{LedgerTotals, NewMessage, StoreError, Tally};

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::{self, user, with_id};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// A conflict names id and seq, and changes nothing, not even the current counter.
pub async fn a_conflict_writes_nothing(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([user("x", Tally::exact(1)), with_id(user("a", Tally::exact(4)), "id")]).await?;
    let second = scene.under(&sample::counter("letters"));
    let other = with_id(user("b", Tally::estimated(9)), "id");
    let before = state(&scene).await?;
    ensure_eq!(conflict(&second, [other]).await?, Some(2), "the seq in the conflict");
    ensure!(state(&scene).await? == before, "a conflict changed the conversation");
    let again = scene.append([with_id(user("a", Tally::exact(4)), "id")]).await?;
    ensure_eq!(again.messages[0].seq.get(), 2, "the seq of the first content");
    scene.check_ledger("after a conflict").await
}

/// A conflict in the middle of a batch writes none of it, and no id of it becomes known.
pub async fn a_conflict_in_a_batch_writes_none_of_it(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([with_id(user("a", Tally::exact(4)), "id")]).await?;
    let before = state(&scene).await?;
    let batch = [
        with_id(user("new", Tally::estimated(1)), "new"),
        with_id(user("b", Tally::exact(4)), "id"),
        user("after", Tally::exact(1)),
    ];
    ensure_eq!(conflict(&scene, batch).await?, Some(1), "the seq in the conflict");
    ensure!(state(&scene).await? == before, "a conflict changed the conversation");
    let appended = scene.append([with_id(user("other", Tally::exact(1)), "new")]).await?;
    let answer = appended.messages[0];
    ensure_eq!((answer.seq.get(), answer.new), (2, true), "an id of the refused batch");
    scene.check_ledger("after a conflict in a batch").await
}

/// Two contents under one id in one batch are a conflict too.
pub async fn a_conflict_within_a_batch_writes_none_of_it(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let batch =
        || [with_id(user("a", Tally::exact(4)), "id"), with_id(user("b", Tally::exact(4)), "id")];
    conflict(&scene, batch()).await?;
    ensure_eq!(scene.ledger().await?.epoch, None, "the epoch after a conflict in the first batch");
    scene.append([user("x", Tally::exact(1))]).await?;
    let before = state(&scene).await?;
    conflict(&scene, batch()).await?;
    ensure!(state(&scene).await? == before, "a conflict changed the conversation");
    scene.check_ledger("after a conflict within a batch").await
}

/// The content of a trimmed message is still compared.
pub async fn a_trimmed_id_still_conflicts(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().trim {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let epoch = scene.append([with_id(user("a", Tally::exact(4)), "id")]).await?.epoch;
    scene.append([user("b", Tally::exact(1))]).await?;
    scene.trim(epoch, 2).await?;
    let other = with_id(user("c", Tally::exact(4)), "id");
    ensure_eq!(conflict(&scene, [other]).await?, Some(1), "the seq in the conflict");
    ensure_eq!(scene.seqs().await?, [2], "stored seqs");
    Ok(())
}

/// Appends what must be a conflict over `id`, and returns the seq that it names.
async fn conflict(
    scene: &Scene,
    messages: impl IntoIterator<Item = NewMessage>,
) -> Result<Option<u64>, Violation> {
    let append = sample::batch(&scene.counter, messages);
    match scene.store.append(&scene.key, append).await {
        Err(StoreError::Conflict { id, seq }) => {
            ensure_eq!(id.as_str(), "id", "the id in the conflict");
            Ok(Some(seq.get()))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(Violation::new("other content under a known id was accepted")),
    }
}

type State = (LedgerTotals, Vec<memory_core::StoredMessage>, usize);

async fn state(scene: &Scene) -> Result<State, Violation> {
    Ok((scene.ledger().await?, scene.messages().await?, scene.pending().await?.len()))
}
