//! A memory with work in hand, behind gates.

use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    FinalReason, ManualClock, MemoryStore, MemoryStoreExt, Message, Tally, TallyState, Timestamp,
};
use memory_instance::{Conversation, CountPolicy, Memory, MemoryError};
use memory_testkit::gate::{Answer, Gate, GatedCounter, GatedStore, Place};
use memory_testkit::model::ModelStore;
use memory_testkit::sample;

use super::operation::{Ended, Operation};
use crate::still::StandStill;
use crate::support::{PATIENCE, Words, assert_sums, builder, conversation, exact};

/// Places in the queue; fewer than there are messages to count.
const PLACES: usize = 4;

/// What a process left behind that is gone.
const LEFT: [&str; 2] = ["left behind", "and this too"];

/// What is in the queue when the operation begins.
const QUEUED: [&str; 2] = ["in the queue", "behind it"];

const AFTER: &str = "a fresh call";

/// Where the gate stands that does not answer as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Store(Place),
    Counter(Place),
}

pub(super) struct Scene {
    pub(super) memory: Memory,
    pub(super) conversation: Conversation,
    store: Arc<ModelStore>,
    clock: Arc<ManualClock>,
    gate: Gate,
    case: String,
    _still: StandStill,
}

impl Scene {
    /// A memory whose conversation has messages that nobody works on and others in the queue.
    pub(super) async fn new(policy: CountPolicy, at: At, case: &str) -> Self {
        let still = StandStill::new();
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let store = Arc::new(ModelStore::new(clock.clone()));
        let (store_gate, counter_gate) = match at {
            At::Store(place) => (Gate::new(place), Gate::new(Place::Before)),
            At::Counter(place) => (Gate::new(Place::Before), Gate::new(place)),
        };
        let memory = memory(policy, &store, &store_gate, &counter_gate).await;
        assert!(memory.counting().warmed().await);
        let conversation = conversation(&memory, "c");
        let left = LEFT.map(|text| sample::user(text, Tally::estimated(1)));
        let left = sample::batch(&memory.tally_id(), left);
        store.append(conversation.key(), left).await.unwrap();
        queue(policy, &conversation, &counter_gate).await;
        // The leases of the sweeps that have begun by now are over.
        clock.advance(Duration::from_mins(1));
        let gate = match at {
            At::Store(_) => {
                counter_gate.set(Answer::Ready);
                store_gate
            }
            At::Counter(_) => counter_gate,
        };
        let case = case.to_owned();
        Self { memory, conversation, store, clock, gate, case, _still: still }
    }

    pub(super) fn set(&self, answer: Answer) {
        self.gate.set(answer);
    }

    /// Lets others get on: what is slow is let through, and where nothing will ever answer, time
    /// passes.
    pub(super) async fn pass(&self) {
        tokio::task::yield_now().await;
        std::thread::yield_now();
        if self.gate.waiting() > 0 {
            self.gate.release();
            // What waits for the gate to answer is let go by deadlines only.
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    }

    /// Checks that nothing is lost, doubled, stuck or leaked.
    pub(super) async fn check(&self, operation: Operation, ended: Ended, at: At, answer: Answer) {
        let is_shut_down = operation == Operation::Shutdown && self.memory.sweep().await.is_err();
        if is_shut_down {
            // The rest of the shutdown; another memory then takes the first one's place.
            self.memory.shutdown(PATIENCE).await;
            let late = self.conversation.append(Message::user("late")).await;
            assert!(matches!(late, Err(MemoryError::ShutDown)), "{}", self.case);
            // This would wait for ever if a job had no answer.
            self.memory.counting().wait_idle().await;
            let open = Gate::new(Place::Before);
            let memory = memory(CountPolicy::Background, &self.store, &open, &open).await;
            self.check_with(&memory, operation, ended, at, answer).await;
        } else {
            self.check_with(&self.memory, operation, ended, at, answer).await;
        }
    }

    async fn check_with(
        &self,
        memory: &Memory,
        operation: Operation,
        ended: Ended,
        at: At,
        answer: Answer,
    ) {
        let case = &self.case;
        let conversation = conversation(memory, "c");
        conversation
            .append(Message::user(AFTER))
            .await
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        self.check_messages(operation, ended).await;

        assert!(memory.settled(PATIENCE).await, "{case}");
        memory.counting().wait_idle().await;
        let places: Result<Vec<_>, _> = (0..PLACES).map(|_| memory.counting().reserve()).collect();
        assert_eq!(places.map(|places| places.len()).ok(), Some(PLACES), "{case}: a place is gone");

        // Every lease and every grace is over.
        self.clock.advance(Duration::from_mins(1));
        while memory.sweep().await.unwrap().settled > 0 {}
        let page = conversation.page(None, 100).await.unwrap();
        let may_fail = matches!(at, At::Counter(_)) && answer == Answer::Error;
        for entry in &page.entries {
            let tally = entry.tally.unwrap();
            let failed = tally.state == TallyState::Final(FinalReason::Failed);
            assert!(
                tally == exact(&entry.message) || may_fail && failed,
                "{case}: {tally:?} of seq {}",
                entry.seq
            );
        }
        assert_eq!(page.totals.pending, 0, "{case}");
        assert_sums(&conversation).await;
    }

    /// Everything that was acknowledged is there once and in order; what the operation wrote is
    /// there wholly or not at all, and as it said.
    async fn check_messages(&self, operation: Operation, ended: Ended) {
        let (_, stored) =
            self.store.read_all(self.conversation.key(), &self.memory.tally_id()).await.unwrap();
        let texts: Vec<_> = stored
            .into_iter()
            .map(|stored| Message::from_payload(stored.payload).unwrap().as_json().to_owned())
            .collect();
        let expected = |middle: &[&str]| -> Vec<_> {
            let all = LEFT.iter().chain(&QUEUED).chain(middle).chain([&AFTER]);
            all.map(|text| Message::user(*text).as_json().to_owned()).collect()
        };
        let (with, without) = (expected(operation.texts()), expected(&[]));
        let case = &self.case;
        match ended {
            Ended::Done => assert_eq!(texts, with, "{case}"),
            Ended::Failed => assert_eq!(texts, without, "{case}"),
            Ended::Dropped | Ended::Unknown => {
                assert!(texts == with || texts == without, "{case}: {texts:?}");
            }
        }
    }
}

async fn memory(
    policy: CountPolicy,
    store: &Arc<ModelStore>,
    store_gate: &Gate,
    counter_gate: &Gate,
) -> Memory {
    let counter = Arc::new(Words::new("words").opened());
    builder(
        GatedStore::new(Arc::clone(store) as Arc<dyn MemoryStore>, store_gate.clone()),
        GatedCounter::new(counter, counter_gate.clone()),
    )
    .count_policy(policy)
    .queue_capacity(PLACES)
    .workers(1)
    .build()
    .await
    .unwrap()
}

/// Appends messages whose counts are held up, but for those that an append waits for.
async fn queue(policy: CountPolicy, conversation: &Conversation, counter_gate: &Gate) {
    let held = policy != CountPolicy::Inline;
    if held {
        counter_gate.set(Answer::Never);
    }
    for text in QUEUED {
        conversation.append(Message::user(text)).await.unwrap();
    }
    if held {
        counter_gate.arrived(1).await;
    }
}
