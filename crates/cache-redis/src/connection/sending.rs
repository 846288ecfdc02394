//! A command of a cluster on its connection.

use std::sync::Arc;

use redis::{RedisResult, Value};
use tokio::time::Instant;

use super::cancelled::{self, Kept};
use super::commands::Operation;
use super::link::LinkHandle;
use super::outcome;
use super::request::Request;
use crate::cluster::{KeyTurn, NodeLink};
use crate::lanes::Place;
use crate::pool::Mark;
use crate::{Lane, PoolError};

/// A request with all that it needs to be sent. Dropping it after that keeps its place and its turn
/// until the node has answered it.
pub(super) struct Sending {
    place: Option<Place>,
    turn: Option<KeyTurn>,
    pub(super) link: Arc<NodeLink>,
    in_flight: Option<Mark>,
}

impl Sending {
    /// Takes a place, and a turn if the command has a key, for a command over a connection.
    pub(super) fn new(place: Place, turn: Option<KeyTurn>, link: Arc<NodeLink>) -> Self {
        link.touch(place.pool());
        let in_flight = Some(link.occupy());
        Self { place: Some(place), turn, link, in_flight }
    }

    /// Sends a request, and waits for its answer.
    pub(super) async fn exchange(
        &mut self,
        lane: &Lane,
        operation: Operation,
        request: Request<'_>,
        is_asking: bool,
    ) -> Result<RedisResult<Value>, PoolError> {
        let shared = lane.shared();
        let patience = shared.bounds.response_timeout;
        let answers = self.link.server.answers();
        let LinkHandle { mut connection, pulse } = self.link.link.handle();
        let exchange = async {
            if is_asking {
                request.exchange_asking(&mut connection).await
            } else {
                request.exchange(&mut connection).await
            }
        };
        if let Some(answer) = pulse.within(Instant::now() + patience, exchange).await {
            return Ok(answer);
        }
        shared.meters.timed_out(operation);
        if let Some(cluster) = shared.cluster() {
            cluster.observe_silence(shared, &self.link, answers);
            cluster.survey_soon(shared);
        }
        drop(self.end());
        Err(PoolError::ResponseTimedOut {
            operation: operation.name,
            waited: patience,
            outcome_unknown: outcome::may_change(operation),
        })
    }

    /// Frees the place, since nothing is waited for any more, and returns the turn.
    pub(super) fn end(&mut self) -> Option<KeyTurn> {
        if let Some(place) = self.place.take() {
            self.link.touch(place.pool());
            place.ended();
        }
        self.in_flight = None;
        self.turn.take()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let (turn, in_flight) = (self.turn.take(), self.in_flight.take());
        cancelled::keep(Arc::clone(&self.link), Kept { place, turn, in_flight });
    }
}
