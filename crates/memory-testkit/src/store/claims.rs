//! Finding pendings, and sharing them out.

use std::collections::BTreeSet;
use std::time::Duration;

use memory_core::{Backlog, Claim, Claimed, ClaimedConversation, Tally};

use super::scene::{LEASE, Scene, settlement};
use super::subject::Subject;
use crate::sample::{self, user};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// A claim gives every pending with its epoch, fingerprint and tally, oldest first, and no claim
/// gives it again while the lease lasts.
pub async fn a_claim_gives_each_pending_once(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    for id in ["one", "two", "three"] {
        let tallies = [Tally::estimated(1), Tally::exact(2), Tally::estimated(3)];
        scene.other(id).append(tallies.map(|tally| user(id, tally))).await?;
    }
    scene.other("settled").append([user("x", Tally::exact(1))]).await?;
    let claimed = claim_all(&scene, &scene.claim(LEASE, 1000)).await?;
    let ids: BTreeSet<_> = claimed.iter().map(|claimed| claimed.key.id.as_str()).collect();
    ensure_eq!(ids, BTreeSet::from(["one", "two", "three"]), "claimed conversations");
    ensure_eq!(claimed.len(), 3, "claimed conversations, each once");
    for claimed in &claimed {
        let other = scene.other(claimed.key.id.as_str());
        let mut expected = other.messages().await?;
        expected.remove(1);
        ensure_eq!(claimed.messages, expected, "the pendings of {:?}", claimed.key);
        ensure_eq!(Some(claimed.epoch), other.ledger().await?.epoch, "the epoch");
        ensure!(!claimed.more, "more pendings of {:?} than there are", claimed.key);
    }
    let again = claim_all(&scene, &scene.claim(LEASE, 1000)).await?;
    ensure_eq!(again, [], "a second claim within the lease");
    ensure_eq!(scene.pending().await?.len(), 3, "conversations with pendings, leased or not");
    Ok(())
}

/// What was claimed can be claimed again once the lease has ended. Needs the store's clock.
pub async fn a_lease_ends_by_the_clock(subject: &Subject) -> Verdict {
    let Some(clock) = &subject.clock else { return Ok(()) };
    let scene = Scene::new(subject);
    scene.append([user("a", Tally::estimated(1))]).await?;
    let claim = scene.claim(Duration::from_secs(10), 1000);
    ensure_eq!(claim_all(&scene, &claim).await?.len(), 1, "claimed conversations");
    clock.advance(Duration::from_secs(9));
    ensure_eq!(claim_all(&scene, &claim).await?.len(), 0, "claimed within the lease");
    clock.advance(Duration::from_secs(2));
    ensure_eq!(claim_all(&scene, &claim).await?.len(), 1, "claimed after the lease");
    Ok(())
}

/// Once nothing is pending, the lease is over: what is appended then can be claimed at once.
pub async fn settling_the_last_pending_ends_the_lease(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let batch = [user("a", Tally::estimated(1)), user("b", Tally::estimated(1))];
    let epoch = scene.append(batch).await?.epoch;
    let claim = scene.claim(LEASE, 1000);
    let claimed = claim_all(&scene, &claim).await?;
    ensure_eq!(claimed.len(), 1, "claimed conversations");
    for message in &claimed[0].messages {
        scene.append([user("more", Tally::exact(1))]).await?;
        ensure_eq!(claim_all(&scene, &claim).await?, [], "claimed before the last is settled");
        scene.settle(epoch, [settlement(message, Tally::exact(2))]).await?;
    }
    ensure_eq!(scene.pending().await?, [], "conversations with pendings");
    scene.append([user("c", Tally::estimated(1))]).await?;
    let seqs: Vec<_> = claim_all(&scene, &claim)
        .await?
        .iter()
        .flat_map(|claimed| claimed.messages.iter().map(|message| message.seq.get()))
        .collect();
    ensure_eq!(seqs, [5], "claimed once something is pending again");
    Ok(())
}

/// A claim that names a conversation gets it whoever holds the lease, and makes its counter the
/// current one; others find it leased afterwards.
pub async fn a_named_claim_ignores_the_lease(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([user("a", Tally::estimated(1)), user("b", Tally::exact(1))]).await?;
    scene.other("unnamed").append([user("a", Tally::estimated(1))]).await?;
    claim_all(&scene, &scene.claim(LEASE, 1000)).await?;
    let named = scene.store.claim_pending(scene.claim_this(None, 10)).await?;
    ensure_eq!(shape(&named), [(scene.key.clone(), vec![1], false)], "a named claim");
    let second = scene.under(&sample::counter("letters"));
    let named = second.store.claim_pending(second.claim_this(None, 10)).await?;
    ensure_eq!(shape(&named), [(scene.key.clone(), vec![1, 2], false)], "under another counter");
    let tallies: Vec<_> =
        named.conversations[0].messages.iter().map(|message| message.tally).collect();
    ensure_eq!(tallies, [None, None], "tallies under a counter that counted nothing");
    ensure_eq!(scene.ledger().await?.current, Some(second.counter.clone()), "current counter");
    ensure_eq!(claim_all(&second, &second.claim(LEASE, 10)).await?, [], "claimed within the lease");
    Ok(())
}

/// A named claim gives its conversation's pendings page by page.
pub async fn a_named_claim_pages_by_after(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let tally = |index| if index % 3 == 0 { Tally::exact(1) } else { Tally::estimated(1) };
    scene.append((1..=8).map(|index| user("a", tally(index)))).await?;
    for (after, seqs, more) in [
        (None, vec![1, 2], true),
        (Some(2), vec![4, 5], true),
        (Some(3), vec![4, 5], true),
        (Some(5), vec![7, 8], false),
    ] {
        let claimed = scene.store.claim_pending(scene.claim_this(after, 2)).await?;
        ensure_eq!(shape(&claimed), [(scene.key.clone(), seqs, more)], "after {after:?}");
    }
    let claimed = scene.store.claim_pending(scene.claim_this(Some(8), 2)).await?;
    ensure!(shape(&claimed).iter().all(|(_, seqs, _)| seqs.is_empty()), "after the last");
    Ok(())
}

/// A claim gives at most its limit, says whether there is more, and what it leaves can be claimed.
pub async fn a_limited_claim_leaves_the_rest(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let ids = ["one", "two", "three", "four"];
    for id in ids {
        scene.other(id).append((0..4).map(|_| user(id, Tally::estimated(1)))).await?;
    }
    let first = scene.store.claim_pending(scene.claim(LEASE, 1)).await?;
    ensure!(first.more, "a claim of one of sixteen pendings says that there is no more");
    ensure_eq!(first.conversations.len(), 1, "conversations of a claim of one message");
    let mut claimed = first.conversations;
    claimed.extend(claim_all(&scene, &scene.claim(LEASE, 6)).await?);
    let found: Vec<_> = claimed.iter().map(|claimed| claimed.key.id.as_str()).collect();
    ensure_eq!(BTreeSet::from_iter(found.clone()), BTreeSet::from(ids), "claimed conversations");
    ensure_eq!(found.len(), ids.len(), "claimed conversations, each once");
    for claimed in &claimed {
        let seqs: Vec<_> = claimed.messages.iter().map(|message| message.seq.get()).collect();
        let given = seqs.len() as u64;
        ensure_eq!(seqs, (1..=given).collect::<Vec<_>>(), "claimed seqs");
        ensure_eq!(claimed.more, given < 4, "more after {given} of 4");
    }
    Ok(())
}

/// A sweep with one counter leaves conversations with another current counter alone.
pub async fn a_claim_leaves_other_counters_alone(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    scene.append([user("a", Tally::estimated(1))]).await?;
    ensure_eq!(claim_all(&second, &second.claim(LEASE, 10)).await?, [], "under another counter");
    second.append([user("b", Tally::exact(1))]).await?;
    ensure_eq!(claim_all(&scene, &scene.claim(LEASE, 10)).await?, [], "under the former counter");
    let claimed = claim_all(&second, &second.claim(LEASE, 10)).await?;
    ensure_eq!(claimed.len(), 1, "under the current counter");
    Ok(())
}

/// A batch with a grace is left to the one who appends until the grace ends.
pub async fn the_one_who_appends_has_a_grace(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let grace = Duration::from_hours(1);
    let append = sample::batch(&scene.counter, [user("a", Tally::estimated(1))]);
    scene.store.append(&scene.key, memory_core::Append { grace, ..append }).await?;
    let claim = scene.claim(LEASE, 10);
    ensure_eq!(claim_all(&scene, &claim).await?, [], "claimed within the grace");
    ensure_eq!(scene.pending().await?.len(), 1, "conversations with pendings");
    if let Some(clock) = &subject.clock {
        clock.advance(grace + Duration::from_secs(1));
        ensure_eq!(claim_all(&scene, &claim).await?.len(), 1, "claimed after the grace");
    }
    let named = scene.store.claim_pending(scene.claim_this(None, 10)).await?;
    ensure_eq!(named.conversations.len(), 1, "claimed by name");
    Ok(())
}

/// The list of what waits has each conversation of the namespace with its number, and loses it
/// when it is settled, dropped, trimmed or cleared.
pub async fn pending_lists_what_waits_and_nothing_else(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let ids = ["settled", "dropped", "trimmed", "cleared"];
    for id in ids {
        let epoch = scene.other(id).append([user("a", Tally::estimated(1))]).await?.epoch;
        scene.other(id).append([user("b", Tally::estimated(1))]).await?;
        let listed = scene.pending().await?;
        let found: Vec<_> =
            listed.iter().map(|entry| (entry.key.id.as_str(), entry.pending)).collect();
        ensure_eq!(found, [(id, 2)], "conversations with pendings");
        empty(&scene.other(id), epoch, subject.store.capabilities().trim).await?;
        ensure_eq!(scene.pending().await?, [], "conversations with pendings once it is {id}");
        let left = claim_all(&scene, &scene.claim(LEASE, 10)).await?;
        ensure_eq!(left, [], "claimed once it is {id}");
    }
    for id in ids {
        scene.other(id).append([user("c", Tally::estimated(1))]).await?;
    }
    let limited = scene.store.pending(&scene.key.namespace, Backlog::Pending, 3).await?;
    ensure_eq!(limited.len(), 3, "conversations with pendings, at most 3 of 4");
    Ok(())
}

/// Ends the pendings of a conversation by what its id says.
async fn empty(scene: &Scene, epoch: memory_core::Epoch, trims: bool) -> Verdict {
    match scene.key.id.as_str() {
        "trimmed" if trims => {
            scene.trim(epoch, 3).await?;
        }
        "dropped" => {
            scene.store.drop_newest(&scene.key, 2).await?;
        }
        "cleared" => {
            scene.store.clear(&scene.key).await?;
        }
        _ => {
            let stored = scene.messages().await?;
            let settlements = stored.iter().map(|stored| settlement(stored, Tally::exact(1)));
            scene.settle(epoch, settlements).await?;
        }
    }
    Ok(())
}

/// Claims until nothing more is given.
pub(super) async fn claim_all(
    scene: &Scene,
    claim: &Claim,
) -> Result<Vec<ClaimedConversation>, Violation> {
    let mut all = Vec::new();
    for _ in 0..1000 {
        let claimed = scene.store.claim_pending(claim.clone()).await?;
        let messages: usize = claimed.conversations.iter().map(|one| one.messages.len()).sum();
        ensure!(messages <= claim.limit, "{messages} messages, and the limit is {}", claim.limit);
        let more = claimed.more;
        let empty = claimed.conversations.is_empty();
        all.extend(claimed.conversations);
        if empty && !more {
            return Ok(all);
        }
    }
    Err(Violation::new("a thousand claims did not come to an end"))
}

/// What was claimed: conversation, seqs, and whether it has more.
fn shape(claimed: &Claimed) -> Vec<(memory_core::ConversationKey, Vec<u64>, bool)> {
    let seqs = |one: &ClaimedConversation| {
        one.messages.iter().map(|message| message.seq.get()).collect::<Vec<_>>()
    };
    claimed.conversations.iter().map(|one| (one.key.clone(), seqs(one), one.more)).collect()
}
