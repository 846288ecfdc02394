//! Seqs and the order of reads.

use memory_core::Tally;

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::user;
use crate::verdict::{Verdict, ensure, ensure_eq};

/// Seqs count up from 1 without gaps, over single appends and batches alike.
pub async fn seqs_count_up_from_one_without_gaps(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let mut next = 1;
    for size in [1, 3, 1, 7, 2] {
        let batch = (0..size).map(|index| user(format!("{size} {index}"), Tally::exact(2)));
        let appended = scene.append(batch).await?;
        let seqs: Vec<_> = appended.messages.iter().map(|message| message.seq.get()).collect();
        ensure_eq!(seqs, (next..next + size).collect::<Vec<_>>(), "seqs of a batch of {size}");
        next += size;
    }
    ensure_eq!(scene.seqs().await?, (1..next).collect::<Vec<_>>(), "stored seqs");
    ensure_eq!(scene.window(1).await?.next_seq.get(), next, "the next seq of a window");
    Ok(())
}

/// Pages and windows give the messages in the order in which they were appended.
pub async fn reads_are_chronological_and_whole(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let mut written = Vec::new();
    for index in 0..300 {
        let message = user(format!("message {index}"), Tally::exact(index));
        written.push((message.payload.clone(), message.fingerprint, message.class));
        scene.append([message]).await?;
    }
    let parts = |read: Vec<memory_core::StoredMessage>| -> Vec<_> {
        read.into_iter().map(|read| (read.payload, read.fingerprint, read.class)).collect()
    };
    ensure!(parts(scene.messages().await?) == written, "pages differ from what was appended");
    let window = scene.window(u64::MAX).await?;
    ensure!(parts(window.tail) == written, "a whole window differs from what was appended");
    ensure!(window.reached_start, "a whole window says that it did not reach the start");
    Ok(())
}

/// The first append's epoch stays, whatever later appends propose.
pub async fn the_epoch_of_the_first_append_stays(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let first = crate::sample::batch(&scene.counter, [user("a", Tally::exact(1))]);
    let epoch = first.new_epoch;
    let appended = scene.store.append(&scene.key, first).await?;
    ensure_eq!(appended.epoch, epoch, "the epoch of the first append");
    ensure_eq!(scene.append([user("b", Tally::exact(1))]).await?.epoch, epoch, "a later epoch");
    ensure_eq!(scene.ledger().await?.epoch, Some(epoch), "the epoch of the totals");
    ensure_eq!(scene.page(None, 1).await?.epoch, Some(epoch), "the epoch of a page");
    ensure_eq!(scene.window(1).await?.epoch, Some(epoch), "the epoch of a window");
    Ok(())
}
