//! Input over the limits.

use memory_core::{Append, NewMessage, StoreError, Tally};

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::{batch, user};
use crate::verdict::{Verdict, Violation, ensure_eq};

/// A batch of as many messages as the limit allows is written; one more, and nothing is.
pub async fn a_batch_over_the_limit_is_refused(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let allowed = subject.limits.batch_messages;
    let messages = |count| (0..count).map(|_| user("a", Tally::exact(1)));
    refused(&scene, batch(&scene.counter, messages(allowed + 1))).await?;
    scene.append(messages(allowed)).await?;
    ensure_eq!(scene.totals().await?.messages, allowed as u64, "messages");
    Ok(())
}

/// A message as large as the limit allows is written; one byte more, and nothing is.
pub async fn a_message_over_the_limit_is_refused(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let frame = user("", Tally::exact(1)).payload.len();
    let text = "x".repeat(subject.limits.message_bytes - frame);
    let largest = user(text.as_str(), Tally::exact(1));
    let over = user(format!("{text}x"), Tally::exact(1));
    let small: NewMessage = user("small", Tally::exact(1));
    refused(&scene, batch(&scene.counter, [small, over])).await?;
    let payload = largest.payload.clone();
    scene.append([largest]).await?;
    let same = scene.messages().await?[0].payload == payload;
    ensure_eq!(same, true, "whether the largest message is read back as it was");
    Ok(())
}

async fn refused(scene: &Scene, append: Append) -> Verdict {
    match scene.store.append(&scene.key, append).await {
        Err(StoreError::Limit(_)) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Violation::new("input over the limit was accepted")),
    }
    ensure_eq!(scene.ledger().await?.epoch, None, "the epoch after input was refused");
    Ok(())
}
