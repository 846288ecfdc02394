//! What namespaces and conversations see of each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use memory_core::Tally;

use super::lists::list;
use super::scene::{LEASE, Scene, key};
use super::subject::Subject;
use crate::sample::{user, with_id};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// Text that a store might take for structure of its keys.
const HOSTILE: &[&str] = &[
    "a",
    "ab",
    "b",
    ":",
    "a:b",
    "b:",
    "/",
    "..",
    "{",
    "}",
    "{a}",
    "}{",
    "*",
    "?",
    "[a-z]",
    "\\",
    "%",
    "%00",
    "\0",
    "a\0",
    "\0a",
    "a\0b",
    "\n",
    " ",
    "'",
    "\"",
    "é",
    "\u{e000}",
    "\u{10ffff}",
];

/// The same conversation id, message id and counter in two namespaces are two conversations.
pub async fn namespaces_see_nothing_of_each_other(subject: &Subject) -> Verdict {
    let (mine, mut theirs) = (Scene::new(subject), Scene::new(subject));
    theirs.counter = mine.counter.clone();
    theirs.append([with_id(user("theirs", Tally::estimated(50)), "id")]).await?;
    theirs.append([user("theirs too", Tally::estimated(5))]).await?;
    ensure_eq!(mine.ledger().await?.messages, 0, "messages of an empty namespace");
    ensure_eq!(mine.window(1000).await?.tail.len(), 0, "a window of an empty namespace");
    ensure_eq!(mine.pending().await?.len(), 0, "pendings of an empty namespace");
    ensure_eq!(list(&mine, 10).await?.len(), 0, "conversations of an empty namespace");
    let appended = mine.append([with_id(user("mine", Tally::estimated(1)), "id")]).await?;
    let answer = appended.messages[0];
    ensure_eq!((answer.seq.get(), answer.new), (1, true), "seq, and whether it is new");
    ensure_eq!(appended.totals.tokens, 1, "tokens of the append");
    ensure_eq!(mine.pending().await?.len(), 1, "conversations with pendings");
    ensure_eq!(list(&mine, 10).await?.len(), 1, "listed conversations");
    let before = theirs.messages().await?;
    mine.store.drop_newest(&mine.key, 10).await?;
    mine.append([user("mine", Tally::exact(1))]).await?;
    mine.store.clear(&mine.key).await?;
    ensure!(theirs.messages().await? == before, "a write reached another namespace");
    theirs.check_ledger("after writes to another namespace").await?;
    // A sweep works for every namespace, and says which one each pending is from.
    let claimed = theirs.store.claim_pending(theirs.claim(LEASE, 10)).await?;
    let keys: Vec<_> = claimed.conversations.iter().map(|claimed| &claimed.key).collect();
    ensure_eq!(keys, [&theirs.key], "claimed conversations");
    Ok(())
}

/// Ids of any bytes, prefixes of one another, and parts that join to the same text are all
/// conversations of their own.
pub async fn hostile_ids_are_conversations_of_their_own(subject: &Subject) -> Verdict {
    let base = Scene::new(subject);
    let prefix = base.key.namespace.as_str();
    let long = |letter: &str| letter.repeat(256 / letter.len());
    let ids: Vec<String> = HOSTILE
        .iter()
        .map(|id| (*id).to_owned())
        .chain([long("x"), long("é"), long("\0"), "x".repeat(255)])
        .collect();
    let longest = format!("{prefix}{}", "n".repeat(256 - prefix.len()));
    let namespaces: Vec<_> = ["", "a", ":", "\0", "}", "*", "a:", "a\0", "[a-z]"]
        .iter()
        .map(|end| format!("{prefix}{end}"))
        .chain([longest])
        .collect();
    let scene = |namespace: &str, id: &str| Scene {
        store: Arc::clone(&base.store),
        key: key(namespace, id),
        counter: base.counter.clone(),
    };
    for namespace in &namespaces {
        for id in &ids {
            let message = with_id(user(format!("{namespace:?} {id:?}"), Tally::estimated(2)), id);
            let answer = scene(namespace, id).append([message]).await?.messages[0];
            ensure_eq!((answer.seq.get(), answer.new), (1, true), "{id:?} in {namespace:?}");
        }
    }
    for namespace in &namespaces {
        let gone = scene(namespace, &ids[3]);
        ensure_eq!(gone.store.clear(&gone.key).await?.removed, 1, "cleared in {namespace:?}");
        check_namespace(&scene(namespace, "any"), &ids, &ids[3]).await?;
    }
    Ok(())
}

/// Every id but the one that is gone is there, once, with its own message only.
async fn check_namespace(scene: &Scene, ids: &[String], gone: &str) -> Result<(), Violation> {
    let listed = list(scene, 10).await?;
    let found: BTreeSet<_> = listed.iter().map(|listed| listed.id.as_str()).collect();
    let expected: BTreeSet<_> = ids.iter().map(String::as_str).filter(|id| *id != gone).collect();
    ensure_eq!(found, expected, "listed in {:?}", scene.key.namespace);
    ensure_eq!(listed.len(), expected.len(), "listed in {:?}, each once", scene.key.namespace);
    let pending = scene.pending().await?;
    let waiting: BTreeSet<_> = pending.iter().map(|entry| entry.key.id.as_str()).collect();
    ensure_eq!(waiting, expected, "pending in {:?}", scene.key.namespace);
    for id in expected {
        let scene = scene.other(id);
        let messages = scene.messages().await?;
        let text = format!("{:?} {id:?}", scene.key.namespace.as_str());
        let own = user(text, Tally::estimated(2)).payload;
        let payloads: Vec<_> = messages.iter().map(|message| &message.payload).collect();
        ensure!(payloads == [&own], "{:?} has another one's messages", scene.key);
        ensure_eq!(scene.totals().await?.tokens, 2, "tokens of {:?}", scene.key);
    }
    Ok(())
}
