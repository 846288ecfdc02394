//! Futures that are dropped before they end.

use std::future::{Future, poll_fn};
use std::task::Poll;

use memory_core::{Settle, Tally};

use super::scene::{Scene, settlement};
use super::subject::Subject;
use crate::sample::{batch, user, with_id};
use crate::verdict::{Verdict, ensure, ensure_eq};

/// How often a future is polled before it is dropped, at most.
const POLLS: usize = 6;

/// An append that is given up has written its whole batch or nothing, and can be repeated.
pub async fn a_dropped_append_is_whole_or_absent(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let mut expected = 0;
    for polls in 0..POLLS {
        let messages = || {
            (0..3).map(|place| {
                let text = format!("{polls} {place}");
                with_id(user(text.as_str(), Tally::estimated(4)), &text)
            })
        };
        poll_and_drop(scene.store.append(&scene.key, batch(&scene.counter, messages())), polls)
            .await;
        let found = scene.messages().await?.len();
        ensure!(
            found == expected || found == expected + 3,
            "{} of 3 messages after {polls} polls",
            found - expected
        );
        // What was begun may end only now, between two reads; a repeat finds it, or writes it.
        scene.append(messages()).await?;
        expected += 3;
        ensure_eq!(scene.messages().await?.len(), expected, "messages after {polls} polls");
        scene.check_ledger("after a dropped append was repeated").await?;
    }
    let waiting: Vec<_> = scene.pending().await?.iter().map(|entry| entry.pending).collect();
    ensure_eq!(waiting, [expected as u64], "pendings after all");
    Ok(())
}

/// A settle that is given up has settled all of its batch or nothing, and can be repeated.
pub async fn a_dropped_settle_is_whole_or_absent(subject: &Subject) -> Verdict {
    for polls in 0..POLLS {
        let scene = Scene::new(subject);
        let epoch = scene.append((0..3).map(|_| user("a", Tally::estimated(4)))).await?.epoch;
        let settlements: Vec<_> = scene
            .messages()
            .await?
            .iter()
            .map(|stored| settlement(stored, Tally::exact(9)))
            .collect();
        let settle =
            Settle { counter: scene.counter.clone(), epoch, settlements: settlements.clone() };
        poll_and_drop(scene.store.settle(&scene.key, settle), polls).await;
        let pending = scene.totals().await?.pending;
        ensure!(pending == 0 || pending == 3, "{pending} of 3 pendings after {polls} polls");
        // What was begun may end only now, between two reads; a repeat comes after it.
        scene.settle(epoch, settlements).await?;
        let totals = scene.totals().await?;
        ensure_eq!((totals.tokens, totals.pending), (27, 0), "tokens and pendings at last");
        ensure_eq!(scene.pending().await?.len(), 0, "conversations with pendings");
    }
    Ok(())
}

/// Polls a future so often, letting other tasks run in between, and drops it.
async fn poll_and_drop<F: Future>(future: F, polls: usize) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let ready = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        if ready {
            return;
        }
        let mut yielded = false;
        poll_fn(|context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}
