//! Messages that are appended again under the same id.

use memory_core::Tally;

use super::scene::{Scene, settlement};
use super::subject::Subject;
use crate::sample::{self, user, with_id};
use crate::verdict::{Verdict, ensure, ensure_eq};

/// A repeat writes nothing; its answer has the first one's seq and fingerprint, and the tally and
/// totals of now.
pub async fn a_repeat_has_the_seq_and_tally_of_the_first(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append([user("before", Tally::exact(2))]).await?;
    let first = scene.append([with_id(user("a", Tally::estimated(5)), "id")]).await?;
    scene.append([user("after", Tally::exact(3))]).await?;
    let repeat = scene.append([with_id(user("a", Tally::estimated(99)), "id")]).await?;
    ensure_eq!(repeat.epoch, first.epoch, "the epoch of a repeat");
    let expected = memory_core::AppendedMessage { new: false, ..first.messages[0] };
    ensure_eq!(repeat.messages, [expected], "the answer to a repeat");
    ensure_eq!(repeat.totals.messages, 3, "messages after a repeat");
    let stored = scene.messages().await?;
    scene.settle(first.epoch, [settlement(&stored[1], Tally::exact(6))]).await?;
    let settled = scene.append([with_id(user("a", Tally::estimated(5)), "id")]).await?;
    ensure_eq!(settled.messages[0].tally, Some(Tally::exact(6)), "the tally once it is settled");
    ensure_eq!(settled.totals, scene.totals().await?, "the totals of a repeat");
    ensure_eq!(scene.seqs().await?, [1, 2, 3], "stored seqs");
    scene.check_ledger("after repeats").await
}

/// The same id twice in one batch is one message.
pub async fn a_repeat_within_a_batch_is_one_message(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let messages = [
        with_id(user("a", Tally::exact(5)), "id"),
        user("b", Tally::exact(1)),
        with_id(user("a", Tally::exact(5)), "id"),
        user("c", Tally::exact(1)),
    ];
    let fingerprint = messages[0].fingerprint;
    let appended = scene.append(messages).await?.messages;
    let shape: Vec<_> = appended.iter().map(|answer| (answer.seq.get(), answer.new)).collect();
    ensure_eq!(shape, [(1, true), (2, true), (1, false), (3, true)], "seqs, and what is new");
    ensure_eq!(appended[2].tally, Some(Tally::exact(5)), "the tally of the repeat");
    ensure_eq!(appended[2].fingerprint, Some(fingerprint), "the fingerprint of the repeat");
    ensure_eq!(scene.seqs().await?, [1, 2, 3], "stored seqs");
    scene.check_ledger("after a repeat within a batch").await
}

/// In a batch, known ids return their seqs and new messages are appended in order.
pub async fn a_batch_may_mix_known_and_new(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let known = |id: &str| with_id(user(id, Tally::exact(4)), id);
    scene.append([known("x"), known("y")]).await?;
    let batch = [known("new 1"), known("y"), user("new 2", Tally::exact(4)), known("x")];
    let appended = scene.append(batch).await?;
    let shape: Vec<_> =
        appended.messages.iter().map(|answer| (answer.seq.get(), answer.new)).collect();
    ensure_eq!(shape, [(3, true), (2, false), (4, true), (1, false)], "seqs, and what is new");
    ensure_eq!(appended.totals.tokens, 16, "tokens");
    scene.check_ledger("after a mixed batch").await
}

/// A trimmed message's id stays known, and has neither tally nor fingerprint.
pub async fn a_repeat_of_a_trimmed_message_has_no_tally(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().trim {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let message = || with_id(user("a", Tally::exact(4)), "id");
    let first = scene.append([message(), user("b", Tally::exact(1))]).await?;
    scene.trim(first.epoch, 2).await?;
    let repeat = scene.append([message()]).await?;
    ensure_eq!(repeat.epoch, first.epoch, "the epoch");
    let answer = repeat.messages[0];
    ensure_eq!((answer.seq.get(), answer.new), (1, false), "seq, and whether it is new");
    ensure_eq!((answer.tally, answer.fingerprint), (None, None), "tally and fingerprint");
    ensure_eq!(repeat.totals.messages, 1, "messages");
    ensure_eq!(scene.seqs().await?, [2], "stored seqs");
    Ok(())
}

/// A batch of repeats only leaves the current counter, and finds no tally under its own.
pub async fn a_repeat_under_another_counter_leaves_the_current_one(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    let message = || with_id(user("a", Tally::exact(4)), "id");
    scene.append([message()]).await?;
    let repeat = second.append([message()]).await?;
    ensure!(!repeat.messages[0].new, "a repeat under another counter is told to be new");
    ensure_eq!(repeat.messages[0].tally, None, "the tally under a counter that counted nothing");
    ensure_eq!((repeat.totals.pending, repeat.totals.complete), (1, false), "totals of the repeat");
    ensure_eq!(scene.ledger().await?.current, Some(scene.counter.clone()), "the current counter");
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings");
    Ok(())
}

/// The same id in two conversations means two messages.
pub async fn ids_belong_to_one_conversation(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let other = scene.other("another");
    scene.append([with_id(user("a", Tally::exact(4)), "id")]).await?;
    let appended = other.append([with_id(user("b", Tally::exact(4)), "id")]).await?;
    ensure!(appended.messages[0].new, "an id of another conversation is known");
    ensure_eq!((scene.seqs().await?, other.seqs().await?), (vec![1], vec![1]), "stored seqs");
    Ok(())
}
