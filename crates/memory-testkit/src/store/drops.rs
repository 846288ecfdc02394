//! Dropping the newest messages.

use memory_core::{Message, Tally};

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::{message, user, with_id};
use crate::verdict::{Verdict, ensure, ensure_eq};

/// The next append takes the dropped seqs, and the dropped ids stand for nothing any more.
pub async fn dropping_gives_seqs_and_ids_back(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene
        .append(["a", "b", "c"].map(|text| with_id(user(text, Tally::estimated(4)), text)))
        .await?
        .epoch;
    let dropped = scene.store.drop_newest(&scene.key, 2).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (2, 2), "removed, and the next seq");
    ensure_eq!(scene.seqs().await?, [1], "stored seqs");
    scene.check_ledger("after dropping").await?;
    ensure_eq!(scene.window(100).await?.next_seq.get(), 2, "the next seq of a window");
    let other = with_id(user("another b", Tally::exact(1)), "b");
    let fingerprint = other.fingerprint;
    let appended = scene.append([other, with_id(user("a", Tally::exact(4)), "a")]).await?;
    ensure_eq!(appended.epoch, epoch, "the epoch");
    let shape: Vec<_> =
        appended.messages.iter().map(|answer| (answer.seq.get(), answer.new)).collect();
    ensure_eq!(shape, [(2, true), (1, false)], "seqs, and what is new");
    let stored = scene.messages().await?;
    ensure_eq!(stored[1].fingerprint, fingerprint, "the fingerprint at the seq given again");
    scene.check_ledger("after dropping and appending").await
}

/// Dropping more than there are leaves nothing, and the same life goes on at seq 1.
pub async fn dropping_more_than_there_are_empties(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append((0..4).map(|_| user("a", Tally::estimated(1)))).await?.epoch;
    let dropped = scene.store.drop_newest(&scene.key, u64::MAX).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (4, 1), "removed, and the next seq");
    ensure_eq!(scene.totals().await?.messages, 0, "messages");
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings");
    scene.check_ledger("after dropping all").await?;
    let appended = scene.append([user("b", Tally::exact(1))]).await?;
    ensure_eq!((appended.epoch, appended.messages[0].seq.get()), (epoch, 1), "epoch and seq");
    Ok(())
}

/// Dropping none changes nothing.
pub async fn dropping_none_does_nothing(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([user("a", Tally::exact(1)), user("b", Tally::exact(1))]).await?;
    let before = scene.messages().await?;
    let dropped = scene.store.drop_newest(&scene.key, 0).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (0, 3), "removed, and the next seq");
    ensure!(scene.messages().await? == before, "dropping none changed the messages");
    Ok(())
}

/// Leading instructions are messages too: once nothing stands behind them, they are dropped.
pub async fn dropping_reaches_into_the_head(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let system = |text: &str| message(&Message::system(text), Tally::exact(3));
    scene.append([system("one"), system("two"), user("a", Tally::exact(1))]).await?;
    let dropped = scene.store.drop_newest(&scene.key, 2).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (2, 2), "removed, and the next seq");
    scene.check_ledger("after dropping into the head").await?;
    let window = scene.window(100).await?;
    ensure_eq!((window.head.len(), window.tail.len()), (1, 0), "head and tail");
    scene.append([system("two again"), user("b", Tally::exact(1))]).await?;
    let window = scene.window(100).await?;
    ensure_eq!((window.head.len(), window.tail.len()), (2, 1), "head and tail after appending");
    ensure_eq!(window.first.get(), 3, "the first seq behind the head");
    Ok(())
}

/// Behind a trim a drop reaches into the head too, and gives back no seq that the trim has passed.
pub async fn dropping_into_the_head_behind_a_trim_leaves_the_gap(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().trim {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let system = |text: &str| with_id(message(&Message::system(text), Tally::exact(3)), text);
    let users = || ["a", "b", "c"].map(|text| user(text, Tally::estimated(4)));
    let epoch = scene.append([system("one"), system("two")]).await?.epoch;
    scene.append(users()).await?;
    scene.trim(epoch, 5).await?;
    ensure_eq!(scene.seqs().await?, [1, 2, 5], "stored seqs after the trim");
    let dropped = scene.store.drop_newest(&scene.key, 2).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (2, 5), "removed, and the next seq");
    ensure_eq!(scene.seqs().await?, [1], "stored seqs");
    scene.check_ledger("after dropping into the head behind a trim").await?;
    let appended = scene.append([system("two"), user("d", Tally::exact(1))]).await?;
    let shape: Vec<_> =
        appended.messages.iter().map(|answer| (answer.seq.get(), answer.new)).collect();
    ensure_eq!(shape, [(5, true), (6, true)], "seqs, and what is new");
    let window = scene.window(100).await?;
    let seqs = |messages: &[memory_core::StoredMessage]| {
        messages.iter().map(|message| message.seq.get()).collect::<Vec<_>>()
    };
    ensure_eq!((seqs(&window.head), seqs(&window.tail)), (vec![1], vec![5, 6]), "head and tail");
    let dropped = scene.store.drop_newest(&scene.key, u64::MAX).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (3, 5), "all removed, and the next seq");
    scene.check_ledger("after dropping all behind a trim").await
}
