//! Building, exporting, clearing, and coming to an end.

use std::sync::Arc;
use std::time::Duration;

use memory_core::Message;
use memory_instance::{Memory, MemoryError};
use memory_testkit::model::ModelStore;

use crate::support::{PATIENCE, Words, assert_exact, builder, conversation, memory, shared};

#[tokio::test]
async fn what_a_memory_lacks_is_named() {
    let check = async |builder: memory_instance::MemoryBuilder, named: &str| {
        let error = builder.build().await.unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    };
    check(Memory::builder().counter(Words::new("words")), "store").await;
    check(Memory::builder().store(ModelStore::default()), "counter").await;
    let builder = || builder(ModelStore::default(), Words::new("words"));
    check(builder().sweep_interval(Duration::ZERO), "sweep.interval").await;
    check(builder().deadline(Duration::MAX), "memory.deadline").await;
}

#[test]
fn a_memory_outside_a_runtime_is_a_typed_error() {
    let building = builder(ModelStore::default(), Words::new("words")).build();
    let error = futures_util::FutureExt::now_or_never(building).unwrap().unwrap_err();
    assert!(matches!(error, MemoryError::NoRuntime), "{error}");
}

#[tokio::test]
async fn an_export_reads_everything_in_order() {
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    let messages: Vec<_> = (0..600).map(|n| Message::user(n.to_string())).collect();
    conversation.append_many(messages.clone()).await.unwrap();
    let mut export = conversation.export();
    let mut read = Vec::new();
    while let Some(entry) = export.next().await {
        read.push(entry.unwrap().message);
    }
    assert_eq!(read, messages);
    assert!(export.next().await.is_none());
}

#[tokio::test]
async fn dropping_and_clearing_leave_true_sums() {
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    conversation.append_many((0..5).map(|n| Message::user("w ".repeat(n)))).await.unwrap();
    let dropped = conversation.drop_newest(2).await.unwrap();
    assert_eq!((dropped.removed, dropped.next_seq.get()), (2, 4));
    assert!(memory.settled(PATIENCE).await);
    assert_exact(&conversation).await;
    assert_eq!(conversation.clear().await.unwrap().removed, 3);
    assert!(conversation.is_empty().await.unwrap());
    assert_eq!(conversation.totals().await.unwrap(), memory_core::Totals::EMPTY);
}

#[tokio::test]
async fn a_shutdown_settles_what_is_queued_and_refuses_what_comes() {
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    conversation.append_many((0..50).map(|n| Message::user("w ".repeat(n)))).await.unwrap();
    let report = memory.shutdown(PATIENCE).await;
    assert_eq!(report.left_pending, 0);
    assert!(report.settled <= 50);
    assert_exact(&conversation).await;
    let error = conversation.append(Message::user("late")).await.unwrap_err();
    assert!(matches!(error, MemoryError::ShutDown), "{error}");
    assert!(matches!(memory.sweep().await, Err(MemoryError::ShutDown)));
    assert_eq!(memory.shutdown(PATIENCE).await, memory_instance::ShutdownReport::default());
}

#[tokio::test]
async fn a_shutdown_says_what_it_had_to_leave() {
    let store = Arc::new(ModelStore::default());
    let counter = shared(Words::new("words"));
    let memory =
        builder(Arc::clone(&store), Arc::clone(&counter)).workers(1).build().await.unwrap();
    memory.counting().warmed().await;
    for _ in 0..3 {
        conversation(&memory, "c").append(Message::user("wait! for it")).await.unwrap();
    }
    let report = memory.shutdown(Duration::from_millis(50)).await;
    assert_eq!((report.settled, report.left_pending), (0, 3));
    counter.open();

    let next = builder(store, Words::new("words").opened()).build().await.unwrap();
    let totals = conversation(&next, "c").settle(PATIENCE).await.unwrap();
    assert_eq!(totals.pending, 0);
    assert_exact(&conversation(&next, "c")).await;
}

#[tokio::test]
async fn a_memory_that_is_dropped_lets_go_of_its_threads_and_tasks() {
    let store = Arc::new(ModelStore::default());
    let counter = shared(Words::new("words"));
    let memory = builder(Arc::clone(&store), Arc::clone(&counter)).build().await.unwrap();
    conversation(&memory, "c").append(Message::user("one two")).await.unwrap();
    drop(memory);
    let released = async {
        while Arc::strong_count(&counter) > 1 || Arc::strong_count(&store) > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, released).await.expect("threads and tasks end by themselves");
}
