//! Settlements of what is no longer there.

use memory_core::{Settlement, StoredMessage, Tally};

use super::scene::{Scene, settlement};
use super::subject::Subject;
use crate::sample::{self, fingerprint, user};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// A settle of another epoch does nothing, and answers with the sums of an empty conversation.
pub async fn another_epoch_settles_nothing(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([user("a", Tally::estimated(10))]).await?;
    let stored = scene.messages().await?;
    let settled = scene.settle(sample::epoch(), [settlement(&stored[0], Tally::exact(1))]).await?;
    ensure_eq!((settled.applied, settled.skipped), (0, 1), "applied and skipped");
    ensure_eq!(settled.totals.messages, 0, "messages of the answer");
    unchanged(&scene, &stored).await
}

/// A settle with another message's fingerprint does nothing.
pub async fn another_fingerprint_settles_nothing(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append([user("a", Tally::estimated(10))]).await?.epoch;
    let stored = scene.messages().await?;
    let right = settlement(&stored[0], Tally::exact(1));
    let settled = scene.settle(epoch, [Settlement { fingerprint: fingerprint(), ..right }]).await?;
    ensure_eq!((settled.applied, settled.skipped), (0, 1), "applied and skipped");
    unchanged(&scene, &stored).await
}

/// A seq that was dropped and handed out again is not settled for the message that had it first,
/// though tally and epoch are the same.
pub async fn a_seq_handed_out_again_is_not_settled(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append([user("a", Tally::estimated(10))]).await?.epoch;
    let late = settlement(&scene.messages().await?[0], Tally::exact(1));
    scene.store.drop_newest(&scene.key, 1).await?;
    ensure_eq!(scene.settle(epoch, [late]).await?.applied, 0, "applied to a dropped message");
    scene.append([user("b", Tally::estimated(10))]).await?;
    let stored = scene.messages().await?;
    ensure_eq!(scene.settle(epoch, [late]).await?.applied, 0, "applied to its successor");
    unchanged(&scene, &stored).await
}

/// A trimmed message is not settled, under no counter.
pub async fn a_trimmed_message_is_not_settled(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().trim {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let batch = [user("a", Tally::estimated(10)), user("b", Tally::exact(1))];
    let epoch = scene.append(batch).await?.epoch;
    let late = settlement(&scene.messages().await?[0], Tally::exact(1));
    scene.trim(epoch, 2).await?;
    let stored = scene.messages().await?;
    ensure_eq!(scene.settle(epoch, [late]).await?.applied, 0, "applied to a trimmed message");
    let second = scene.under(&sample::counter("letters"));
    let missing = Settlement { expected: None, ..late };
    ensure_eq!(second.settle(epoch, [missing]).await?.applied, 0, "applied under a new counter");
    unchanged(&scene, &stored).await
}

/// What an earlier life left unsettled does not reach the new one.
pub async fn a_life_that_ended_is_not_settled(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let old = scene.append([user("a", Tally::estimated(10))]).await?.epoch;
    let late = settlement(&scene.messages().await?[0], Tally::exact(1));
    scene.store.clear(&scene.key).await?;
    ensure_eq!(scene.settle(old, [late]).await?.applied, 0, "applied after a clear");
    ensure_eq!(scene.ledger().await?.epoch, None, "the epoch after a late settle");
    // The very same message, so that nothing but the epoch tells the two lives apart.
    let same = memory_core::NewMessage {
        fingerprint: late.fingerprint,
        ..user("a", Tally::estimated(10))
    };
    let new = scene.append([same]).await?.epoch;
    ensure!(new != old, "the new life has the old epoch");
    let stored = scene.messages().await?;
    ensure_eq!(scene.settle(old, [late]).await?.applied, 0, "applied to the new life");
    unchanged(&scene, &stored).await
}

async fn unchanged(scene: &Scene, stored: &[StoredMessage]) -> Result<(), Violation> {
    ensure!(scene.messages().await? == stored, "a stale settlement changed a message");
    scene.check_ledger("after a stale settlement").await
}
