//! Sums, tallies and payloads as they are stored.

use memory_core::{FinalReason, Limits, Message, Role, Seq, Tally, WindowRead};

use super::scene::{Scene, settlement};
use super::subject::Subject;
use crate::sample::{self, user, with_id};
use crate::verdict::{Verdict, ensure, ensure_eq};

/// After every kind of write, totals, pages and windows give the sums of the stored tallies,
/// under each counter.
pub async fn totals_equal_the_sum_of_tallies_at_every_step(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    let first = scene.append([user("a", Tally::estimated(7))]).await?;
    scene.check_ledger("after an append").await?;
    scene.append((0..9).map(|index| user("b", Tally::exact(index)))).await?;
    scene.append([with_id(user("c", Tally::estimated(100)), "c")]).await?;
    scene.append([with_id(user("c", Tally::exact(1)), "c")]).await?;
    scene.check_ledger("after a repeat").await?;
    let messages = scene.messages().await?;
    scene.settle(first.epoch, [settlement(&messages[0], Tally::exact(70))]).await?;
    scene.check_ledger("after a settle upwards").await?;
    scene.settle(first.epoch, [settlement(&messages[10], Tally::exact(1))]).await?;
    scene.check_ledger("after a settle downwards").await?;
    for message in &second.messages().await?[2..6] {
        second.settle(first.epoch, [settlement(message, Tally::exact(5))]).await?;
    }
    second.check_ledger("after a settle under a second counter").await?;
    second.append([user("d", Tally::estimated(3))]).await?;
    second.check_ledger("after an append under a second counter").await?;
    scene.store.drop_newest(&scene.key, 2).await?;
    second.check_ledger("after dropping the newest").await?;
    if subject.store.capabilities().trim {
        scene.trim(first.epoch, 5).await?;
        second.check_ledger("after a trim").await?;
    }
    scene.append([user("e", Tally::exact(11))]).await?;
    second.check_ledger("after all").await?;
    scene.store.clear(&scene.key).await?;
    second.check_ledger("after a clear").await
}

/// Every operation takes a conversation that never was for an empty one.
pub async fn a_conversation_that_never_was_is_empty(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    ensure_eq!(scene.window(1000).await?, WindowRead::EMPTY, "the window");
    let page = scene.page(None, 10).await?;
    ensure!(page.epoch.is_none() && page.messages.is_empty() && page.next.is_none(), "{page:?}");
    let ledger = scene.ledger().await?;
    ensure_eq!((ledger.epoch, ledger.messages), (None, 0), "epoch and messages");
    let settle = scene.settle(sample::epoch(), []).await?;
    ensure_eq!(settle.applied, 0, "settlements applied");
    scene.store.set_counter(&scene.key, &scene.counter).await?;
    ensure_eq!(scene.ledger().await?.epoch, None, "the epoch after a counter was set");
    let dropped = scene.store.drop_newest(&scene.key, 3).await?;
    ensure_eq!((dropped.removed, dropped.next_seq), (0, Seq::FIRST), "what was dropped");
    ensure_eq!(scene.store.clear(&scene.key).await?.removed, 0, "what was cleared");
    ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings");
    let claimed = scene.store.claim_pending(scene.claim_this(None, 10)).await?;
    ensure!(
        claimed.conversations.iter().all(|claimed| claimed.messages.is_empty()),
        "a claim found {claimed:?}"
    );
    let capabilities = subject.store.capabilities();
    if capabilities.trim {
        let trimmed = scene.trim(sample::epoch(), 10).await?;
        ensure_eq!((trimmed.removed, trimmed.first), (0, Seq::FIRST), "what was trimmed");
    }
    if capabilities.expire {
        let at = Some(subject.now());
        ensure!(!scene.store.expire(&scene.key, at).await?, "an expiry was set on nothing");
    }
    ensure_eq!(scene.ledger().await?.epoch, None, "the epoch after all");
    Ok(())
}

/// Each state of a tally, and any number of tokens, is read back as it was written.
pub async fn every_tally_state_survives(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let tallies = [
        Tally::estimated(0),
        Tally::estimated(1),
        Tally::exact(0),
        Tally::exact(65_536),
        Tally::exact(u64::from(u32::MAX)),
        Tally::final_because(85, FinalReason::Media),
        Tally::final_because(3, FinalReason::Fallback),
        Tally::final_because(1_048_576, FinalReason::Failed),
    ];
    let epoch = scene.append(tallies.map(|tally| user("t", tally))).await?.epoch;
    let read = scene.messages().await?;
    let stored: Vec<_> = read.iter().filter_map(|message| message.tally).collect();
    ensure_eq!(stored, tallies, "appended tallies");
    let settlements: Vec<_> = read
        .iter()
        .zip(tallies.iter().rev())
        .map(|(read, tally)| settlement(read, *tally))
        .collect();
    scene.settle(epoch, settlements).await?;
    let settled: Vec<_> =
        scene.messages().await?.iter().rev().filter_map(|message| message.tally).collect();
    ensure_eq!(settled, tallies, "settled tallies");
    scene.check_ledger("after all states").await
}

/// A payload is read back byte for byte, whatever is in it.
pub async fn payloads_survive_byte_for_byte(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let mut messages: Vec<_> = crate::counter::hostile_texts()
        .into_iter()
        .map(|text| user(text, Tally::exact(1)))
        .collect();
    let unknown = r#"{"role":"user","content":null,"x":{"y":[1.0e+10,null]}}"#;
    for json in [unknown, r#"{"role":"tool","content":""}"#] {
        if let Ok(message) = Message::from_json(json, &Limits::default()) {
            messages.push(sample::message(&message, Tally::exact(1)));
        }
    }
    if let Ok(message) = Message::builder(Role::User).text("").name("\0").build(&Limits::default())
    {
        messages.push(sample::message(&message, Tally::exact(1)));
    }
    for message in &messages {
        scene.append([message.clone()]).await?;
    }
    let read = scene.messages().await?;
    ensure_eq!(read.len(), messages.len(), "messages");
    for (read, written) in read.iter().zip(&messages) {
        ensure!(read.payload == written.payload, "the payload of seq {} changed", read.seq);
        ensure_eq!(read.class, written.class, "the class of seq {}", read.seq);
    }
    Ok(())
}
