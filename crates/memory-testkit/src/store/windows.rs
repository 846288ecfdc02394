//! Reading for a window.

use memory_core::{
    FinalReason, Message, NewMessage, Seq, StoredMessage, TailWalk, Tally, ToolCall, WindowRead,
};

use super::scene::Scene;
use super::subject::Subject;
use crate::model::lower_bound;
use crate::sample::{message, user};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// The tail is contiguous to the newest message and holds enough of them for the budget.
pub async fn a_window_reaches_the_newest_and_covers_the_budget(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append((0..50).map(|index| user(format!("{index}"), Tally::exact(10)))).await?;
    for budget in [0, 1, 9, 10, 11, 95, 100, 499, 500, 501, u64::MAX] {
        read(&scene, budget).await?;
    }
    Ok(())
}

/// An estimate may turn out half as large, so the tail covers the budget even then.
pub async fn a_window_counts_estimates_at_half(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let tally = |index| match index {
        _ if index % 5 == 0 => Tally::exact(10),
        _ if index % 2 == 0 => Tally::final_because(11, FinalReason::Fallback),
        _ => Tally::estimated(11),
    };
    scene.append((0..200).map(|index| user(format!("{index}"), tally(index)))).await?;
    for budget in [1, 5, 6, 50, 100, 333, 2000] {
        read(&scene, budget).await?;
    }
    Ok(())
}

/// The group beyond the budget is there as a whole, however many results it has.
pub async fn a_window_holds_a_whole_group_beyond_the_budget(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append((0..5).map(|_| user("u", Tally::exact(10)))).await?;
    scene.append(group(30)).await?;
    scene.append([user("u", Tally::exact(10)), user("u", Tally::exact(10))]).await?;
    scene.append(group(2)).await?;
    for budget in [0, 9, 10, 29, 30, 31, 50, 51, 60, 200, 350, 361, 400] {
        read(&scene, budget).await?;
    }
    Ok(())
}

/// `reached_start` is true where the tail begins right behind the head, and only there.
pub async fn a_window_knows_when_it_reached_the_start(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let mut written = 0;
    // Far more text than any first read may guess, so that a small window cannot reach the start.
    let large = "x".repeat(512 << 10);
    for _ in 0..12 {
        scene.append([user(large.as_str(), Tally::exact(100))]).await?;
        written += 1;
        let whole = read(&scene, 100 * written).await?;
        ensure!(
            whole.reached_start,
            "a budget for all {written} messages does not reach the start"
        );
    }
    let window = read(&scene, 1).await?;
    ensure!(!window.reached_start, "a window of one message reaches the start of 12");
    Ok(())
}

/// What only other counters have counted is taken for at most half of the largest figure among
/// theirs.
pub async fn a_window_takes_the_uncounted_for_half_at_most(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    scene.append((0..50).map(|index| user(format!("{index}"), Tally::exact(20)))).await?;
    scene.append([user("newest", Tally::estimated(30))]).await?;
    let uncounted = scene.under(&crate::sample::counter("letters"));
    for (budget, needed) in [(0, 1), (14, 1), (15, 2), (24, 2), (25, 3), (115, 12)] {
        let window = uncounted.window(budget).await?;
        let found = window.tail.len();
        ensure!(found >= needed, "{found} messages at budget {budget}, and {needed} are needed");
        ensure!(window.tail.iter().all(|message| message.tally.is_none()), "a tally of another");
    }
    Ok(())
}

/// Leading instructions stand in the head and not in the tail, and their tokens are known to be
/// spent.
pub async fn a_window_keeps_the_head_apart(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let system = |text: &str| message(&Message::system(text), Tally::exact(20));
    let developer = message(&Message::developer("d"), Tally::estimated(20));
    scene.append([system("s"), developer]).await?;
    let window = read(&scene, 100).await?;
    ensure_eq!((window.head.len(), window.first.get()), (2, 3), "head alone, and first");
    scene.append((0..40).map(|_| user("u", Tally::exact(10)))).await?;
    scene.append([system("not leading"), user("u", Tally::exact(10))]).await?;
    for budget in [0, 20, 30, 100, 10_000] {
        let window = read(&scene, budget).await?;
        let head: Vec<_> = window.head.iter().map(|message| message.seq.get()).collect();
        ensure_eq!((head, window.first.get()), (vec![1, 2], 3), "head and first at {budget}");
    }
    Ok(())
}

/// Where messages are alike in size, a read is at most twice what the answer needs plus 256 KiB.
pub async fn a_window_reads_no_more_than_twice_its_need(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    for _ in 0..4 {
        scene.append((0..500).map(|_| user("x".repeat(1024), Tally::exact(250)))).await?;
    }
    for budget in [1, 1000, 40_000, 100_000] {
        let window = read(&scene, budget).await?;
        let needed = needed(&window.tail, 0, budget);
        let bytes = |messages: &[StoredMessage]| -> usize {
            messages.iter().map(|message| message.payload.len()).sum()
        };
        let need = bytes(&window.tail[window.tail.len() - needed..]);
        let (found, allowed) = (bytes(&window.tail), 2 * need + (256 << 10));
        ensure!(found <= allowed, "{found} bytes for a budget of {budget}, and {need} are needed");
    }
    Ok(())
}

/// A call with results, each of 10 tokens; a message in between belongs to the group.
fn group(results: usize) -> Vec<NewMessage> {
    let id = |index: usize| format!("call {index}");
    let calls = (0..results).map(|index| ToolCall::function(id(index), "look_up", "{}"));
    let mut messages = vec![message(&Message::assistant_calling(calls), Tally::exact(10))];
    messages.push(message(&Message::system("in between"), Tally::exact(10)));
    let result = |index| message(&Message::tool(id(index), "found"), Tally::exact(10));
    messages.extend((0..results).map(result));
    messages
}

async fn read(scene: &Scene, budget: u64) -> Result<WindowRead, Violation> {
    let window = scene.window(budget).await?;
    let all = scene.messages().await?;
    let first = all.iter().find(|message| !is_leading(&all, message));
    let first = first.map_or(window.next_seq, |message| message.seq);
    check_read(&all, first, budget, &window)?;
    ensure_eq!(window.totals, scene.totals().await?, "totals of a window");
    Ok(window)
}

fn is_leading(all: &[StoredMessage], message: &StoredMessage) -> bool {
    let instruction =
        |message: &StoredMessage| message.class == memory_core::MessageClass::Instruction;
    all.iter().take_while(|other| other.seq <= message.seq).all(instruction)
}

/// Compares a read for a window with all messages of the conversation, whose head ends before
/// `first`.
pub(crate) fn check_read(
    all: &[StoredMessage],
    first: Seq,
    budget: u64,
    window: &WindowRead,
) -> Verdict {
    let (head, behind) = all.split_at(all.partition_point(|message| message.seq < first));
    ensure_eq!(window.first, first, "the first seq behind the head at budget {budget}");
    ensure!(window.head == head, "the head at budget {budget} has other messages");
    ensure!(behind.ends_with(&window.tail), "the tail at budget {budget} is not the newest run");
    let reached = window.tail.len() == behind.len();
    ensure_eq!(window.reached_start, reached, "whether budget {budget} reached the start");
    // What an uncounted message costs a store may guess, so nothing is asked of the tail beyond
    // one group where the head has one.
    let cost = |message: &StoredMessage| message.tally.map_or(u64::MAX, Tally::lower_bound);
    let spent = head.iter().map(cost).fold(0, u64::saturating_add);
    let needed = needed(behind, spent, budget);
    let found = window.tail.len();
    ensure!(found >= needed, "{found} messages at budget {budget}, and {needed} are needed");
    Ok(())
}

/// How many of the newest messages a window needs, as far as they were counted.
fn needed(behind: &[StoredMessage], head: u64, budget: u64) -> usize {
    let mut walk = TailWalk::new(budget, head);
    let mut counted = behind.iter().rev().take_while(|message| message.tally.is_some());
    let end = counted.position(|message| walk.push(message.class, lower_bound(message)).is_break());
    end.map_or_else(
        || behind.iter().rev().take_while(|message| message.tally.is_some()).count(),
        |index| index + 1,
    )
}
