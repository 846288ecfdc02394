//! How a conversation's life ends, and the next begins.

use std::time::Duration;

use memory_core::{ListQuery, Tally, Timestamp};

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::{user, with_id};
use crate::verdict::{Verdict, ensure, ensure_eq};

/// After a clear nothing is left; the next append begins at seq 1 in another epoch, and ids are
/// free.
pub async fn clearing_begins_a_new_life(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let batch = [with_id(user("a", Tally::estimated(5)), "id"), user("b", Tally::exact(1))];
    scene.append(batch).await?;
    ensure_eq!(scene.store.clear(&scene.key).await?.removed, 2, "removed");
    new_life(&scene).await
}

/// A second clear removes nothing.
pub async fn clearing_twice_removes_once(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([user("a", Tally::exact(1))]).await?;
    ensure_eq!(scene.store.clear(&scene.key).await?.removed, 1, "removed at first");
    ensure_eq!(scene.store.clear(&scene.key).await?.removed, 0, "removed at second");
    Ok(())
}

/// A conversation whose time has passed is empty to every operation at once.
pub async fn expiry_ends_a_conversation(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().expire {
        return Ok(());
    }
    let scene = Scene::new(subject);
    scene.append([with_id(user("a", Tally::estimated(5)), "id")]).await?;
    if let Some(clock) = &subject.clock {
        let at = subject.now().after(Duration::from_secs(10));
        ensure!(scene.store.expire(&scene.key, Some(at)).await?, "nothing to expire was found");
        clock.advance(Duration::from_secs(9));
        ensure_eq!(scene.totals().await?.messages, 1, "messages before the time");
        scene.append([user("b", Tally::exact(1))]).await?;
        clock.advance(Duration::from_secs(2));
    } else {
        // One millisecond after 1970 began has passed by every machine's clock.
        let at = Some(Timestamp::from_millis(1));
        ensure!(scene.store.expire(&scene.key, at).await?, "nothing to expire was found");
    }
    new_life(&scene).await
}

/// Without a time a conversation does not end.
pub async fn an_expiry_can_be_taken_back(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().expire {
        return Ok(());
    }
    let scene = Scene::new(subject);
    scene.append([user("a", Tally::exact(1))]).await?;
    let at = subject.now().after(Duration::from_mins(1));
    ensure!(scene.store.expire(&scene.key, Some(at)).await?, "nothing to expire was found");
    ensure!(scene.store.expire(&scene.key, None).await?, "nothing to keep was found");
    if let Some(clock) = &subject.clock {
        clock.advance(Duration::from_secs(61));
    }
    ensure_eq!(scene.totals().await?.messages, 1, "messages");
    Ok(())
}

/// A life goes on without messages: it is told and listed, its counter and its end can be set, and
/// what was trimmed is known.
pub async fn a_life_without_messages_goes_on(subject: &Subject) -> Verdict {
    let abilities = subject.store.capabilities();
    let scene = Scene::new(subject);
    let batch = [with_id(user("a", Tally::estimated(5)), "id"), user("b", Tally::exact(1))];
    let epoch = scene.append(batch).await?.epoch;
    let trims = abilities.trim;
    if trims {
        scene.trim(epoch, 3).await?;
    } else {
        scene.store.drop_newest(&scene.key, 2).await?;
    }
    let ledger = scene.ledger().await?;
    ensure_eq!((ledger.epoch, ledger.messages), (Some(epoch), 0), "epoch and messages");
    ensure_eq!(scene.window(100).await?.epoch, Some(epoch), "the epoch of a window");
    ensure_eq!(scene.page(None, 1).await?.epoch, Some(epoch), "the epoch of a page");
    let other = scene.under(&crate::sample::counter("letters"));
    scene.store.set_counter(&scene.key, &other.counter).await?;
    ensure_eq!(scene.ledger().await?.current, Some(other.counter.clone()), "the counter");
    let listed = super::lists::list(&scene, 10).await?;
    let shape: Vec<_> = listed.iter().map(|one| (one.epoch, one.messages)).collect();
    ensure_eq!(shape, [(epoch, 0)], "epoch and messages of the list");
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings");
    if trims {
        let again = other.append([with_id(user("a", Tally::exact(1)), "id")]).await?;
        let answer = again.messages[0];
        ensure_eq!((answer.seq.get(), answer.new), (1, false), "a repeat of what was trimmed");
    }
    if abilities.expire {
        ensure!(scene.store.expire(&scene.key, None).await?, "nothing to keep was found");
    }
    let next = other.append([user("c", Tally::exact(1))]).await?;
    let seq = if trims { 3 } else { 1 };
    ensure_eq!((next.epoch, next.messages[0].seq.get()), (epoch, seq), "epoch and seq");
    scene.check_ledger("after a time without messages").await?;
    scene.store.drop_newest(&scene.key, 1).await?;
    ensure_eq!(scene.store.clear(&scene.key).await?.removed, 0, "removed by a clear");
    ensure_eq!(scene.ledger().await?.epoch, None, "the epoch after a clear");
    Ok(())
}

/// Checks that nothing of the one message with the id `id` is left, and begins anew.
async fn new_life(scene: &Scene) -> Verdict {
    let ledger = scene.ledger().await?;
    ensure_eq!((ledger.epoch, ledger.messages), (None, 0), "epoch and messages");
    ensure_eq!(scene.seqs().await?.len(), 0, "messages of the pages");
    let window = scene.window(100).await?;
    ensure_eq!((window.epoch, window.tail.len()), (None, 0), "epoch and tail of a window");
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings");
    let claimed = scene.store.claim_pending(scene.claim_this(None, 10)).await?;
    ensure!(claimed.conversations.iter().all(|one| one.messages.is_empty()), "{claimed:?}");
    let namespace = scene.key.namespace.clone();
    let list = scene.store.list(ListQuery { namespace, after: None, limit: 10 }).await?;
    ensure_eq!(list.conversations.len(), 0, "listed conversations");
    let dropped = scene.store.drop_newest(&scene.key, 1).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (0, 1), "dropped, and the next seq");
    let append = crate::sample::batch(
        &scene.counter,
        [with_id(user("other content", Tally::exact(2)), "id")],
    );
    let epoch = append.new_epoch;
    let appended = scene.store.append(&scene.key, append).await?;
    ensure_eq!(appended.epoch, epoch, "the epoch of the new life");
    let answer = appended.messages[0];
    ensure_eq!((answer.seq.get(), answer.new), (1, true), "seq, and whether it is new");
    ensure_eq!(appended.totals.tokens, 2, "tokens");
    scene.check_ledger("in the new life").await
}
