//! The task that sweeps: at the start, regularly, and where it is asked to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use memory_core::ConversationKey;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::sweep::{Scope, sweep};
use crate::error::MemoryError;
use crate::shared::Shared;

/// Most conversations that wait to be swept because they were touched.
pub(crate) const NUDGES: usize = 64;
/// How long a conversation that was swept is not swept again for being touched.
const PAUSE: Duration = Duration::from_secs(1);

/// Sweeps until the memory is gone.
pub(crate) async fn sweep_regularly(
    shared: Arc<Shared>,
    mut nudges: mpsc::Receiver<ConversationKey>,
) {
    let mut ticks = interval(shared.options.sweep_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut recent = Recent::default();
    loop {
        let (scope, keyed_hash) = tokio::select! {
            _ = ticks.tick() => (Scope::All, 0),
            Some(key) = nudges.recv() => {
                let keyed_hash = shared.keyed_hash(&key);
                if !recent.is_due(&key) {
                    continue;
                }
                (Scope::One(key), keyed_hash)
            }
        };
        let _alone = shared.sweeping.lock().await;
        match sweep(&shared, scope).await {
            Ok(_) => {}
            Err(MemoryError::ShutDown) => return,
            Err(error) => shared.log_failure("sweep", keyed_hash, &error),
        }
    }
}

/// When touched conversations were last swept.
#[derive(Debug, Default)]
struct Recent(HashMap<ConversationKey, Instant>);

impl Recent {
    fn is_due(&mut self, key: &ConversationKey) -> bool {
        let now = Instant::now();
        if self.0.len() > NUDGES {
            self.0.retain(|_, swept| now.duration_since(*swept) < PAUSE);
        }
        if self.0.get(key).is_some_and(|swept| now.duration_since(*swept) < PAUSE) {
            return false;
        }
        self.0.insert(key.clone(), now);
        true
    }
}
