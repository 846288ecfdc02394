//! The store, the memories on it, and the time.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{ManualClock, Timestamp};
use memory_instance::{Conversation, CountPolicy, Memory, MemoryError};
use store_embedded::EmbeddedStore;

use super::model::Life;
use super::step::Step;
use crate::pages::Pages;
use crate::still::StandStill;
use crate::support::{Words, builder, conversation};

/// Fewer than there are messages to count.
const PLACES: usize = 3;

/// So many looks at what is awaited before a counter that hangs lets time pass.
const LOOKS: u32 = 300;

/// Sweeps after which nothing is pending where no counter hangs.
const ROUNDS: u32 = 20;

/// Longer than the time of any history.
const LONG: Duration = Duration::from_hours(24);

/// What a patient shutdown or settle waits.
const PATIENT: Duration = Duration::from_secs(30);

pub(super) struct World {
    pub(super) lives: [Life; 3],
    pub(super) serial: u64,
    /// Messages that were drawn and cannot be counted.
    pub(super) uncountable: u64,
    memories: [(Memory, Arc<Words>); 2],
    store: Arc<EmbeddedStore>,
    pages: Pages,
    clock: Arc<ManualClock>,
    hangs: bool,
    _still: StandStill,
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let pages = Pages::default();
        let store = open(&pages, &clock).await;
        let memories = [memory(&store, 0, false).await, memory(&store, 1, false).await];
        let (still, lives) = (StandStill::new(), Default::default());
        Self {
            lives,
            serial: 0,
            uncountable: 0,
            memories,
            store,
            pages,
            clock,
            hangs: false,
            _still: still,
        }
    }

    pub(super) async fn take(&mut self, step: &Step) {
        match step {
            Step::Append(writers) => self.append(writers).await,
            Step::Window { memory, conversation, budget } => {
                self.window(*memory, *conversation, (*budget).into()).await;
            }
            Step::Sweep { memory } => {
                self.until(self.memory(*memory).sweep()).await.unwrap();
            }
            Step::Settle { memory, conversation } => {
                let conversation = self.conversation(*memory, *conversation);
                let totals = self.until(conversation.settle(PATIENT)).await.unwrap();
                assert!(self.hangs || totals.pending == 0, "{totals:?}");
            }
            Step::SettleAll { memory } => self.settle_all(*memory).await,
            Step::DropNewest { conversation, count } => {
                let place = usize::from(*conversation);
                let dropping = self.conversation(0, *conversation);
                let dropped = self.until(dropping.drop_newest((*count).into())).await.unwrap();
                let life = &mut self.lives[place];
                assert_eq!(dropped.removed, life.drop_newest((*count).into()));
                assert_eq!(dropped.next_seq.get(), life.messages.len() as u64 + 1);
            }
            Step::Clear { conversation } => {
                let place = usize::from(*conversation);
                let clearing = self.conversation(1, *conversation);
                let cleared = self.until(clearing.clear()).await.unwrap();
                let gone = std::mem::take(&mut self.lives[place]);
                assert_eq!(cleared.removed, gone.messages.len() as u64);
            }
            Step::Hang => self.hang(true),
            Step::GoOn => self.hang(false),
            Step::Advance { seconds } => self.clock.advance(Duration::from_secs((*seconds).into())),
            Step::Shutdown { memory, patient } => self.shut_down(*memory, *patient).await,
            Step::Abandon { memory } => self.replace(*memory).await,
            Step::Restart => {
                self.pages = self.pages.after_a_kill();
                self.store = open(&self.pages, &self.clock).await;
                self.replace(0).await;
                self.replace(1).await;
            }
        }
    }

    /// Lets everything be counted and settled, and checks that it is.
    pub(super) async fn settle_all(&mut self, memory: u8) {
        self.hang(false);
        for memory in [0, 1] {
            assert!(self.until(self.memory(memory).settled(LONG)).await);
        }
        // A sweep in the background may have claimed something a moment ago, so one round need not
        // be enough.
        for _ in 0..ROUNDS {
            // Every lease and every grace is over.
            self.clock.advance(Duration::from_mins(1));
            self.until(self.memory(memory).sweep()).await.unwrap();
            if self.pending().await == 0 {
                break;
            }
        }
        self.check_settled().await;
    }

    async fn shut_down(&mut self, memory: u8, patient: bool) {
        let deadline = if patient { PATIENT } else { Duration::ZERO };
        let ended = self.memory(memory).clone();
        let report = self.until(ended.shutdown(deadline)).await;
        if patient && !self.hangs {
            // There was time enough; but what fails is not tried again while the pool ends.
            assert!(report.left_pending <= self.uncountable, "{report:?}");
        }
        // This would wait for ever if a job had no answer.
        self.until(ended.counting().wait_idle()).await;
        let late = conversation(&ended, "late").append(memory_core::Message::user("late")).await;
        assert!(matches!(late, Err(MemoryError::ShutDown)), "{late:?}");
        let again = self.until(ended.shutdown(Duration::ZERO)).await;
        assert_eq!(again.settled, 0, "{again:?}");
        self.replace(memory).await;
    }

    async fn replace(&mut self, memory: u8) {
        let place = memory % 2;
        let new = self::memory(&self.store, place, self.hangs).await;
        let (_, words) = std::mem::replace(&mut self.memories[usize::from(place)], new);
        // Threads that hung there end.
        words.open();
    }

    fn hang(&mut self, hangs: bool) {
        self.hangs = hangs;
        for (_, words) in &self.memories {
            if hangs { words.close() } else { words.open() }
        }
    }

    pub(super) fn hangs(&self) -> bool {
        self.hangs
    }

    pub(super) fn memory(&self, memory: u8) -> &Memory {
        &self.memories[usize::from(memory % 2)].0
    }

    pub(super) fn conversation(&self, memory: u8, place: u8) -> Conversation {
        conversation(self.memory(memory), ["one", "two", "three"][usize::from(place)])
    }

    /// Waits for a future. Where the counter hangs, time passes, and with it deadlines.
    pub(super) async fn until<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut looks = 0;
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                () = tokio::task::yield_now() => {}
            }
            std::thread::yield_now();
            looks += 1;
            if looks > LOOKS && self.memories.iter().any(|(_, words)| words.waiting() > 0) {
                looks = 0;
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // No thread is left hanging.
        self.hang(false);
    }
}

async fn open(pages: &Pages, clock: &Arc<ManualClock>) -> Arc<EmbeddedStore> {
    let builder = EmbeddedStore::builder().backend(pages.clone()).clock(clock.clone());
    Arc::new(builder.open_async().await.unwrap())
}

/// Whether this memory counts before it writes.
pub(super) fn counts_first(memory: u8) -> bool {
    policy(memory % 2) == CountPolicy::Inline
}

fn policy(place: u8) -> CountPolicy {
    if place == 0 { CountPolicy::Background } else { CountPolicy::Inline }
}

async fn memory(store: &Arc<EmbeddedStore>, place: u8, hangs: bool) -> (Memory, Arc<Words>) {
    let words = Arc::new(Words::new("words"));
    if !hangs {
        words.open();
    }
    let builder = builder(Arc::clone(store), Arc::clone(&words)).deadline(LONG);
    let builder = builder.count_policy(policy(place)).queue_capacity(PLACES).workers(2);
    (builder.build().await.unwrap(), words)
}
