//! Removing what is oldest.

use memory_core::{Epoch, Limits, Message, NewMessage, Tally, ToolCall};

use super::scene::Scene;
use super::subject::Subject;
use crate::sample::{self, message, user};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// The cut moves back to the front of a group that it would split, and to nowhere else.
pub async fn a_trim_takes_whole_groups(subject: &Subject) -> Verdict {
    let check = async |words: &str, firsts: &[u64]| {
        for (index, first) in firsts.iter().enumerate() {
            let Some((scene, epoch)) = written(subject, words).await? else { return Ok(()) };
            let before = index as u64 + 1;
            let trimmed = scene.trim(epoch, before).await?;
            let found = (trimmed.first.get(), trimmed.removed);
            ensure_eq!(found, (*first, first - 1), "first and removed of `{words}` at {before}");
            let left = (*first..=words.split(' ').count() as u64).collect::<Vec<_>>();
            ensure_eq!(scene.seqs().await?, left, "seqs left of `{words}` at {before}");
            scene.check_ledger("after a trim").await?;
        }
        Verdict::Ok(())
    };
    check("u u u", &[1, 2, 3, 4]).await?;
    check("u c r r a u", &[1, 2, 2, 2, 5, 6, 7]).await?;
    check("c s r u", &[1, 1, 1, 4, 5]).await?;
    check("c o s r u", &[1, 1, 1, 1, 5]).await?;
    check("c u r a", &[1, 2, 3, 4]).await?;
    check("c r c r", &[1, 1, 3, 3, 5]).await
}

/// Leading instructions stay, with seqs and tallies; later ones go.
pub async fn a_trim_keeps_the_head(subject: &Subject) -> Verdict {
    let Some((scene, epoch)) = written(subject, "s s u s a u").await? else { return Ok(()) };
    for before in [1, 2, 3] {
        let trimmed = scene.trim(epoch, before).await?;
        ensure_eq!((trimmed.removed, trimmed.first.get()), (0, 3), "a trim into the head");
    }
    let trimmed = scene.trim(epoch, 5).await?;
    ensure_eq!((trimmed.removed, trimmed.first.get()), (2, 5), "removed and first");
    ensure_eq!(scene.seqs().await?, [1, 2, 5, 6], "stored seqs");
    let window = scene.window(1000).await?;
    let seqs = |messages: &[memory_core::StoredMessage]| {
        messages.iter().map(|message| message.seq.get()).collect::<Vec<_>>()
    };
    ensure_eq!(seqs(&window.head), [1, 2], "the head");
    ensure_eq!(seqs(&window.tail), [5, 6], "the tail");
    ensure!(window.head.iter().all(|message| message.tally.is_some()), "a head without tallies");
    let page = scene.page(Some(1), 2).await?;
    ensure_eq!(seqs(&page.messages), [2, 5], "a page across the cut");
    scene.check_ledger("after a trim behind the head").await?;
    let trimmed = scene.trim(epoch, 6).await?;
    ensure_eq!((trimmed.removed, trimmed.first.get()), (1, 6), "a second trim");
    ensure_eq!(seqs(&scene.window(1000).await?.head), [1, 2], "the head after a second trim");
    Ok(())
}

/// Trimmed seqs are not handed out again, with nothing left too.
pub async fn a_trim_gives_no_seq_back(subject: &Subject) -> Verdict {
    let Some((scene, epoch)) = written(subject, "u a u").await? else { return Ok(()) };
    scene.trim(epoch, 3).await?;
    ensure_eq!(appended(&scene, epoch).await?, 4, "the seq after a trim");
    scene.trim(epoch, 5).await?;
    ensure_eq!(appended(&scene, epoch).await?, 5, "the seq after a trim of all");
    let dropped = scene.store.drop_newest(&scene.key, 1).await?;
    ensure_eq!((dropped.removed, dropped.next_seq.get()), (1, 5), "dropped behind a trim");
    ensure_eq!(appended(&scene, epoch).await?, 5, "the seq after a drop behind a trim");
    scene.check_ledger("after trims and appends").await
}

/// The same trim again removes nothing.
pub async fn a_trim_is_idempotent(subject: &Subject) -> Verdict {
    let Some((scene, epoch)) = written(subject, "s u c r u").await? else { return Ok(()) };
    let once = scene.trim(epoch, 4).await?;
    ensure_eq!((once.removed, once.first.get()), (1, 3), "removed and first");
    for before in [4, 3, 2, 1] {
        let again = scene.trim(epoch, before).await?;
        ensure_eq!((again.removed, again.first), (0, once.first), "a trim that was done");
    }
    ensure_eq!(scene.seqs().await?, [1, 3, 4, 5], "stored seqs");
    Ok(())
}

/// A trim that means an earlier life removes nothing.
pub async fn a_trim_of_another_epoch_does_nothing(subject: &Subject) -> Verdict {
    let Some((scene, _)) = written(subject, "u u u").await? else { return Ok(()) };
    ensure_eq!(scene.trim(sample::epoch(), 3).await?.removed, 0, "removed");
    ensure_eq!(scene.seqs().await?, [1, 2, 3], "stored seqs");
    Ok(())
}

/// A conversation that was trimmed to nothing has no messages, and lives on.
pub async fn a_trim_to_nothing_leaves_a_living_conversation(subject: &Subject) -> Verdict {
    let Some((scene, epoch)) = written(subject, "u a u a").await? else { return Ok(()) };
    let trimmed = scene.trim(epoch, 100).await?;
    ensure_eq!((trimmed.removed, trimmed.first.get()), (4, 5), "removed and first");
    ensure_eq!(scene.totals().await?.messages, 0, "messages");
    let window = scene.window(100).await?;
    ensure_eq!((window.head.len(), window.tail.len()), (0, 0), "head and tail");
    ensure!(window.reached_start, "a read of nothing did not reach the start");
    scene.check_ledger("after a trim of all").await?;
    ensure_eq!(appended(&scene, epoch).await?, 5, "the next seq");
    let window = scene.window(100).await?;
    ensure_eq!((window.first.get(), window.tail.len()), (5, 1), "first and tail afterwards");
    scene.check_ledger("after an append behind a trim of all").await
}

/// Appends one message to the same life and returns its seq.
async fn appended(scene: &Scene, epoch: Epoch) -> Result<u64, Violation> {
    let appended = scene.append([user("next", Tally::estimated(5))]).await?;
    ensure_eq!(appended.epoch, epoch, "the epoch");
    Ok(appended.messages[0].seq.get())
}

/// A conversation of messages by one letter each; none where the store cannot trim.
async fn written(subject: &Subject, words: &str) -> Result<Option<(Scene, Epoch)>, Violation> {
    if !subject.store.capabilities().trim {
        return Ok(None);
    }
    let scene = Scene::new(subject);
    let epoch = scene.append(words.split(' ').map(word)).await?.epoch;
    Ok(Some((scene, epoch)))
}

fn word(word: &str) -> NewMessage {
    let bare = r#"{"role":"function","name":"f","content":"x"}"#;
    let written = match word {
        "s" => Message::system("s"),
        "a" => Message::assistant("a"),
        "c" => Message::assistant_calling([
            ToolCall::function("1", "f", "{}"),
            ToolCall::function("2", "f", "{}"),
        ]),
        "r" => Message::tool("1", "r"),
        "o" => Message::from_json(bare, &Limits::default()).expect("the message is well formed"),
        _ => Message::user("u"),
    };
    message(&written, Tally::estimated(7))
}
