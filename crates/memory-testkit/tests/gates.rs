//! Gates let through, refuse and hold, before and behind what they stand around.

#![expect(clippy::unwrap_used, reason = "a test may end where its own set-up fails")]

use std::sync::Arc;
use std::thread;

use memory_core::{
    ConversationId, ConversationKey, CountError, CounterId, MemoryStore, Namespace, StoreError,
    Tally, TokenCounter,
};
use memory_testkit::gate::{Answer, Gate, GatedCounter, GatedStore, Place};
use memory_testkit::model::ModelStore;
use memory_testkit::{sample, store};

fn key() -> ConversationKey {
    ConversationKey::new(Namespace::default(), ConversationId::new("c").unwrap())
}

async fn append(store: &dyn MemoryStore) -> Result<(), StoreError> {
    let message = sample::user("text", Tally::exact(1));
    store.append(&key(), sample::batch(&sample::counter("words"), [message])).await.map(drop)
}

/// What became of one append: written, and told.
async fn outcome(place: Place, answer: Answer, ends: impl FnOnce(&Gate)) -> (u64, Option<bool>) {
    let (model, gate) = (Arc::new(ModelStore::default()), Gate::new(place));
    let store = Arc::new(GatedStore::new(model.clone(), gate.clone()));
    gate.set(answer);
    let call = tokio::spawn(async move { append(&store).await });
    if matches!(answer, Answer::Slow | Answer::Never) {
        gate.arrived(1).await;
        assert!(!call.is_finished());
        ends(&gate);
    }
    if gate.waiting() > 0 && answer == Answer::Never {
        call.abort();
    }
    let told = call.await.ok().map(|told| told.is_ok());
    assert_eq!(gate.waiting(), 0);
    assert_eq!(gate.given_up(), u64::from(told.is_none()));
    (model.totals(&key()).await.unwrap().messages, told)
}

#[tokio::test]
async fn each_answer_stands_before_or_behind_the_operation() {
    let none = |_: &Gate| ();
    for (place, lost) in [(Place::Before, 0), (Place::After, 1)] {
        assert_eq!(outcome(place, Answer::Ready, none).await, (1, Some(true)), "{place:?}");
        assert_eq!(outcome(place, Answer::Error, none).await, (lost, Some(false)), "{place:?}");
        assert_eq!(outcome(place, Answer::Slow, Gate::release).await, (1, Some(true)));
        assert_eq!(outcome(place, Answer::Never, Gate::release).await, (lost, None), "{place:?}");
    }
}

#[tokio::test]
async fn what_is_refused_is_told_by_where_it_was_refused() {
    for (place, unknown) in [(Place::Before, false), (Place::After, true)] {
        let gate = Gate::new(place);
        let store = GatedStore::new(Arc::new(ModelStore::default()), gate.clone());
        gate.set(Answer::Error);
        let error = append(&store).await.unwrap_err();
        assert_eq!((error.is_outcome_unknown(), error.is_retryable()), (unknown, !unknown));
        gate.only(["settle"]);
        append(&store).await.unwrap();
    }
}

#[tokio::test]
async fn an_open_gate_changes_nothing() {
    store::all(async || {
        let gate = Gate::new(Place::After);
        Arc::new(GatedStore::new(Arc::new(ModelStore::default()), gate))
    })
    .await
    .unwrap();
}

#[derive(Debug)]
struct Bytes(CounterId);

impl TokenCounter for Bytes {
    fn id(&self) -> &CounterId {
        &self.0
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(text.len())
    }
}

#[test]
fn a_gated_counter_holds_its_thread() {
    for place in [Place::Before, Place::After] {
        let gate = Gate::new(place);
        let bytes = Arc::new(Bytes(CounterId::new("bytes").unwrap()));
        let counter = GatedCounter::new(bytes, gate.clone());
        gate.set(Answer::Slow);
        thread::scope(|scope| {
            let counting = scope.spawn(|| counter.count("four"));
            gate.arrived_blocking(1);
            assert!(!counting.is_finished());
            gate.release();
            assert_eq!(counting.join().unwrap().unwrap(), 4);
        });
        gate.set(Answer::Error);
        assert!(matches!(counter.count("four"), Err(CountError::Failed { .. })));
        assert_eq!(gate.passed(), 1);
    }
}
