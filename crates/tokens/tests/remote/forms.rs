//! What is sent, and what is made of the answers.

use memory_core::RemoteCounter;
use serde_json::json;
use tokens::{ProviderCounter, RemoteError};

use crate::server::{Reply, Server};

const KEY: &str = "sk-hush-hush";

#[tokio::test]
async fn anthropic_is_asked_in_its_form_and_framing_is_taken_off() {
    let server = Server::start(Reply::anthropic).await;
    let url = format!("{}/gateway/", server.url);
    let counter = ProviderCounter::anthropic("claude-test-1", KEY).base_url(url).build().unwrap();
    assert_eq!(counter.id().as_str(), "anthropic:claude-test-1");
    for (text, tokens) in [("twelve chars", 12), ("", 0), ("a", 1), ("\n", 1), ("é\"\\ 東", 5)] {
        assert_eq!(counter.count(text).await.unwrap(), tokens, "{text:?}");
    }
    let seen = server.seen();
    // The framing was learned once, and the empty text was not asked for.
    let texts: Vec<_> = seen.iter().map(|seen| seen.text().to_owned()).collect();
    assert_eq!(texts, ["a", "twelve chars", "a", "\n", "é\"\\ 東"]);
    let one = &seen[1];
    assert_eq!(one.line, "POST /gateway/v1/messages/count_tokens HTTP/1.1");
    assert_eq!(one.header("x-api-key"), Some(KEY));
    assert_eq!(one.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(one.header("content-type"), Some("application/json"));
    let messages = json!([{"role": "user", "content": "twelve chars"}]);
    assert_eq!(one.body, json!({"model": "claude-test-1", "messages": messages}));
}

#[tokio::test]
async fn gemini_is_asked_in_its_form() {
    let server = Server::start(|seen| {
        Reply::body(json!({"totalTokens": seen.text().len() + 2, "more": {}}).to_string())
    })
    .await;
    let counter =
        ProviderCounter::gemini("gemini-test", KEY).base_url(&server.url).build().unwrap();
    assert_eq!(counter.id().as_str(), "gemini:gemini-test");
    assert_eq!(counter.count("seven..").await.unwrap(), 7);
    let one = &server.seen()[1];
    assert_eq!(one.line, "POST /v1beta/models/gemini-test:countTokens HTTP/1.1");
    assert_eq!(one.header("x-goog-api-key"), Some(KEY));
    assert_eq!(one.body, json!({"contents": [{"role": "user", "parts": [{"text": "seven.."}]}]}));
}

#[tokio::test]
async fn the_contract_s_texts_are_counted_as_they_are() {
    let server = Server::start(Reply::anthropic).await;
    let counter = ProviderCounter::anthropic("m", KEY).base_url(&server.url).build().unwrap();
    for text in ["<|endoftext|>", "\u{0}\u{7f}\u{200b}", "line\r\nline", "𝒳\u{10ffff}"] {
        assert_eq!(counter.count(text).await.unwrap(), text.chars().count(), "{text:?}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_sent() {
    let check = |model: &str, key: &str, url: &str, expected: &str| {
        let built = ProviderCounter::gemini(model, key).base_url(url).build();
        let error = built.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hush"), "{error}");
    };
    let url = "http://127.0.0.1:9";
    check("", KEY, url, "model's name");
    check("../../hush", KEY, url, "model's name");
    check(&"m".repeat(129), KEY, url, "model's name");
    check("m", "", url, "API key");
    check("m", "hush\nhush", url, "API key");
    check("m", KEY, "hush", "must begin with http");
    check("m", KEY, "ftp://hush", "must begin with http");
    check("m", KEY, "http://me:hush@host", "no name or password");
    check("m", KEY, "http://host/?hush", "no");
    check("m", KEY, "http://ho st/hush", "no URL");
    let builder = || ProviderCounter::anthropic("m", KEY).base_url(url);
    let bounds = |built: Result<ProviderCounter, RemoteError>| {
        assert!(matches!(built.unwrap_err(), RemoteError::Bounds { .. }));
    };
    bounds(builder().concurrency(0).build());
    bounds(builder().concurrency(1001).build());
    bounds(builder().retries(11).build());
    bounds(builder().timeout(std::time::Duration::ZERO).build());
    let shown = format!("{:?} {:?}", builder(), builder().build().unwrap());
    assert!(!shown.contains("hush"), "{shown}");
}
