//! The model's store with one fault.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use memory_core::{
    Clock, ConversationId, ConversationKey, CounterId, Limits, ManualClock, MemoryStore, MessageId,
    Namespace, Seq,
};
use memory_testkit::history::Reopen;
use memory_testkit::model::ModelStore;
use memory_testkit::store::Subject;

use crate::fault::Fault;

/// The model's store with one fault.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) fault: Fault,
    pub(crate) model: ModelStore,
    /// Settlements that applied.
    pub(crate) settled: AtomicU64,
    pub(crate) newest: Mutex<Option<ConversationKey>>,
    /// Conversations that ever had pendings.
    pub(crate) waiting: Mutex<BTreeSet<ConversationKey>>,
    /// What trims cut too much of.
    pub(crate) hidden: Mutex<BTreeMap<ConversationKey, Seq>>,
    pub(crate) ids: Mutex<BTreeMap<(ConversationKey, Seq), MessageId>>,
    pub(crate) dropped: Mutex<BTreeSet<(ConversationKey, MessageId)>>,
    /// The first recount of each namespace.
    pub(crate) recounts: Mutex<BTreeMap<Namespace, CounterId>>,
    /// Conversations whose fallbacks were ever claimed.
    pub(crate) leased: Mutex<BTreeSet<ConversationKey>>,
}

impl Broken {
    pub(crate) fn new(fault: Fault, clock: Arc<dyn Clock>) -> Self {
        let model = ModelStore::new(clock);
        let model = if fault == Fault::IgnoresLimits {
            let none = usize::MAX;
            let limits = Limits { batch_messages: none, message_bytes: none, ..Limits::default() };
            model.with_limits(limits)
        } else {
            model
        };
        Self::around(fault, model)
    }

    fn around(fault: Fault, model: ModelStore) -> Self {
        Self {
            fault,
            model,
            settled: AtomicU64::new(0),
            newest: Mutex::default(),
            waiting: Mutex::default(),
            hidden: Mutex::default(),
            ids: Mutex::default(),
            dropped: Mutex::default(),
            recounts: Mutex::default(),
            leased: Mutex::default(),
        }
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    pub(crate) fn drift(&self) -> u64 {
        if self.has(Fault::DriftsBySettling) { self.settled.load(Ordering::Relaxed) } else { 0 }
    }

    /// The conversation that a fault takes this one for.
    pub(crate) fn place(&self, key: &ConversationKey) -> ConversationKey {
        let mut key = key.clone();
        match self.fault {
            Fault::LeaksNamespaces => key.namespace = self.namespace(&key.namespace),
            Fault::CutsIds => {
                let cut = key.id.as_str().split('\0').next().unwrap();
                key.id = ConversationId::new(cut).unwrap_or(key.id);
            }
            _ => {}
        }
        key
    }

    pub(crate) fn namespace(&self, namespace: &Namespace) -> Namespace {
        if self.has(Fault::LeaksNamespaces) { Namespace::default() } else { namespace.clone() }
    }
}

/// Lets other tasks run.
pub(crate) async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A broken store that can crash.
pub(crate) struct Crashing(pub(crate) Arc<Broken>, pub(crate) Arc<ManualClock>);

#[async_trait]
impl Reopen for Crashing {
    fn subject(&self) -> Subject {
        Subject::new(self.0.clone()).clock(self.1.clone())
    }

    async fn reopen(&mut self) {
        let reopened = Broken::around(self.0.fault, self.0.model.reopened());
        let newest = self.0.newest.lock().unwrap().clone();
        if let (Fault::LosesTheNewestAtACrash, Some(key)) = (self.0.fault, newest) {
            reopened.model.drop_newest(&key, 1).await.unwrap();
        }
        self.0 = Arc::new(reopened);
    }
}
