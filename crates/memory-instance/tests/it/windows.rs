//! Windows over messages that are counted, pending, or cannot be counted.

use std::sync::Arc;
use std::time::Duration;

use memory_core::window::WindowError;
use memory_core::{Message, ToolCall};
use memory_instance::{MemoryError, WindowOptions};
use memory_testkit::model::ModelStore;

use crate::support::{PATIENCE, Words, builder, conversation, exact, memory, shared};

fn story() -> Vec<Message> {
    let call = |id: &str| ToolCall::function(id, "look_up", "{ \"q\": 1 }");
    vec![
        Message::system("be brief and kind"),
        Message::developer("no jokes"),
        Message::user("one two three"),
        Message::assistant_calling([call("a"), call("b")]),
        Message::tool("a", "first result"),
        Message::tool("b", "second result here"),
        Message::assistant("four five"),
        Message::user("six"),
    ]
}

/// What a window of `budget` holds behind the head, by the definition: the longest run of whole
/// groups that fits.
fn expected(messages: &[Message], budget: u64) -> Option<(usize, u64)> {
    let tokens = |from: usize| -> u64 {
        let run = messages[from..].iter();
        3 + messages[..2].iter().chain(run).map(|message| exact(message).tokens).sum::<u64>()
    };
    let starts = [2, 3, 6, 7];
    starts.into_iter().find(|start| tokens(*start) <= budget).map(|start| (start, tokens(start)))
}

#[tokio::test]
async fn promise_4_a_window_is_the_longest_run_of_whole_groups_that_fits() {
    let story = story();
    for settle_first in [true, false] {
        let memory = memory().await;
        let conversation = conversation(&memory, "c");
        conversation.append_many(story.clone()).await.unwrap();
        if settle_first {
            assert!(memory.settled(PATIENCE).await);
        }
        for budget in 0..120 {
            match (conversation.window(budget).await, expected(&story, budget)) {
                (Ok(window), Some((start, tokens))) => {
                    assert!(window.tokens <= budget);
                    assert_eq!(window.tokens, tokens, "budget {budget}");
                    let messages: Vec<_> = window.messages().cloned().collect();
                    let fits: Vec<_> = story[..2].iter().chain(&story[start..]).cloned().collect();
                    assert_eq!(messages, fits, "budget {budget}");
                    assert_eq!(window.head.len(), 2);
                    assert_eq!(window.charged_upper_bound, 0);
                }
                (Err(MemoryError::Window(_)), None) => {}
                (window, expected) => panic!("budget {budget}: {window:?}, not {expected:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_newest_group_that_does_not_fit_is_an_error_or_an_empty_run() {
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    conversation.append_many(story()).await.unwrap();
    let newest = exact(&Message::user("six")).tokens;
    let head: u64 = story()[..2].iter().map(|message| exact(message).tokens).sum();
    let error = conversation.window(head + 3 + newest - 1).await.unwrap_err();
    let MemoryError::Window(WindowError::NewestGroupTooLarge { tokens, left, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!((tokens, left), (newest, newest - 1));
    let options = WindowOptions::new(head + 3 + newest - 1).allow_empty_run();
    let window = conversation.window_with(options).await.unwrap();
    assert_eq!((window.head.len(), window.run.len(), window.tokens), (2, 0, head + 3));
    let error = conversation.window(head + 2).await.unwrap_err();
    assert!(matches!(error, MemoryError::Window(WindowError::HeadTooLarge { .. })), "{error}");
}

#[tokio::test]
async fn a_conversation_that_holds_nothing_has_an_empty_window() {
    let memory = memory().await;
    let window = conversation(&memory, "none").window(100).await.unwrap();
    assert!(window.is_empty());
    assert_eq!((window.tokens, window.epoch), (3, None));
    assert_eq!(window.to_json(), "[]");
}

#[tokio::test]
async fn what_is_not_counted_in_time_is_charged_its_upper_bound() {
    let counter = shared(Words::new("words"));
    let memory = builder(ModelStore::default(), Arc::clone(&counter))
        .count_deadline(Duration::from_millis(50))
        .build()
        .await
        .unwrap();
    memory.counting().warmed().await;
    let conversation = conversation(&memory, "c");
    let slow = Message::user("wait! for it");
    conversation.append(slow.clone()).await.unwrap();
    conversation.append(Message::user("fine")).await.unwrap();
    let window = conversation.window(1000).await.unwrap();
    assert!(window.charged_upper_bound >= 1);
    assert!(window.tokens >= 3 + 3 + slow.text_bytes() as u64);
    assert_eq!(window.len(), 2);
    let charged = window.tokens;

    counter.open();
    assert!(memory.settled(PATIENCE).await);
    let window = conversation.window(1000).await.unwrap();
    assert_eq!(window.charged_upper_bound, 0);
    assert!(window.tokens < charged);
}

#[tokio::test]
async fn without_an_upper_bound_what_is_not_counted_is_an_error() {
    let counter = shared(Words::new("words").unbounded());
    let memory = builder(ModelStore::default(), Arc::clone(&counter))
        .count_deadline(Duration::from_millis(50))
        .build()
        .await
        .unwrap();
    memory.counting().warmed().await;
    let conversation = conversation(&memory, "c");
    conversation.append(Message::user("wait! for it")).await.unwrap();
    let error = conversation.window(1000).await.unwrap_err();
    assert!(matches!(error, MemoryError::Uncounted { messages: 1, .. }), "{error}");
    assert!(error.is_retryable());
    counter.open();
}

#[tokio::test]
async fn estimates_that_are_far_off_cost_another_read_and_nothing_else() {
    // The estimator takes these for many tokens; under Words each is one.
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    let messages: Vec<_> =
        (0..200).map(|n| Message::user(format!("{n}{}", "x".repeat(400)))).collect();
    for batch in messages.chunks(50) {
        conversation.append_many(batch.to_vec()).await.unwrap();
    }
    let window = conversation.window(3 + 5 * 150).await.unwrap();
    assert_eq!(window.run.len(), 150);
    assert_eq!(window.tokens, 3 + 5 * 150);
}
