//! Appending under each count policy, repeats, and what is refused.

use std::error::Error;

use memory_core::{ConversationId, Limits, Message, MessageId, Redactor, Role, StoreError};
use memory_instance::{CountPolicy, Entry, MemoryError, Settling};
use memory_testkit::model::ModelStore;

use crate::support::{PATIENCE, Words, assert_exact, builder, conversation, exact, memory};

fn named(text: &str, id: &str) -> Entry {
    Entry::new(Message::user(text)).with_id(MessageId::new(id).unwrap())
}

#[tokio::test]
async fn every_policy_ends_with_the_same_exact_tallies() {
    for policy in CountPolicy::ALL {
        let memory = builder(ModelStore::default(), Words::new("words"))
            .count_policy(policy)
            .build()
            .await
            .unwrap();
        memory.counting().warmed().await;
        let conversation = conversation(&memory, "c");
        for text in ["one", "one two", &"many words ".repeat(2000)] {
            let message = Message::user(text);
            let receipt = conversation.append(message.clone()).await.unwrap();
            let tally = receipt.tally.unwrap();
            match receipt.settling {
                Settling::NotNeeded => assert_eq!(tally, exact(&message), "{policy}"),
                _ => assert!(tally.is_pending(), "{policy}"),
            }
            if policy == CountPolicy::Inline {
                assert_eq!(receipt.settling, Settling::NotNeeded);
            }
            if policy == CountPolicy::Background
                || text.len() > 2048 && policy != CountPolicy::Inline
            {
                assert_eq!(receipt.settling, Settling::Queued, "{policy}");
            }
        }
        assert!(memory.settled(PATIENCE).await);
        assert_exact(&conversation).await;
    }
}

#[tokio::test]
async fn receipts_tell_epoch_seq_and_sums() {
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    let first = conversation.append(Message::user("a")).await.unwrap();
    let batch = [Message::assistant("b"), Message::user("c")];
    let rest = conversation.append_many(batch).await.unwrap();
    assert_eq!(first.seq.get(), 1);
    assert_eq!(rest.iter().map(|receipt| receipt.seq.get()).collect::<Vec<_>>(), [2, 3]);
    assert!(rest.iter().all(|receipt| receipt.epoch == first.epoch && receipt.new));
    assert_eq!(rest[0].totals, rest[1].totals);
    assert_eq!(rest[0].totals.messages, 3);
    let nothing = conversation.append_many(Vec::<Message>::new()).await.unwrap();
    assert_eq!(nothing, []);
}

#[tokio::test]
async fn promise_5_a_known_id_appends_nothing_and_other_content_is_a_conflict() {
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    let first = conversation.append(named("hello", "m1")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);

    let again = conversation.append(named("hello", "m1")).await.unwrap();
    assert_eq!((again.seq, again.epoch, again.new), (first.seq, first.epoch, false));
    assert_eq!(again.tally, Some(exact(&Message::user("hello"))));
    assert_eq!(again.settling, Settling::NotNeeded);

    let conflict = conversation.append_many([named("new", "m2"), named("other", "m1")]).await;
    let Err(MemoryError::Store(StoreError::Conflict { id, seq })) = conflict else {
        panic!("expected a conflict");
    };
    assert_eq!((id.as_str(), seq), ("m1", first.seq));
    assert_eq!(conversation.len().await.unwrap(), 1);

    let mixed = conversation.append_many([named("hello", "m1"), named("new", "m2")]).await.unwrap();
    assert_eq!(mixed.iter().map(|receipt| receipt.new).collect::<Vec<_>>(), [false, true]);
    assert!(memory.settled(PATIENCE).await);
    assert_exact(&conversation).await;
}

#[tokio::test]
async fn what_passes_a_limit_is_refused_before_anything_is_done() {
    let limits = Limits { id_bytes: 7, message_bytes: 60, batch_messages: 2, json_depth: 1 };
    let memory =
        builder(ModelStore::default(), Words::new("words")).limits(limits).build().await.unwrap();
    let short = conversation(&memory, "c");
    let check = async |entries: Vec<Entry>, named: &str| {
        let error = short.append_many(entries).await.unwrap_err();
        assert!(matches!(error, MemoryError::Limit(_)), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    };
    check(vec![Message::user("x".repeat(60)).into()], "limit is 60").await;
    check(vec![Message::user("x").into(); 3], "limit is 2").await;
    check(vec![named("x", "12345678")], "limit is 7").await;
    let deep = r#"{"role":"user","content":"x","y":{}}"#;
    let deep = Message::from_json(deep, &Limits::default()).unwrap();
    check(vec![deep.into()], "limit is 1").await;
    assert_eq!(short.len().await.unwrap(), 0);

    let long = memory.conversation(ConversationId::new("12345678").unwrap());
    assert!(matches!(long.append(Message::user("x")).await, Err(MemoryError::Limit(_))));
}

#[tokio::test]
async fn inline_writes_nothing_where_the_counter_fails() {
    let memory = builder(ModelStore::default(), Words::new("words"))
        .count_policy(CountPolicy::Inline)
        .build()
        .await
        .unwrap();
    let conversation = conversation(&memory, "c");
    for text in ["fail!", "panic!"] {
        let error = conversation.append(Message::user(text)).await.unwrap_err();
        assert!(matches!(error, MemoryError::Count { .. }), "{error}");
    }
    assert!(conversation.is_empty().await.unwrap());
    conversation.append(Message::user("fine")).await.unwrap();
    assert_exact(&conversation).await;
}

/// Stores asterisks in the place of user messages, and refuses tool results.
#[derive(Debug)]
struct Asterisks;

impl Redactor for Asterisks {
    fn redact(&self, message: &Message) -> Result<Option<Message>, Box<dyn Error + Send + Sync>> {
        match message.role() {
            Role::User => Ok(Some(Message::user("***"))),
            Role::Tool => Err("tool results cannot be redacted".into()),
            _ => Ok(None),
        }
    }
}

#[tokio::test]
async fn what_is_redacted_reaches_neither_store_nor_counter() {
    let memory = builder(ModelStore::default(), Words::new("words"))
        .redactor(Asterisks)
        .build()
        .await
        .unwrap();
    let conversation = conversation(&memory, "c");
    let batch = [Message::user("my secret number is 12"), Message::assistant("I see")];
    conversation.append_many(batch).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    let page = conversation.page(None, 10).await.unwrap();
    let stored: Vec<_> = page.entries.iter().map(|entry| entry.message.clone()).collect();
    assert_eq!(stored, [Message::user("***"), Message::assistant("I see")]);
    assert_exact(&conversation).await;

    let error = conversation.append(Message::tool("c1", "raw")).await.unwrap_err();
    assert!(matches!(error, MemoryError::Redact { .. }), "{error}");
    assert_eq!(conversation.len().await.unwrap(), 2);
}
