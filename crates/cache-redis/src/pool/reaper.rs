//! What keeps idle connections within their bounds, in the background.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::advice::{self, Advice, Window};
use super::shared::Shared;
use crate::PoolSnapshot;
use crate::metrics::Reaped;

/// How often bounds are looked after and levels published. A connection outlives its bound by no
/// more than that.
const PERIOD: Duration = Duration::from_secs(1);

/// How often the figures are kept for advice.
const KEEP_EVERY: Duration = Duration::from_secs(10);

/// How many are kept: five minutes.
const KEPT: usize = 30;

/// Figures of the last minutes, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Past(Mutex<VecDeque<Figures>>);

#[derive(Debug)]
struct Figures {
    when: Instant,
    snapshot: PoolSnapshot,
    /// The most sockets that were active since the figures before.
    peak: usize,
}

impl Shared {
    /// Advice on what has happened within the last minutes.
    pub(crate) fn advice(&self) -> Vec<Advice> {
        let now = self.snapshot();
        let past = self.past.0.lock().unwrap_or_else(PoisonError::into_inner);
        let peak = past.iter().map(|figures| figures.peak).max().unwrap_or(0);
        let nothing = PoolSnapshot::default();
        // Before the list is full it begins with the pool.
        let begin = past.front().filter(|_| past.len() == KEPT);
        let window = Window {
            before: begin.map_or(&nothing, |figures| &figures.snapshot),
            time: begin.map_or(self.born, |figures| figures.when).elapsed(),
            peak: peak.max(self.active.peak()).max(now.status.active),
            per_lane: self.sockets_per_lane(),
            now: &now,
        };
        advice::give(&self.bounds, &window, self.leaks())
    }
}

/// Starts looking after a pool, for as long as anything keeps it: a handle, a lane or an exclusive
/// connection.
pub(crate) fn start(shared: &Arc<Shared>) {
    tokio::spawn(look_after(Arc::downgrade(shared)));
}

async fn look_after(pool: Weak<Shared>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut peak = 0;
    let mut kept: Option<Instant> = None;
    loop {
        ticks.tick().await;
        let Some(shared) = pool.upgrade() else { return };
        if shared.is_closed() {
            shared.meters.publish(&shared.snapshot());
            return;
        }
        shared.reap();
        shared.reopen_lanes();
        // A server that does not answer must not keep the rest from being looked after.
        let _ = timeout(shared.bounds.connect_timeout, shared.top_up()).await;
        let snapshot = shared.snapshot();
        shared.meters.publish(&snapshot);
        // In a cluster this is all that is known.
        peak = peak.max(snapshot.status.active);
        let when = Instant::now();
        if kept.is_none_or(|kept| when >= kept + KEEP_EVERY) {
            kept = Some(when);
            let mut past = shared.past.0.lock().unwrap_or_else(PoisonError::into_inner);
            let peak = std::mem::take(&mut peak).max(shared.active.take_peak());
            past.push_back(Figures { when, snapshot, peak });
            while past.len() > KEPT {
                past.pop_front();
            }
        }
    }
}

impl Shared {
    /// Closes connections that are too old, idle for too long, or too many.
    pub(crate) fn reap(&self) {
        if let Some(cluster) = self.cluster() {
            return cluster.reap(self);
        }
        let bounds = &self.bounds;
        if let Some(age) = bounds.max_lifetime {
            let aged = self.exclusives.retain(|link, _| link.born.elapsed() < age).removed.len();
            self.meters.reaped(Reaped::MaxLifetime, aged + self.board.close_aged(age));
        }
        let ended = self.exclusives.retain(|link, _| self.is_usable(link)).removed.len();
        self.meters.reaped(Reaped::Stale, ended);
        // The oldest idle ones go first, and so many stay as are always kept.
        let mut spare = self.idle_sockets().saturating_sub(bounds.min_idle);
        let expired = self.exclusives.retain(|link, _| {
            let keeps = spare == 0 || link.idle_since.elapsed() < bounds.idle_timeout;
            spare -= usize::from(!keeps);
            keeps
        });
        let lanes = self.board.close_idle_for(bounds.idle_timeout, spare);
        self.meters.reaped(Reaped::IdleTimeout, expired.removed.len() + lanes);
        let mut excess = self.idle_sockets().saturating_sub(bounds.max_idle);
        let over = self.exclusives.retain(|_, _| {
            let keeps = excess == 0;
            excess -= usize::from(!keeps);
            keeps
        });
        let lanes = self.board.close_idle(excess);
        self.meters.reaped(Reaped::MaxIdle, over.removed.len() + lanes);
    }

    /// Opens connections until so many are idle as are always kept.
    async fn top_up(self: &Arc<Self>) {
        if let Some(cluster) = self.cluster() {
            return cluster.top_up(self).await;
        }
        while self.idle_sockets() < self.bounds.min_idle {
            // Nobody who waits is kept waiting for that.
            let Some(turn) = self.turns.try_acquire() else { return };
            let Some(permit) = self.sockets.try_acquire() else { return };
            self.governor.turn().await;
            let Ok(link) = self.connect(permit).await else { return };
            if !self.is_usable(&link) {
                return self.meters.reaped(Reaped::Stale, 1);
            }
            if !self.take_in(link) {
                return;
            }
            drop(turn);
        }
    }
}
