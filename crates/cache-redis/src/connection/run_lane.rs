//! Commands over lanes.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::sync::oneshot::Receiver;
use tokio::task::unconstrained;
use tokio::time::{Instant, timeout_at};

use super::commands::{Kind, Operation};
use super::outcome;
use super::request::Request;
use crate::lanes::{Destination, Place, Start, Verdict};
use crate::pool::WaitingFor;
use crate::{Lane, PoolError};

impl Lane {
    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`PoolError::WaitTimedOut`] if no lane had a place for it within `redis.pool.timeout`,
    /// [`PoolError::ResponseTimedOut`] and [`PoolError::ConnectionLost`] if it was sent and no
    /// answer came, [`PoolError::Server`] if the server refused it, and
    /// [`PoolError::NeedsExclusive`] for a command that would change or hold up the connection for
    /// others. WAIT and WAITAOF are let through: they hold up their lane.
    /// [`PoolError::EmptyCommand`] for one that has not even a name, [`PoolError::Connect`] where
    /// trying again cannot help, and [`PoolError::Closed`].
    ///
    /// In a cluster also [`PoolError::WaitTimedOut`] where an earlier command of the key is not
    /// answered, [`PoolError::Server`] with `CROSSSLOT` for keys in several slots, of which nothing
    /// was sent, [`PoolError::NeedsServer`] for a command that concerns each node by itself, and
    /// [`PoolError::ClusterSize`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the answer. A command that was sent may still be executed;
    /// later ones of the same key are executed after it.
    pub async fn run(&self, command: &Cmd) -> Result<Value, PoolError> {
        self.send(Request::One(command)).await
    }

    /// Sends several commands as one unit, which counts as one command in flight, and waits for all
    /// answers.
    ///
    /// The answers come as they are, an error of a single command as [`Value::ServerError`]. Those
    /// of an atomic pipeline are what EXEC answered.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run); [`PoolError::Server`] if the server refused to queue a command of
    /// an atomic pipeline, and so executed none; [`PoolError::NotAtomic`] if it refused to begin
    /// the transaction.
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Self::run).
    pub async fn run_all(&self, pipeline: &Pipeline) -> Result<Vec<Value>, PoolError> {
        match self.send(Request::Many(pipeline)).await? {
            Value::Array(answers) => Ok(answers),
            answer => Ok(vec![answer]),
        }
    }

    pub(super) async fn send(&self, request: Request<'_>) -> Result<Value, PoolError> {
        let operation = request.operation();
        let answer = self.exchange(operation, request).await?;
        outcome::of_answer(operation, answer)
    }

    /// The answer as it came, errors of the server included.
    pub(super) async fn exchange(
        &self,
        operation: Operation,
        request: Request<'_>,
    ) -> Result<RedisResult<Value>, PoolError> {
        if let Some(outcome) = request.unsent(operation) {
            return outcome.map(Ok);
        }
        if !may_share(operation.kind) {
            return Err(PoolError::NeedsExclusive { operation: operation.name });
        }
        if let Some(cluster) = self.shared().cluster() {
            // On the heap, so that commands to one server need not carry its room about.
            return Box::pin(self.exchange_in_cluster(cluster, operation, request)).await;
        }
        let begun = Instant::now();
        let shared = self.shared();
        let started = shared.board.begin(shared, self.key(), Destination::Server, begun);
        let (mut place, handed) = match started {
            Start::Go(place) => {
                self.shared().meters.did_not_wait();
                (place, false)
            }
            Start::Wait(verdict) => {
                let place = self.wait(verdict, begun, begun).await?;
                self.shared().meters.waited(begun.elapsed());
                (place, true)
            }
            Start::Closed => return Err(PoolError::Closed),
        };
        let Some(mut handle) = place.take_handle() else { return Err(PoolError::Closed) };
        let answers = self.shared().answers();
        let answer = {
            // Without a budget of the runtime's in the way, the first poll is what sends it, since a
            // lane has room for all that may be in flight.
            let mut exchange = pin!(unconstrained(request.exchange(&mut handle.connection)));
            let (mut first, mut sent) = (Poll::Pending, begun);
            if handed {
                sent = Instant::now();
                first = poll_fn(|context| Poll::Ready(exchange.as_mut().poll(context))).await;
            }
            place.sent();
            match first {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => {
                    let deadline = sent + self.shared().bounds.response_timeout;
                    handle.pulse.within(deadline, exchange).await
                }
            }
        };
        if let Some(answer) = answer {
            place.give_back(handle);
            return Ok(self.settle(operation, request, place, begun, answer));
        }
        let shared = self.shared();
        shared.meters.timed_out(operation);
        shared.observe_silence(place.generation(), answers);
        place.timed_out();
        Err(PoolError::ResponseTimedOut {
            operation: operation.name,
            waited: shared.bounds.response_timeout,
            outcome_unknown: outcome::may_change(operation),
        })
    }

    fn settle(
        &self,
        operation: Operation,
        request: Request<'_>,
        place: Place,
        begun: Instant,
        answer: RedisResult<Value>,
    ) -> RedisResult<Value> {
        let shared = self.shared();
        let is_lost = answer.as_ref().is_err_and(outcome::is_fatal);
        if is_lost || outcome::is_demoted(request, &answer) {
            shared.observe_failure(place.generation());
            place.ended();
        } else {
            let time = begun.elapsed();
            shared.meters.answered_on_lane(operation, time);
            place.answered(time);
        }
        answer
    }

    /// Waits for a place since a moment, for a command that was begun then or before.
    pub(super) async fn wait(
        &self,
        verdict: Receiver<Verdict>,
        begun: Instant,
        since: Instant,
    ) -> Result<Place, PoolError> {
        let shared = self.shared();
        let is_full = shared.is_full();
        let waited = {
            let _waiting = shared.waiting.mark();
            timeout_at(begun + shared.bounds.timeout, verdict).await
        };
        match waited {
            Ok(Ok(Ok(place))) => {
                if is_full {
                    shared.meters.queued(since.elapsed());
                }
                Ok(place)
            }
            Ok(Ok(Err(error))) => Err(PoolError::Connect(error)),
            Ok(Err(_)) => Err(PoolError::Closed),
            Err(_) => {
                let no_lane = shared.board.lanes() == 0 && shared.out.get() < shared.size();
                let waiting_for = if no_lane || shared.board.is_proving() {
                    WaitingFor::Connection
                } else {
                    WaitingFor::Lane
                };
                Err(shared.wait_timed_out(waiting_for, begun))
            }
        }
    }
}

/// Whether a command leaves its connection as it was, and does not hold it up.
fn may_share(kind: Kind) -> bool {
    matches!(kind, Kind::Read | Kind::Write | Kind::Unknown)
}
