//! What a fallback counted, until the counter itself counts it.

use std::time::Duration;

use memory_core::{Backlog, Claim, FinalReason, Settlement, Tally};

use super::claims::claim_all;
use super::scene::{LEASE, Scene, settlement};
use super::subject::Subject;
use crate::sample::{self, user};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

const fn fallback(tokens: u64) -> Tally {
    Tally::final_because(tokens, FinalReason::Fallback)
}

/// What a fallback counted is in the sums and not among the pendings; it has a number and an index
/// of its own.
pub async fn a_fallback_is_not_pending(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let tallies = [Tally::estimated(1), fallback(2), Tally::exact(4), fallback(8)];
    let epoch = scene.append(tallies.map(|tally| user("a", tally))).await?.epoch;
    let totals = scene.totals().await?;
    ensure_eq!((totals.tokens, totals.pending, totals.fallback), (15, 1, 2), "the totals");
    ensure!(totals.complete, "a fallback's count leaves the sums incomplete");
    ensure_eq!(numbers(&scene).await?, [vec![1], vec![2]], "what is listed");
    let stored = scene.messages().await?;
    scene.settle(epoch, [settlement(&stored[0], fallback(3))]).await?;
    ensure_eq!(numbers(&scene).await?, [vec![], vec![3]], "after a fallback has settled");
    ensure_eq!(scene.totals().await?.pending, 0, "pendings after a fallback has settled");
    let counts = stored[1..].iter().map(|stored| settlement(stored, Tally::exact(5)));
    scene.settle(epoch, counts).await?;
    ensure_eq!(numbers(&scene).await?, [vec![], vec![1]], "after two were counted");
    scene.check_ledger("after fallbacks").await
}

/// A count takes a fallback's place, and so does another fallback's; a fallback's count takes the
/// place of no count.
pub async fn a_fallback_never_replaces_a_count(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append([user("a", fallback(10))]).await?.epoch;
    let media = Tally::final_because(30, FinalReason::Media);
    let failed = Tally::final_because(30, FinalReason::Failed);
    for (next, applied) in [
        (fallback(11), 1),
        (Tally::exact(12), 1),
        (fallback(13), 0),
        (media, 1),
        (fallback(14), 0),
        (failed, 1),
        (fallback(15), 0),
        (Tally::estimated(16), 1),
        (fallback(17), 1),
    ] {
        let stored = scene.messages().await?.remove(0);
        let settled = scene.settle(epoch, [settlement(&stored, next)]).await?;
        let expected = if applied == 1 { Some(next) } else { stored.tally };
        ensure_eq!(settled.applied, applied, "{next:?} in the place of {:?}", stored.tally);
        ensure_eq!(scene.messages().await?[0].tally, expected, "the stored tally");
    }
    scene.check_ledger("after fallbacks and counts").await
}

/// A claim of fallbacks gives those and nothing else, with a lease that says nothing of the
/// pendings.
pub async fn a_claim_of_fallbacks_leaves_the_pendings(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let tallies = [Tally::estimated(1), fallback(2), Tally::exact(3), fallback(4)];
    scene.append(tallies.map(|tally| user("a", tally))).await?;
    scene.other("pending").append([user("a", Tally::estimated(1))]).await?;
    let second = scene.under(&sample::counter("letters"));
    second.other("elsewhere").append([user("a", fallback(1))]).await?;
    let pendings = claim_all(&scene, &scene.claim(LEASE, 10)).await?;
    ensure_eq!(pendings.len(), 2, "conversations with pendings");
    for claimed in &pendings {
        ensure_eq!(claimed.messages.len(), 1, "pendings of {:?}", claimed.key);
    }
    let claim = of_fallbacks(&scene, Duration::from_secs(10));
    let claimed = claim_all(&scene, &claim).await?;
    ensure_eq!(claimed.len(), 1, "conversations with fallbacks");
    let mut expected = scene.messages().await?;
    expected.retain(|message| message.tally.is_some_and(Tally::is_fallback));
    ensure_eq!(claimed[0].messages, expected, "what fallbacks counted");
    ensure!(!claimed[0].more, "more fallbacks than there are");
    ensure_eq!(claim_all(&scene, &claim).await?, [], "claimed within the lease");
    if let Some(clock) = &subject.clock {
        clock.advance(Duration::from_secs(11));
        ensure_eq!(claim_all(&scene, &claim).await?.len(), 1, "claimed after the lease");
    }
    Ok(())
}

/// Once no fallback's count is left the lease is over, and a claim that names the conversation
/// ignores it.
pub async fn settling_the_last_fallback_ends_the_lease(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append((0..3).map(|_| user("a", fallback(1)))).await?.epoch;
    let claim = of_fallbacks(&scene, LEASE);
    let first = claim_all(&scene, &claim).await?;
    let named = Claim { only: Some(scene.key.clone()), limit: 2, ..claim.clone() };
    let named = scene.store.claim_pending(named).await?.conversations;
    let seqs: Vec<_> =
        named.iter().flat_map(|one| &one.messages).map(|one| one.seq.get()).collect();
    ensure_eq!((seqs, named[0].more), (vec![1, 2], true), "claimed by name");
    for message in &first[0].messages {
        scene.append([user("pending", Tally::estimated(1))]).await?;
        ensure_eq!(claim_all(&scene, &claim).await?, [], "claimed before the last is settled");
        scene.settle(epoch, [settlement(message, Tally::exact(2))]).await?;
    }
    ensure_eq!(scene.waiting(Backlog::Fallback).await?, [], "conversations with fallbacks");
    scene.append([user("b", fallback(1))]).await?;
    ensure_eq!(claim_all(&scene, &claim).await?.len(), 1, "claimed once there is one again");
    Ok(())
}

/// The list of fallbacks loses a conversation with the last of them, however it goes, and while
/// another counter is the current one.
pub async fn fallbacks_are_listed_as_long_as_they_last(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let second = sample::counter("letters");
    let ids = ["settled", "dropped", "trimmed", "cleared", "switched"];
    for id in ids {
        let other = scene.other(id);
        let batch = [user("a", Tally::exact(1)), user("b", fallback(1)), user("c", fallback(1))];
        let epoch = other.append(batch).await?.epoch;
        ensure_eq!(numbers(&scene).await?, [vec![], vec![2]], "listed before it is {id}");
        match id {
            "trimmed" if subject.store.capabilities().trim => {
                other.trim(epoch, 3).await?;
                ensure_eq!(numbers(&scene).await?, [vec![], vec![1]], "after a first trim");
                other.trim(epoch, 4).await?;
            }
            "dropped" => {
                scene.store.drop_newest(&other.key, 1).await?;
                ensure_eq!(numbers(&scene).await?, [vec![], vec![1]], "after a first drop");
                scene.store.drop_newest(&other.key, 1).await?;
            }
            "cleared" => {
                scene.store.clear(&other.key).await?;
            }
            "switched" => {
                scene.store.set_counter(&other.key, &second).await?;
                ensure_eq!(numbers(&scene).await?, [vec![3], vec![]], "under another counter");
                scene.store.set_counter(&other.key, &scene.counter).await?;
                ensure_eq!(numbers(&scene).await?, [vec![], vec![2]], "back again");
                scene.store.clear(&other.key).await?;
            }
            _ => {
                let stored = other.messages().await?;
                let wrong =
                    Settlement { expected: None, ..settlement(&stored[1], Tally::exact(9)) };
                other.settle(epoch, [wrong]).await?;
                ensure_eq!(numbers(&scene).await?, [vec![], vec![2]], "after a stale settlement");
                let counts = stored.iter().map(|stored| settlement(stored, Tally::exact(1)));
                other.settle(epoch, counts).await?;
            }
        }
        ensure_eq!(numbers(&scene).await?, NOTHING, "listed once it is {id}");
        let left = claim_all(&scene, &of_fallbacks(&scene, LEASE)).await?;
        ensure_eq!(left, [], "claimed once it is {id}");
        other.check_ledger(id).await?;
    }
    Ok(())
}

fn of_fallbacks(scene: &Scene, lease: Duration) -> Claim {
    Claim { backlog: Backlog::Fallback, ..scene.claim(lease, 100) }
}

/// What is listed where nothing waits.
const NOTHING: [Vec<u64>; 2] = [Vec::new(), Vec::new()];

/// The numbers that are listed: of pendings, and of fallbacks.
async fn numbers(scene: &Scene) -> Result<[Vec<u64>; 2], Violation> {
    let mut numbers = [Vec::new(), Vec::new()];
    for (backlog, numbers) in Backlog::ALL.into_iter().zip(&mut numbers) {
        *numbers = scene.waiting(backlog).await?.iter().map(|found| found.pending).collect();
    }
    Ok(numbers)
}
