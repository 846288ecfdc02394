//! The tasks that sweep: at the start, regularly, and where they are asked to.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use memory_core::ConversationKey;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::fallbacks::{Missed, recount};
use super::sweep::{Scope, SweepReport, sweep_some};
use crate::error::MemoryError;
use crate::shared::Shared;

/// Most conversations that wait to be swept because they were touched.
pub(crate) const NUDGES: usize = 64;
/// How long a conversation that was swept is not swept again for being touched.
const PAUSE: Duration = Duration::from_secs(1);
/// Most intervals that are left out between two attempts to count anew what fallbacks have counted.
const LONGEST_WAIT: u32 = 11;

/// Sweeps until the memory is gone.
///
/// What is pending everywhere is worked off a piece at a time, so that conversations that are
/// touched do not wait for all the others while a whole namespace is counted anew.
pub(crate) async fn sweep_regularly(
    shared: Arc<Shared>,
    mut nudges: mpsc::Receiver<ConversationKey>,
) {
    let mut ticks = regularly(&shared);
    let mut recent = Recent::default();
    let mut more = false;
    loop {
        let scope = tokio::select! {
            _ = ticks.tick() => Scope::All,
            () = shared.sweep_now.notified() => Scope::All,
            () = ready(()), if more => Scope::All,
            Some(key) = nudges.recv() => {
                if !recent.is_due(&key) {
                    continue;
                }
                Scope::One(key)
            }
        };
        let _alone = shared.sweeping.lock().await;
        let swept = sweep_some(&shared, &scope, &mut SweepReport::default()).await;
        let (keyed_hash, all) = match &scope {
            Scope::All => (0, true),
            Scope::One(key) => (shared.keyed_hash(key), false),
        };
        if all {
            more = matches!(swept, Ok(true));
        }
        match swept {
            Ok(_) => {}
            Err(MemoryError::ShutDown) => return,
            Err(error) => shared.log_failure("sweep", keyed_hash, &error),
        }
    }
}

/// Counts anew what fallbacks have counted, until the memory is gone.
///
/// It has a task of its own: a service that is slow to fail must not hold up what is pending.
pub(crate) async fn recount_regularly(shared: Arc<Shared>) {
    let mut ticks = regularly(&shared);
    let (mut waits, mut missed) = (Waits::default(), Missed::default());
    loop {
        ticks.tick().await;
        if !waits.is_due(shared.generation().is_answering()) {
            continue;
        }
        let _alone = shared.recounting.lock().await;
        match recount(&shared, &Scope::All, &mut missed).await {
            Ok(report) => waits.note(report),
            Err(MemoryError::ShutDown) => return,
            Err(error) => shared.log_failure("recount", 0, &error),
        }
    }
}

fn regularly(shared: &Shared) -> Interval {
    let mut ticks = interval(shared.options.sweep_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// How many intervals pass between attempts that are in vain: 1, 2, 4, and so on.
#[derive(Debug, Default)]
struct Waits {
    left: u32,
    last: u32,
    was_silent: bool,
}

impl Waits {
    fn is_due(&mut self, is_answering: bool) -> bool {
        if !is_answering {
            self.was_silent = true;
            return false;
        }
        // A counter that knows of itself that it answers again is not kept waiting.
        if std::mem::take(&mut self.was_silent) {
            *self = Self::default();
        }
        let is_due = self.left == 0;
        self.left = self.left.saturating_sub(1);
        is_due
    }

    fn note(&mut self, report: SweepReport) {
        let in_vain = report.left > 0 && report.settled == 0;
        self.last = if in_vain { (self.last * 2).clamp(1, LONGEST_WAIT) } else { 0 };
        self.left = self.last;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_in_vain_become_rare_until_the_counter_answers() {
        let vain = SweepReport { left: 3, ..SweepReport::default() };
        let mut waits = Waits::default();
        let mut attempts = Vec::new();
        for tick in 0..40 {
            if waits.is_due(true) {
                attempts.push(tick);
                waits.note(vain);
            }
        }
        assert_eq!(attempts, [0, 2, 5, 10, 19, 31]);
        assert!(!waits.is_due(false));
        assert!(waits.is_due(true), "the counter has said that it answers again");
        waits.note(SweepReport { settled: 1, ..vain });
        assert!(waits.is_due(true), "what makes progress goes on");
        waits.note(SweepReport::default());
        assert!(waits.is_due(true), "where nothing waits, a look costs nothing");
    }
}
