//! A whole namespace under another counter.

use memory_core::{CounterId, Tally};

use super::claims::claim_all;
use super::scene::{LEASE, Scene, key, settlement};
use super::subject::Subject;
use crate::sample::{self, user};
use crate::verdict::{Verdict, Violation, ensure_eq};

/// Every conversation of the namespace is claimed by the new counter and counted anew, also those
/// that nobody touches; what stands elsewhere is left alone, and the old counter's sums stay.
pub async fn a_recount_reaches_what_nobody_touches(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().recount {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    let ids = ["one", "two", "three", "four", "five"];
    for id in ids {
        scene.other(id).append([user("a", Tally::exact(1)), user("b", Tally::exact(2))]).await?;
    }
    let foreign = key(&format!("{}-elsewhere", scene.key.namespace.as_str()), "one");
    let foreign = Scene { key: foreign, ..scene.other("any") };
    foreign.append([user("a", Tally::exact(1))]).await?;
    scene.store.recount(&scene.key.namespace, &second.counter).await?;
    ensure_eq!(current(&scene.other("one")).await?, Some(scene.counter.clone()), "at first");
    ensure_eq!(claim_all(&scene, &scene.claim(LEASE, 3)).await?, [], "claimed by the old counter");
    let mut settled = 0;
    for claimed in claim_all(&scene, &second.claim(LEASE, 3)).await? {
        let other = Scene { key: claimed.key.clone(), ..second.other("any") };
        let named = other.store.claim_pending(other.claim_this(None, 10)).await?.conversations;
        let counts = named.iter().flat_map(|one| &one.messages);
        let counts = counts.map(|message| settlement(message, Tally::exact(10)));
        settled += other.settle(claimed.epoch, counts).await?.applied;
    }
    ensure_eq!(settled, 10, "messages that the new counter has counted");
    for id in ids {
        let other = second.other(id);
        let totals = other.totals().await?;
        ensure_eq!((totals.tokens, totals.pending, totals.complete), (20, 0, true), "of {id}");
        ensure_eq!(scene.other(id).totals().await?.tokens, 3, "under the old counter, of {id}");
        ensure_eq!(current(&other).await?, Some(second.counter.clone()), "the counter of {id}");
        other.check_ledger("after a recount").await?;
    }
    ensure_eq!(current(&foreign).await?, Some(scene.counter.clone()), "in another namespace");
    Ok(())
}

/// A recount takes nothing from what the new counter has counted already, and ends: what is
/// appended later under another counter stays with that.
pub async fn a_recount_ends(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().recount {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    let epoch = scene.append([user("a", Tally::exact(1))]).await?.epoch;
    let counts: Vec<_> =
        second.messages().await?.iter().map(|one| settlement(one, Tally::exact(7))).collect();
    second.settle(epoch, counts).await?;
    scene.store.recount(&scene.key.namespace, &second.counter).await?;
    ensure_eq!(claim_all(&scene, &second.claim(LEASE, 10)).await?, [], "claimed without need");
    ensure_eq!(current(&scene).await?, Some(second.counter.clone()), "after the recount");
    scene.append([user("b", Tally::estimated(1))]).await?;
    ensure_eq!(claim_all(&scene, &second.claim(LEASE, 10)).await?, [], "claimed after the end");
    ensure_eq!(current(&scene).await?, Some(scene.counter.clone()), "after a later append");
    scene.check_ledger("after a recount").await
}

/// The latest recount of a namespace takes the place of an earlier one that has not ended.
pub async fn the_latest_recount_holds(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().recount {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let [second, third] = ["letters", "lines"].map(|id| scene.under(&sample::counter(id)));
    scene.append([user("a", Tally::exact(1))]).await?;
    for counter in [&second.counter, &third.counter, &third.counter] {
        scene.store.recount(&scene.key.namespace, counter).await?;
    }
    ensure_eq!(claim_all(&scene, &second.claim(LEASE, 10)).await?, [], "claimed by the former");
    ensure_eq!(claim_all(&scene, &third.claim(LEASE, 10)).await?.len(), 1, "by the latest");
    ensure_eq!(current(&scene).await?, Some(third.counter.clone()), "the current counter");
    Ok(())
}

async fn current(scene: &Scene) -> Result<Option<CounterId>, Violation> {
    Ok(scene.ledger().await?.current)
}
