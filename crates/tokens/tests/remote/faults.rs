//! A provider that is slow, failing, confused or gone.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use memory_core::{CountError, RemoteCounter};
use tokens::{ProviderBuilder, ProviderCounter, RemoteError};
use tokio::sync::{Barrier, Notify};

use crate::server::{Reply, Server};

const KEY: &str = "sk-hush-hush";

/// A pause that no test outlives, so that whoever waits for it fails.
const FOREVER: Duration = Duration::from_secs(100_000);

/// With pauses that are over at once.
fn builder(url: &str) -> ProviderBuilder {
    ProviderCounter::anthropic("m", KEY).base_url(url).pauses(Duration::ZERO, Duration::ZERO)
}

/// The error behind a failed count; nothing of it shows a secret or the text.
fn cause(counted: Result<usize, CountError>) -> RemoteError {
    let error = counted.unwrap_err();
    assert!(error.is_retryable());
    let CountError::Failed { source, .. } = error else { panic!("{error}") };
    let mut shown = format!("{source:?}");
    let mut cause: Option<&dyn Error> = Some(&*source);
    while let Some(error) = cause {
        shown.push_str(&error.to_string());
        cause = error.source();
    }
    for secret in ["hush", "the text"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    *source.downcast().unwrap()
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again() {
    for reply in [
        || Reply::status(500, ""),
        || Reply::status(529, ""),
        || Reply::status(429, ""),
        || Reply::Close,
    ] {
        let server = Server::start(move |seen| match seen.number {
            0 | 2 | 3 => reply(),
            _ => Reply::anthropic(seen),
        })
        .await;
        let counter = builder(&server.url).build().unwrap();
        assert_eq!(counter.count("the text").await.unwrap(), 8);
        assert_eq!(server.seen().len(), 5);
    }
}

#[tokio::test]
async fn after_the_last_attempt_the_failure_is_told() {
    let check = async |status, retries, expected: fn(&RemoteError) -> bool| {
        let server = Server::start(move |_| Reply::status(status, "")).await;
        let counter = builder(&server.url).retries(retries).build().unwrap();
        let error = cause(counter.count("the text").await);
        assert!(expected(&error), "{error}");
        server.seen().len()
    };
    let server_error =
        |error: &RemoteError| matches!(error, RemoteError::Server { status: 503, .. });
    assert_eq!(check(503, 2, server_error).await, 3);
    assert_eq!(check(503, 0, server_error).await, 1);
    let limited = |error: &RemoteError| matches!(error, RemoteError::RateLimited { .. });
    assert_eq!(check(429, 3, limited).await, 4);
    // These would not pass.
    for status in [400, 401, 403, 404, 301] {
        let refused = |error: &RemoteError| {
            matches!(error, RemoteError::Refused { .. }) && !error.is_retryable()
        };
        assert_eq!(check(status, 2, refused).await, 1, "{status}");
    }
}

#[tokio::test]
async fn the_provider_s_own_pause_holds() {
    for header in ["retry-after: 0\r\n", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"] {
        let server = Server::start(move |seen| match seen.number {
            0 => Reply::status(429, header),
            1 => Reply::status(503, header),
            _ => Reply::anthropic(seen),
        })
        .await;
        // Its own pauses would not end.
        let counter = builder(&server.url).pauses(FOREVER, FOREVER).build().unwrap();
        assert_eq!(counter.count("the text").await.unwrap(), 8);
    }
    // A pause that is too long is not waited for.
    let server = Server::start(|_| Reply::status(429, "retry-after: 3600\r\n")).await;
    let error = cause(builder(&server.url).build().unwrap().count("the text").await);
    assert_eq!(error.retry_after(), Some(Duration::from_hours(1)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let server = Server::start(|_| Reply::Never).await;
    let limit = Duration::from_millis(30);
    let counter = builder(&server.url).timeout(limit).retries(1).build().unwrap();
    let error = cause(counter.count("the text").await);
    assert!(matches!(error, RemoteError::TimedOut { limit: told } if told == limit), "{error}");
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_a_connection_error() {
    let server = Server::start(Reply::anthropic).await;
    let url = server.url.clone();
    drop(server);
    // The port is free again as soon as the task has ended.
    tokio::task::yield_now().await;
    let error = cause(builder(&url).build().unwrap().count("the text").await);
    assert!(matches!(error, RemoteError::Connection { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_count_is_told_and_not_asked_for_again() {
    let check = async |body: &str| {
        let body = body.to_owned();
        let server = Server::start(move |_| Reply::body(body.clone())).await;
        let error = cause(builder(&server.url).build().unwrap().count("the text").await);
        (error, server.seen().len())
    };
    let garbage =
        ["", "hush", "[]", "{}", r#"{"input_tokens":"hush"}"#, r#"{"input_tokens":-1}"#, "{\"a\":"];
    for body in garbage.into_iter().chain([&*" ".repeat(100_000)]) {
        let (error, requests) = check(body).await;
        assert!(matches!(error, RemoteError::Answer { .. }), "{error}");
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn a_framing_that_was_not_learned_is_learned_later() {
    let server = Server::start(|seen| match seen.number {
        0 => Reply::status(400, ""),
        _ => Reply::anthropic(seen),
    })
    .await;
    let counter = builder(&server.url).build().unwrap();
    cause(counter.count("the text").await);
    assert_eq!(counter.count("the text").await.unwrap(), 8);
}

#[tokio::test]
async fn requests_under_way_are_never_more_than_allowed() {
    const LIMIT: usize = 3;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let full = Arc::new(Barrier::new(LIMIT));
    let (seen_now, seen_most) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::start_async(move |seen| {
        let (now, most) = (Arc::clone(&seen_now), Arc::clone(&seen_most));
        let full = Arc::clone(&full);
        async move {
            let under_way = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(under_way, Ordering::SeqCst);
            // The first one learns the framing, alone. The others are answered in threes, so as
            // many as are allowed must be there at once.
            if seen.number > 0 {
                full.wait().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Reply::anthropic(&seen)
        }
    })
    .await;
    let counter = Arc::new(builder(&server.url).concurrency(LIMIT).build().unwrap());
    let counts: Vec<_> = (0..30)
        .map(|length| {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move { counter.count(&"x".repeat(length + 1)).await.unwrap() })
        })
        .collect();
    for (length, count) in counts.into_iter().enumerate() {
        assert_eq!(count.await.unwrap(), length + 1);
    }
    assert_eq!(most.load(Ordering::SeqCst), LIMIT);
}

#[tokio::test]
async fn a_count_that_is_given_up_gives_its_turn_back() {
    let came = Arc::new(Notify::new());
    let told = Arc::clone(&came);
    let server = Server::start(move |seen| match seen.text() {
        "slow" => {
            told.notify_one();
            Reply::Never
        }
        _ => Reply::anthropic(seen),
    })
    .await;
    let counter = builder(&server.url).concurrency(1).timeout(FOREVER).build().unwrap();
    tokio::select! {
        _ = counter.count("slow") => panic!("it has no answer"),
        () = came.notified() => {}
    }
    assert_eq!(counter.count("quick").await.unwrap(), 5);
}
