//! Opening stores by their URLs.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use memory_core::{ConversationId, Message, StoreError};
use memory_instance::MemoryError;
use store_embedded::EmbeddedStore;
use tokens::BpeCounter;

use super::{settings, typed};
use crate::settings::{LONGEST, Sources, UserDirectories};
use crate::wiring::{OpenError, counter, memory_builder, open, open_store};

fn url_of(path: &Path) -> String {
    format!("file:{}", path.display())
}

#[tokio::test]
async fn each_form_of_url_opens_its_store() {
    let check = async |form: fn(&str) -> String, file: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let url = form(folder.path().to_str().unwrap());
        let opened = open(&settings(&[("store.url", &url)])).await.unwrap();
        assert_eq!(opened.store_url, url);
        assert_eq!(opened.memory.tally_id().as_str(), "o200k_base/openai-chat-1");
        let conversation = opened.memory.conversation(ConversationId::new("c").unwrap());
        conversation.append(Message::user("hello")).await.unwrap();
        assert_eq!(conversation.len().await.unwrap(), 1);
        opened.memory.shutdown(Duration::from_secs(10)).await;
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, Vec::from_iter(file), "{url}");
    };
    check(|_| "memory:".to_owned(), None).await;
    check(|folder| format!("file:{folder}/a b%20.redb"), Some("a b%20.redb")).await;
    check(|folder| format!("file://{folder}/a%20b%2520.redb"), Some("a b%20.redb")).await;
}

#[tokio::test]
async fn the_default_store_is_created_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("share");
    let user = UserDirectories::new(folder.path().join("config"), &data);
    let loaded = Sources::new().search(folder.path(), Some(user)).load().unwrap();
    let opened = open(&loaded.settings).await.unwrap();

    let file = data.join("turnledger/memory.redb");
    assert_eq!(opened.store_url, url_of(&file));
    assert!(file.is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file.parent().unwrap()), mode(&file)), (0o700, 0o600));
    }
    opened.memory.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    let url = url_of(&folder.path().join("file/a.redb"));
    let error = open(&settings(&[("store.url", &url)])).await.unwrap_err();
    assert!(matches!(error, OpenError::Store { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("the store {url} cannot be opened"));
    assert!(error.source().is_some() && !error.is_retryable());
}

#[tokio::test]
async fn a_store_in_use_can_be_had_later() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&[("store.url", &url_of(&folder.path().join("a.redb")))]);
    let first = open(&settings).await.unwrap();
    let error = open(&settings).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Store { source: StoreError::InUse { .. }, .. }),
        "{error:?}",
    );
    assert!(error.is_retryable());
    first.memory.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_url_that_names_no_store_is_told_without_its_secrets() {
    let check = async |url: &str, expected: &str| {
        let error = open_store(url, &settings(&[])).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{url}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert!(!error.is_retryable());
    };
    let redis = "the store's URL cannot be used: write redis://user:password@host:6379/0, \
                 redis-sentinel://host,host/service/0 or redis-cluster://host,host, with rediss in \
                 place of redis for TLS, and without parameters";
    for url in ["redis://u:canary@h/x", "rediss://u:canary@", "redis-sentinel://u:canary@h"] {
        check(url, redis).await;
    }
    check(
        "u:canary@h",
        "no store has URLs that begin with u:; write it as file:PATH, memory: or redis://HOST",
    )
    .await;
    for text in ["canary", "", "/a/b", ":canary", "1:canary", "file:canary\n"] {
        check(
            text,
            "the store's URL begins with no scheme; write it as file:PATH, memory: or redis://HOST",
        )
        .await;
    }
    check("file:", "the store's URL cannot be used: the path is missing").await;
    check(
        "file://a.redb",
        "the store's URL cannot be used: what follows file:// is a host; write file:PATH for a \
         relative path",
    )
    .await;
}

#[tokio::test]
async fn settings_without_a_store_are_refused() {
    let error = open(&settings(&[])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "store.url is not set; give it as file:PATH, memory: or redis://HOST"
    );
}

#[test]
fn an_unknown_counter_is_told_with_what_is_near() {
    let error = counter("o200k").unwrap_err();
    assert_eq!(error.to_string(), "counter.encoding cannot be used");
    let reason = error.source().unwrap().to_string();
    assert!(reason.contains("o200k_base") && reason.contains("cl100k_base"), "{reason}");
}

#[tokio::test]
async fn the_counter_is_the_one_that_the_settings_name() {
    for (name, tally_id) in [
        ("cl100k_base", "cl100k_base/openai-chat-1"),
        ("o200k_harmony", "o200k_harmony/openai-chat-1"),
        ("gpt-4o-2024-08-06", "o200k_base/openai-chat-1"),
        ("gpt-3.5-turbo-0301", "cl100k_base/openai-chat-0301"),
    ] {
        let explicit = [("store.url", "memory:"), ("counter.encoding", name)];
        let opened = open(&settings(&explicit)).await.unwrap();
        assert_eq!(opened.memory.tally_id().as_str(), tally_id);
    }
}

#[tokio::test]
async fn the_longest_durations_are_those_of_the_builder() {
    for key in ["counter.deadline", "memory.deadline", "sweep.interval", "sweep.lease"] {
        open(&settings(&[("store.url", "memory:"), (key, "365days")])).await.unwrap();
        let error = Sources::new().explicit(key, "365days 1ms").load().unwrap_err();
        assert!(error.to_string().starts_with(&format!("{key} was given as")), "{error}");

        let mut longer = typed(&[]);
        *match key {
            "counter.deadline" => &mut longer.counter.deadline,
            "memory.deadline" => &mut longer.memory.deadline,
            "sweep.interval" => &mut longer.sweep.interval,
            _ => &mut longer.sweep.lease,
        } += LONGEST;
        let store = EmbeddedStore::builder().in_memory().open_async().await.unwrap();
        let builder = memory_builder(&longer).store(store).counter(BpeCounter::o200k_base());
        let error = builder.build().await.unwrap_err();
        assert!(
            matches!(error, MemoryError::Setting { setting, .. } if setting == key),
            "{key}: {error}"
        );
    }
}
