//! Connections for one user at a time.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;
use std::time::Duration;

use deadpool::managed::{Object, PoolError as NotGot};
use tokio::task::unconstrained;
use tokio::time::{Instant, timeout_at};

use super::cap::Permit;
use super::connecting::LONG_IDLE;
use super::holders::Place;
use super::manager::{Manager, NotCreated};
use super::shared::Shared;
use super::status::WaitingFor;
use crate::connection::Link;
use crate::metrics::Reaped;
use crate::{ConnectError, PoolError, WaitTimedOut};

/// A connection that nobody else uses, for blocking commands, WATCH and anything that leaves
/// something behind on its connection.
///
/// Dropping it gives it back. It is closed instead if a command on it was not answered, if it is
/// not in the state in which it was made, or if enough others are idle.
pub struct Exclusive {
    /// There until it is dropped.
    link: Option<Object<Manager>>,
    turn: Option<Permit>,
    holder: usize,
    taken: Instant,
    response_timeout: Duration,
    shared: Arc<Shared>,
}

impl Exclusive {
    /// Sets how long answers are waited for, in place of `redis.pool.response_timeout`, until the
    /// connection is given back. Blocking commands need more than they may block.
    pub fn set_response_timeout(&mut self, response_timeout: Duration) {
        self.response_timeout = response_timeout;
    }

    /// How long answers are waited for.
    pub fn response_timeout(&self) -> Duration {
        self.response_timeout
    }

    pub(crate) fn link(&mut self) -> &mut Link {
        self.link.as_mut().expect("it is there until it is dropped")
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        let now = Instant::now();
        let shared = &self.shared;
        // One that somebody waits for is no idle one.
        let is_needed = shared.waiting.get() > 0;
        let reason = if !shared.is_usable(&link) {
            Some(Reaped::Stale)
        } else if !link.is_clean() {
            Some(Reaped::Dirty)
        } else if !is_needed && shared.idle_sockets() >= shared.bounds.max_idle {
            Some(Reaped::MaxIdle)
        } else {
            None
        };
        if let Some(reason) = reason {
            shared.meters.reaped(reason, 1);
            drop(Object::take(link));
        } else {
            link.idle_since = now;
            shared.give_back(link);
        }
        let held = now - self.taken;
        shared.out.remove(self.holder, held);
        shared.meters.held(held);
        // Before another has the turn, or more would seem to be active than may be.
        shared.active.fall();
        self.turn = None;
        if shared.is_closed() {
            shared.drained.notify_waiters();
        }
    }
}

impl fmt::Debug for Exclusive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Exclusive").field("link", &self.link).finish_non_exhaustive()
    }
}

impl Shared {
    /// Adds a connection to the idle ones.
    pub(crate) fn give_back(&self, mut link: Object<Manager>) {
        link.idle.get_or_insert_with(|| self.idle.at_times()).set(true);
        drop(link);
        self.returned.notify_one();
        // The pool may have been closed since the connection was looked at.
        if self.is_closed() {
            self.close_exclusives();
        }
    }

    /// Waits for an exclusive connection, for as long as the settings allow in all.
    pub(crate) async fn take(
        self: &Arc<Self>,
        place: Option<Place>,
    ) -> Result<Exclusive, PoolError> {
        if self.cluster().is_some() {
            return Err(PoolError::NoExclusive);
        }
        let begun = Instant::now();
        let stage = Stage::default();
        let mut acquiring = pin!(self.acquire(&stage, begun));
        // A timer is a large part of what it takes when nothing is waited for, and so is reading
        // the clock.
        let first = poll_fn(|context| Poll::Ready(acquiring.as_mut().poll(context))).await;
        let taken = match first {
            Poll::Ready(taken) => Ok(taken),
            Poll::Pending => timeout_at(begun + self.bounds.timeout, acquiring).await,
        };
        let (turn, link) = match taken {
            Ok(taken) => taken?,
            Err(_) => return Err(self.wait_timed_out(stage.waiting_for(), begun)),
        };
        let at_once = !stage.has_waited();
        let now = if at_once { begun } else { Instant::now() };
        if at_once {
            self.meters.did_not_wait();
        } else {
            self.meters.waited(now - begun);
        }
        self.active.rise();
        Ok(Exclusive {
            link: Some(link),
            turn: Some(turn),
            holder: self.out.add(now, place, at_once),
            taken: now,
            response_timeout: self.bounds.response_timeout,
            shared: Arc::clone(self),
        })
    }

    async fn acquire(
        &self,
        stage: &Stage,
        begun: Instant,
    ) -> Result<(Permit, Object<Manager>), PoolError> {
        let turn = if let Some(turn) = self.turns.try_acquire() {
            turn
        } else {
            stage.set(WAITS_FOR_TURN);
            Box::pin(self.wait_for_turn()).await?
        };
        stage.set(stage.get() | CONNECTS);
        let now = || if stage.has_waited() { Instant::now() } else { begun };
        loop {
            match self.exclusives.get().await {
                Ok(link) if Object::metrics(&link).recycle_count == 0 => {
                    stage.set(HAS_WAITED);
                    return Ok((turn, link));
                }
                Ok(link) if now() - link.idle_since < LONG_IDLE => return Ok((turn, link)),
                Ok(link) => {
                    stage.set(HAS_WAITED | CONNECTS);
                    if let Some(link) = Box::pin(self.proven(link)).await {
                        return Ok((turn, link));
                    }
                }
                Err(NotGot::Backend(NotCreated::Returned)) => stage.set(HAS_WAITED | CONNECTS),
                Err(NotGot::Backend(NotCreated::Failed(error))) => {
                    return Err(PoolError::Connect(error));
                }
                Err(_) => return Err(PoolError::Closed),
            }
        }
    }

    /// A connection that was idle for long, if it still works.
    async fn proven(&self, link: Object<Manager>) -> Option<Object<Manager>> {
        let mut unproven = Unproven(Some(link));
        let is_proven = self.is_proven(unproven.0.as_ref()?).await;
        unproven.0.take_if(|_| is_proven)
    }

    /// Waits in the order of coming, while lanes give way.
    pub(crate) async fn wait_for_turn(&self) -> Result<Permit, PoolError> {
        let _waiting = self.waiting.mark();
        let (begun, is_full) = (Instant::now(), self.is_full());
        // Without a budget of the runtime's in the way, the first poll enters the queue. Room is
        // made after that, so that nobody who comes later takes it.
        let mut turn = pin!(unconstrained(self.turns.acquire()));
        let first = poll_fn(|context| Poll::Ready(turn.as_mut().poll(context))).await;
        let turn = match first {
            Poll::Ready(turn) => turn,
            Poll::Pending => {
                let _waiter = self.board.wait_for_turn(self);
                turn.await
            }
        };
        if is_full {
            self.meters.queued(begun.elapsed());
        }
        turn.map_err(|_| PoolError::Closed)
    }

    pub(crate) fn wait_timed_out(&self, waiting_for: WaitingFor, begun: Instant) -> PoolError {
        self.wait_timed_out_after(waiting_for, begun, self.last_failure())
    }

    /// The same, with the failure that the wait was for.
    pub(crate) fn wait_timed_out_after(
        &self,
        waiting_for: WaitingFor,
        begun: Instant,
        last_failure: Option<Arc<ConnectError>>,
    ) -> PoolError {
        let is_cluster = self.cluster().is_some();
        let held_up = waiting_for == WaitingFor::Turn && self.is_connecting() && !is_cluster;
        let waiting_for = if held_up { WaitingFor::Connection } else { waiting_for };
        let waited = begun.elapsed();
        self.meters.waited(waited);
        if !matches!(waiting_for, WaitingFor::Connection | WaitingFor::Key) {
            self.meters.exhausted();
            self.meters.queued(waited);
        }
        PoolError::WaitTimedOut(Box::new(WaitTimedOut {
            waiting_for,
            waited,
            status: self.status(),
            last_failure,
        }))
    }
}

/// A connection that is closed unless it is taken out.
struct Unproven(Option<Object<Manager>>);

impl Drop for Unproven {
    fn drop(&mut self) {
        if let Some(link) = self.0.take() {
            drop(Object::take(link));
        }
    }
}

/// How far a wait has come.
#[derive(Debug, Default)]
struct Stage(AtomicU8);

/// It waits, or did, for its turn.
const WAITS_FOR_TURN: u8 = 1;
/// It has its turn.
const CONNECTS: u8 = 2;
/// It had to wait for a connection.
const HAS_WAITED: u8 = 4;

impl Stage {
    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, stage: u8) {
        self.0.store(stage, Ordering::Relaxed);
    }

    fn has_waited(&self) -> bool {
        self.get() & (WAITS_FOR_TURN | HAS_WAITED) > 0
    }

    fn waiting_for(&self) -> WaitingFor {
        if self.get() & CONNECTS > 0 { WaitingFor::Connection } else { WaitingFor::Turn }
    }
}
