//! Commands over the lanes of a cluster.
//!
//! A command is sent again only where an answer says that it was not executed: it belongs to
//! another node, or this one cannot serve it now. One whose answer did not come is never repeated.

use std::sync::Arc;

use redis::{RedisResult, Value, cmd};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::commands::Operation;
use super::link::{Link, LinkHandle};
use super::outcome;
use super::refusal::{self, Refusal};
use super::request::Request;
use super::route::{self, Route};
use crate::cluster::{Cluster, KeyTurn, NoLink, NodeLink, Server};
use crate::connect::Backoff;
use crate::lanes::{Place, Start};
use crate::pool::WaitingFor;
use crate::{ConnectError, Lane, PoolError, ServerDetail};

/// Redirections that are followed at once. More of them come of nodes that disagree.
const AT_ONCE: u32 = 4;

/// A request on its way through a cluster.
struct Course<'a> {
    lane: &'a Lane,
    cluster: &'a Arc<Cluster>,
    begun: Instant,
    /// When the last attempt may begin.
    deadline: Instant,
    backoff: Backoff,
    redirections: u32,
    turn: Option<KeyTurn>,
    last_failure: Option<Arc<ConnectError>>,
}

/// Where to send a request.
enum Target {
    Route(Route),
    /// To a node of the caller's choice, whatever that answers.
    Node(Arc<Server>),
    /// To a node that has the key but does not own the slot yet.
    Asking(Arc<Server>),
}

impl Lane {
    /// Has the server say something, whatever that is.
    pub(crate) async fn greet(&self) -> Result<(), PoolError> {
        match self.run(&cmd("PING")).await {
            // A user who may not even do this has reached it too.
            Ok(_) | Err(PoolError::Server { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The answer as it came in the end, errors of the server included.
    pub(super) async fn exchange_in_cluster(
        &self,
        cluster: &Arc<Cluster>,
        operation: Operation,
        request: Request<'_>,
    ) -> Result<RedisResult<Value>, PoolError> {
        let begun = Instant::now();
        let target = match (self.server(), route::of(request)) {
            (Some(server), _) => Target::Node(Arc::clone(server)),
            (None, Route::Each) => {
                return Err(PoolError::NeedsServer { operation: operation.name });
            }
            (None, Route::Crossed) => {
                return Err(PoolError::Server {
                    operation: operation.name,
                    code: "CROSSSLOT".to_owned(),
                    detail: ServerDetail::default(),
                });
            }
            (None, route) => Target::Route(route),
        };
        let mut course = Course {
            lane: self,
            cluster,
            begun,
            deadline: begun + self.shared().bounds.timeout,
            backoff: Backoff::default(),
            redirections: 0,
            turn: None,
            last_failure: None,
        };
        if let Some(key) = self.key() {
            let _waiting = self.shared().waiting.mark();
            let turn = timeout_at(course.deadline, cluster.keys.turn(key)).await;
            course.turn = Some(turn.map_err(|_| course.timed_out(WaitingFor::Lane))?);
        }
        course.run(operation, request, target).await
    }
}

impl Course<'_> {
    async fn run(
        mut self,
        operation: Operation,
        request: Request<'_>,
        route: Target,
    ) -> Result<RedisResult<Value>, PoolError> {
        let mut asking = None;
        loop {
            let target = asking.take();
            let target = target.as_ref().unwrap_or(&route);
            let Some(server) = self.server(target) else {
                self.look_again().await?;
                continue;
            };
            let Some(mut sending) = self.ready(&server).await? else {
                self.look_again().await?;
                continue;
            };
            let is_asking = matches!(target, Target::Asking(_));
            let answer = sending.exchange(self.lane, operation, request, is_asking).await;
            self.turn = sending.end();
            let answer = answer?;
            let shared = self.lane.shared();
            if answer.as_ref().is_err_and(outcome::is_fatal) {
                self.cluster.retire(&server);
                self.cluster.survey_soon(shared);
                return Ok(answer);
            }
            server.answered();
            let refusal = match route {
                Target::Node(_) => None,
                _ => refusal::of(request, &answer, server.node()),
            };
            let Some(refusal) = refusal else {
                let time = self.begun.elapsed();
                shared.meters.answered_on_lane(operation, time);
                shared.board.answered(time);
                return Ok(answer);
            };
            match refusal {
                Refusal::Moved { slot, node } => {
                    self.cluster.assign(slot, &self.cluster.server(node));
                    self.cluster.survey_soon(shared);
                }
                Refusal::Ask { node } => {
                    asking = Some(Target::Asking(self.cluster.server(node)));
                }
                Refusal::Demoted => {
                    self.cluster.retire(&server);
                    self.redirections = AT_ONCE;
                }
                Refusal::Later => self.redirections = AT_ONCE,
            }
            self.redirections += 1;
            let goes_on = if self.redirections <= AT_ONCE {
                Instant::now() < self.deadline
            } else {
                self.look_again().await.is_ok()
            };
            if !goes_on {
                return Ok(answer);
            }
        }
    }

    fn server(&self, target: &Target) -> Option<Arc<Server>> {
        match target {
            Target::Route(Route::Slot(slot)) => self.cluster.owner(*slot),
            Target::Route(_) => self.cluster.any_master(),
            Target::Node(server) | Target::Asking(server) => Some(Arc::clone(server)),
        }
    }

    /// Waits for a place on a lane and for its connection to a node; nothing if that failed in a
    /// way that may pass.
    async fn ready(&mut self, server: &Arc<Server>) -> Result<Option<Sending>, PoolError> {
        let shared = self.lane.shared();
        let mut place = match shared.board.begin(shared, self.lane.key(), Instant::now()) {
            Start::Go(place) => {
                shared.meters.did_not_wait();
                place
            }
            Start::Wait(verdict) => self.lane.wait(verdict, self.begun).await?,
            Start::Closed => return Err(PoolError::Closed),
        };
        place.pass_on();
        let lane = place.take_cluster_lane().ok_or(PoolError::Closed)?;
        let link = if let Some(link) = lane.ready(server, shared) {
            link
        } else {
            let _waiting = shared.waiting.mark();
            let connecting = lane.connect(shared, self.cluster, server);
            match timeout_at(self.deadline, connecting).await {
                Ok(Ok(link)) => link,
                Ok(Err(NoLink::Failed(error))) if !error.reason().is_permanent() => {
                    self.last_failure = Some(error);
                    return Ok(None);
                }
                Ok(Err(error)) => return Err(self.no_link(error)),
                Err(_) => return Err(self.timed_out(WaitingFor::Connection)),
            }
        };
        link.touch(shared);
        Ok(Some(Sending { place: Some(place), turn: self.turn.take(), link }))
    }

    /// Waits a moment, longer each time, and asks the nodes who owns which slots.
    async fn look_again(&mut self) -> Result<(), PoolError> {
        let wait = self.backoff.next_wait();
        self.backoff.failed();
        let _waiting = self.lane.shared().waiting.mark();
        let looking = async {
            sleep(wait).await;
            self.cluster.survey(self.lane.shared()).await
        };
        match timeout_at(self.deadline, looking).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(NoLink::Failed(error))) if !error.reason().is_permanent() => {
                self.last_failure = Some(error);
                Ok(())
            }
            Ok(Err(error)) => Err(self.no_link(error)),
            Err(_) => Err(self.timed_out(WaitingFor::Connection)),
        }
    }

    fn no_link(&self, error: NoLink) -> PoolError {
        match error {
            NoLink::Closed => PoolError::Closed,
            NoLink::Failed(error) => PoolError::Connect(error),
            NoLink::TooSmall => PoolError::ClusterSize {
                size: self.lane.shared().size(),
                lanes: 1,
                nodes: self.cluster.nodes(),
            },
        }
    }

    fn timed_out(&self, waiting_for: WaitingFor) -> PoolError {
        let failure = self.last_failure.clone();
        self.lane.shared().wait_timed_out_after(waiting_for, self.begun, failure)
    }
}

/// A request with all that it needs to be sent. Dropping it after that keeps its place and its turn
/// until the node has answered it.
struct Sending {
    place: Option<Place>,
    turn: Option<KeyTurn>,
    link: Arc<NodeLink>,
}

impl Sending {
    async fn exchange(
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
            cluster.observe_silence(&self.link, answers);
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
    fn end(&mut self) -> Option<KeyTurn> {
        if let Some(place) = self.place.take() {
            place.ended();
        }
        self.turn.take()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let (turn, link) = (self.turn.take(), Arc::clone(&self.link));
        let Ok(runtime) = Handle::try_current() else {
            link.retire();
            return;
        };
        let patience = place.response_timeout();
        runtime.spawn(async move {
            let LinkHandle { connection, .. } = link.link.handle();
            // Answers come in the order of the commands, so this one proves the other.
            if timeout(patience, Link::fence(connection)).await.is_err() {
                link.retire();
            }
            place.ended();
            drop(turn);
        });
    }
}
