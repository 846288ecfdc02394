//! One conversation under several counters.

use memory_core::{CounterId, Tally};

use super::scene::{LEASE, Scene, settlement};
use super::subject::Subject;
use crate::sample::{self, user};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// Under a second counter a settle begins with no tally at all; sums are complete at the end.
pub async fn a_second_counter_settles_from_nothing(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    let epoch = scene.append((1..=3).map(|tokens| user("a", Tally::exact(tokens)))).await?.epoch;
    let untold = second.messages().await?;
    ensure!(untold.iter().all(|message| message.tally.is_none()), "a tally that nobody counted");
    let totals = second.totals().await?;
    ensure_eq!((totals.tokens, totals.pending, totals.complete), (0, 3, false), "totals before");
    for (index, message) in untold.iter().enumerate() {
        let settled = second.settle(epoch, [settlement(message, Tally::exact(100))]).await?;
        ensure_eq!(settled.applied, 1, "applied");
        ensure_eq!(settled.totals.complete, index == 2, "complete after {} of 3", index + 1);
        second.check_ledger("under a second counter").await?;
    }
    ensure_eq!(second.totals().await?.tokens, 300, "tokens under the second counter");
    ensure_eq!(scene.totals().await?.tokens, 6, "tokens under the first counter");
    ensure_eq!(scene.ledger().await?.current, Some(scene.counter.clone()), "the current counter");
    Ok(())
}

/// A counter that becomes current makes pending what it has not counted; going back ends that.
pub async fn set_counter_makes_uncounted_messages_pending(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    scene.append((1..=3).map(|tokens| user("a", Tally::exact(tokens)))).await?;
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings at first");
    for _ in 0..2 {
        scene.store.set_counter(&scene.key, &second.counter).await?;
        ensure_eq!(current(&scene).await?, Some(second.counter.clone()), "the current counter");
        let pending = scene.pending().await?;
        let counts: Vec<_> = pending.iter().map(|entry| (&entry.key, entry.pending)).collect();
        ensure_eq!(counts, [(&scene.key, 3)], "conversations with pendings, and how many");
        second.check_ledger("after a counter was set").await?;
    }
    scene.store.set_counter(&scene.key, &scene.counter).await?;
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings in the end");
    let claimed = scene.store.claim_pending(second.claim(LEASE, 10)).await?;
    ensure_eq!(claimed.conversations.len(), 0, "conversations claimed in the end");
    Ok(())
}

/// A batch makes its counter current, and older messages pending under it.
pub async fn an_append_makes_its_counter_current(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    scene.append([user("a", Tally::exact(1)), user("b", Tally::exact(1))]).await?;
    let appended = second.append([user("c", Tally::exact(5))]).await?;
    let totals = appended.totals;
    ensure_eq!((totals.tokens, totals.pending, totals.complete), (5, 2, false), "the totals");
    ensure_eq!(current(&scene).await?, Some(second.counter.clone()), "the current counter");
    let pending: Vec<_> = scene.pending().await?.iter().map(|entry| entry.pending).collect();
    ensure_eq!(pending, [2], "pendings");
    second.check_ledger("after an append under another counter").await
}

/// Totals list the counters in the order in which they first counted.
pub async fn counters_stand_in_the_order_of_first_use(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let others = [sample::counter("z"), sample::counter("a")];
    scene.append([user("a", Tally::exact(1))]).await?;
    for counter in &others {
        scene.under(counter).append([user("b", Tally::exact(1))]).await?;
    }
    scene.append([user("c", Tally::exact(1))]).await?;
    let ledger = scene.ledger().await?;
    let found: Vec<&CounterId> = ledger.counters.iter().map(|entry| &entry.counter).collect();
    ensure_eq!(found, [&scene.counter, &others[0], &others[1]], "counters of the totals");
    ensure_eq!(ledger.current, Some(scene.counter.clone()), "the current counter");
    Ok(())
}

async fn current(scene: &Scene) -> Result<Option<CounterId>, Violation> {
    Ok(scene.ledger().await?.current)
}
