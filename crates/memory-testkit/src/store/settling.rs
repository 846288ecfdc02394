//! Replacing estimates by counts.

use memory_core::{Message, Settlement, Tally};

use super::scene::{Scene, settlement};
use super::subject::Subject;
use crate::sample::{message, user};
use crate::verdict::{Verdict, ensure_eq};

/// A settlement that finds what it expects replaces the tally, and the sums follow.
pub async fn settling_replaces_what_is_expected(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let batch = [user("a", Tally::estimated(10)), user("b", Tally::estimated(20))];
    let epoch = scene.append(batch).await?.epoch;
    let stored = scene.messages().await?;
    let settled = scene.settle(epoch, [settlement(&stored[0], Tally::exact(13))]).await?;
    ensure_eq!((settled.applied, settled.skipped), (1, 0), "applied and skipped");
    ensure_eq!((settled.totals.tokens, settled.totals.pending), (33, 1), "tokens and pendings");
    ensure_eq!(settled.totals, scene.totals().await?, "the totals of the answer");
    let settled = scene.settle(epoch, [settlement(&stored[1], Tally::exact(2))]).await?;
    ensure_eq!((settled.totals.tokens, settled.totals.pending), (15, 0), "tokens and pendings");
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings");
    let tallies: Vec<_> = scene.messages().await?.iter().map(|message| message.tally).collect();
    ensure_eq!(tallies, [Some(Tally::exact(13)), Some(Tally::exact(2))], "stored tallies");
    scene.check_ledger("after settling").await
}

/// The same settlement again, in one call or in two, applies once.
pub async fn a_settlement_applies_once(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append([user("a", Tally::estimated(10))]).await?.epoch;
    let once = settlement(&scene.messages().await?[0], Tally::exact(13));
    let settled = scene.settle(epoch, [once, once]).await?;
    ensure_eq!((settled.applied, settled.skipped), (1, 1), "applied and skipped of two in a call");
    let settled = scene.settle(epoch, [once]).await?;
    ensure_eq!((settled.applied, settled.skipped), (0, 1), "applied and skipped of a late one");
    ensure_eq!(settled.totals.tokens, 13, "tokens");
    scene.check_ledger("after settling twice").await
}

/// Another tally than the expected one, in tokens or in state, or none where one is stored, is
/// left alone.
pub async fn a_settlement_of_another_expectation_is_skipped(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append([user("a", Tally::estimated(10))]).await?.epoch;
    let right = settlement(&scene.messages().await?[0], Tally::exact(13));
    for expected in [None, Some(Tally::estimated(11)), Some(Tally::exact(10))] {
        let settled = scene.settle(epoch, [Settlement { expected, ..right }]).await?;
        ensure_eq!((settled.applied, settled.skipped), (0, 1), "applied of {expected:?}");
    }
    ensure_eq!(scene.messages().await?[0].tally, Some(Tally::estimated(10)), "the stored tally");
    scene.check_ledger("after settlements that expected something else").await
}

/// What a call stores is not what its later settlements expect: of several for one message the
/// first that fits applies, and more only where that one changed nothing.
pub async fn a_call_does_not_build_on_itself(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let batch = [user("a", Tally::estimated(10)), user("b", Tally::estimated(10))];
    let epoch = scene.append(batch).await?.epoch;
    let stored = scene.messages().await?;
    let first = settlement(&stored[0], Tally::exact(13));
    let next = Settlement { expected: Some(first.tally), tally: Tally::exact(14), ..first };
    let settled = scene.settle(epoch, [first, next]).await?;
    ensure_eq!((settled.applied, settled.skipped), (1, 1), "applied and skipped of a chain");
    let other = settlement(&stored[1], Tally::exact(7));
    let same = Settlement { tally: Tally::estimated(10), ..other };
    let back = Settlement { expected: Some(other.tally), ..same };
    let settled = scene.settle(epoch, [same, other, back, other]).await?;
    ensure_eq!((settled.applied, settled.skipped), (2, 2), "applied and skipped of a detour");
    let tallies: Vec<_> = scene.messages().await?.iter().map(|message| message.tally).collect();
    ensure_eq!(tallies, [Some(Tally::exact(13)), Some(Tally::exact(7))], "stored tallies");
    scene.check_ledger("after settlements of one message in one call").await
}

/// One settlement of a call that no longer applies does not hold up the others.
pub async fn settlements_stand_each_for_itself(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let batch = (0..4).map(|_| user("a", Tally::estimated(10)));
    let epoch = scene.append(batch).await?.epoch;
    let mut settlements: Vec<_> =
        scene.messages().await?.iter().map(|stored| settlement(stored, Tally::exact(1))).collect();
    settlements[1].expected = Some(Tally::exact(7));
    settlements[2].seq = super::scene::seq(99);
    let settled = scene.settle(epoch, settlements).await?;
    ensure_eq!((settled.applied, settled.skipped), (2, 2), "applied and skipped");
    ensure_eq!((settled.totals.tokens, settled.totals.pending), (22, 2), "tokens and pendings");
    scene.check_ledger("after a mixed settle").await
}

/// Messages of the head are settled like others, before and after a trim.
pub async fn settling_reaches_the_head(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let system = message(&Message::system("s"), Tally::estimated(10));
    let batch = [system, user("a", Tally::exact(1)), user("b", Tally::exact(1))];
    let epoch = scene.append(batch).await?.epoch;
    if subject.store.capabilities().trim {
        scene.trim(epoch, 3).await?;
    }
    let head = settlement(&scene.window(100).await?.head[0], Tally::exact(12));
    ensure_eq!(scene.settle(epoch, [head]).await?.applied, 1, "applied in the head");
    let window = scene.window(100).await?;
    ensure_eq!(window.head[0].tally, Some(Tally::exact(12)), "the head's tally");
    scene.check_ledger("after settling the head").await
}
