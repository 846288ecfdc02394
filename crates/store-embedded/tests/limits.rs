//! Limits: refused before anything is written.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use memory_core::{
    ConversationId, ConversationKey, CounterId, LimitKind, Limits, MemoryStore, Namespace, Settle,
    Settlement, StoreError, Tally,
};
use memory_testkit::sample;
use store_embedded::EmbeddedStore;

fn counter(number: u8) -> CounterId {
    CounterId::new(format!("counter {number}")).unwrap()
}

fn check(error: &StoreError) {
    let StoreError::Limit(limit) = error else { panic!("{error:?}") };
    assert_eq!((limit.kind, limit.allowed, limit.found), (LimitKind::Counters, 8, 9));
}

#[tokio::test]
async fn a_conversation_has_at_most_eight_counters() {
    let store = EmbeddedStore::builder().in_memory().open_async().await.unwrap();
    let id = ConversationId::new("a").unwrap();
    let key = ConversationKey::new(Namespace::default(), id);
    let batch = |number| sample::batch(&counter(number), [sample::user("x", Tally::exact(1))]);
    let first = store.append(&key, batch(0)).await.unwrap();
    for number in 1..8 {
        store.set_counter(&key, &counter(number)).await.unwrap();
    }
    let before = store.totals(&key).await.unwrap();
    assert_eq!(before.counters.len(), 8);
    check(&store.append(&key, batch(8)).await.unwrap_err());
    check(&store.set_counter(&key, &counter(8)).await.unwrap_err());
    let message = first.messages[0];
    let settlement = Settlement {
        seq: message.seq,
        fingerprint: message.fingerprint.unwrap(),
        expected: None,
        tally: Tally::exact(2),
    };
    let (epoch, settlements) = (first.epoch, vec![settlement]);
    let settle = Settle { counter: counter(8), epoch, settlements };
    check(&store.settle(&key, settle).await.unwrap_err());
    assert_eq!(store.totals(&key).await.unwrap(), before);
    // A known counter is none more.
    assert_eq!(store.append(&key, batch(3)).await.unwrap().messages[0].seq.get(), 2);
}

#[tokio::test]
async fn a_smaller_limit_of_ids_holds_for_conversations_and_namespaces() {
    let limits = Limits { id_bytes: 8, ..Limits::default() };
    let store = EmbeddedStore::builder().in_memory().limits(limits).open_async().await.unwrap();
    let append = async |namespace: &str, id: &str| {
        let namespace = Namespace::new(namespace).unwrap();
        let key = ConversationKey::new(namespace, ConversationId::new(id).unwrap());
        let batch = sample::batch(&counter(0), [sample::user("x", Tally::exact(1))]);
        store.append(&key, batch).await.map(|appended| appended.totals.messages)
    };
    let refused = |result: Result<u64, StoreError>| {
        let Err(StoreError::Limit(limit)) = result else { panic!("{result:?}") };
        assert_eq!((limit.kind, limit.allowed, limit.found), (LimitKind::IdBytes, 8, 9));
    };
    assert_eq!(append("12345678", "12345678").await.unwrap(), 1);
    refused(append("12345678", "123456789").await);
    refused(append("123456789", "12345678").await);
}
