//! Commands over the lanes of a cluster.
//!
//! A command is sent again only where an answer says that it was not executed: it belongs to
//! another node, or this one cannot serve it now. One whose answer did not come is never repeated.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use redis::{RedisResult, Value, cmd};
use tokio::select;
use tokio::time::{Instant, sleep, timeout_at};

use super::commands::Operation;
use super::outcome;
use super::refusal::{self, Refusal};
use super::request::Request;
use super::route::{self, Route};
use super::sending::Sending;
use crate::cluster::{Attempt, Cluster, ClusterLane, KeyTurn, NoLink, NodeLink, Server};
use crate::connect::Backoff;
use crate::lanes::Start;
use crate::pool::{WaitingFor, servers_of};
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
    /// Whether it had to wait before it was sent the first time.
    has_waited: bool,
    is_sent: bool,
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
            (None, Route::Each) if route::is_for_all(request) => {
                return self.exchange_with_all(operation, request).await;
            }
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
            has_waited: false,
            is_sent: false,
        };
        if let Some(key) = self.key() {
            let _waiting = self.shared().waiting.mark();
            let (mut turn, deadline) = (pin!(cluster.keys.turn(key)), course.deadline);
            let first = poll_fn(|context| Poll::Ready(turn.as_mut().poll(context))).await;
            course.turn = Some(match first {
                Poll::Ready(turn) => turn,
                Poll::Pending => {
                    course.has_waited = true;
                    let turn = timeout_at(deadline, turn).await;
                    turn.map_err(|_| course.timed_out(WaitingFor::Key))?
                }
            });
        }
        course.run(operation, request, target).await
    }

    /// Sends a request to each master. The answer is the last one, or the first that is an error.
    async fn exchange_with_all(
        &self,
        operation: Operation,
        request: Request<'_>,
    ) -> Result<RedisResult<Value>, PoolError> {
        let mut answer = Ok(Value::Nil);
        for lane in servers_of(self.shared()).await? {
            answer = Box::pin(lane.exchange(operation, request)).await?;
            if matches!(answer, Err(_) | Ok(Value::ServerError(_))) {
                break;
            }
        }
        Ok(answer)
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
            let target = asking.as_ref().unwrap_or(&route);
            let Some(server) = self.server(target) else {
                self.look_again().await?;
                continue;
            };
            let is_asking = matches!(target, Target::Asking(_));
            let mut sending = match self.ready(&server).await? {
                Ready::Go(sending) => sending,
                Ready::Connected => continue,
                Ready::Looked => {
                    asking = None;
                    continue;
                }
            };
            asking = None;
            let answer = sending.exchange(self.lane, operation, request, is_asking).await;
            self.turn = sending.end();
            let answer = answer?;
            let shared = self.lane.shared();
            if answer.as_ref().is_err_and(outcome::is_fatal) {
                self.cluster.observe_failure(shared, &server, sending.link.generation());
                self.cluster.survey_soon(shared);
                return Ok(answer);
            }
            server.answered();
            refusal::each(request, &answer, server.node(), |refusal| {
                self.learn(&sending.link, refusal);
            });
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
                Refusal::Moved { .. } => {}
                Refusal::Ask { node } => {
                    asking = Some(Target::Asking(self.cluster.server(node)));
                }
                Refusal::Demoted | Refusal::Later => self.redirections = AT_ONCE,
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

    /// Notes what a refusal tells of the cluster, whatever becomes of its command.
    fn learn(&self, link: &NodeLink, refusal: Refusal) {
        let shared = self.lane.shared();
        match refusal {
            Refusal::Moved { slot, node } => {
                self.cluster.assign(slot, &self.cluster.server(node));
                self.cluster.survey_soon(shared);
            }
            Refusal::Demoted => {
                self.cluster.observe_failure(shared, &link.server, link.generation());
                self.cluster.survey_soon(shared);
            }
            Refusal::Ask { .. } | Refusal::Later => {}
        }
    }

    fn server(&self, target: &Target) -> Option<Arc<Server>> {
        match target {
            Target::Route(Route::Slot(slot)) => self.cluster.owner(*slot),
            Target::Route(_) => self.cluster.any_master(),
            Target::Node(server) | Target::Asking(server) => Some(Arc::clone(server)),
        }
    }

    /// Waits for a place on a lane whose connection to a node is there. Where there is none yet, the
    /// place is given back, and the connection is waited for.
    async fn ready(&mut self, server: &Arc<Server>) -> Result<Ready, PoolError> {
        let shared = self.lane.shared();
        let since = Instant::now();
        // A key's turn is taken already.
        let mut place = match shared.board.begin(shared, None, server.destination(), since) {
            Start::Go(place) => place,
            Start::Wait(verdict) => {
                self.has_waited = true;
                self.lane.wait(verdict, self.begun, since).await?
            }
            Start::Closed => return Err(PoolError::Closed),
        };
        let lane = place.take_cluster_lane().ok_or(PoolError::Closed)?;
        let Some(link) = lane.ready(server, shared) else {
            drop(place);
            self.has_waited = true;
            return self.connect(&lane, server).await;
        };
        if !std::mem::replace(&mut self.is_sent, true) {
            let waited = if self.has_waited { self.begun.elapsed() } else { Duration::ZERO };
            shared.meters.waited(waited);
        }
        Ok(Ready::Go(Sending::new(place, self.turn.take(), link)))
    }

    /// Waits for a connection of a lane to a node. Of a node in trouble it is not waited for alone:
    /// another one may have taken over.
    async fn connect(
        &mut self,
        lane: &Arc<ClusterLane>,
        server: &Arc<Server>,
    ) -> Result<Ready, PoolError> {
        let shared = self.lane.shared();
        let _waiting = shared.waiting.mark();
        let outcome = match lane.connect(shared, self.cluster, server) {
            Err(error) => Err(error),
            Ok(mut attempt) => {
                let deadline = self.deadline;
                let ended = timeout_at(deadline, Attempt::end(&mut attempt));
                let ended = if let Some(trouble) = server.trouble() {
                    self.last_failure = Some(trouble);
                    select! {
                        biased;
                        ended = ended => ended,
                        looked = self.look_again() => return looked.map(|()| Ready::Looked),
                    }
                } else {
                    ended.await
                };
                let Ok(outcome) = ended else {
                    let waits = matches!(*attempt.borrow(), Attempt::WaitsForSocket);
                    let waiting_for = if waits { WaitingFor::Turn } else { WaitingFor::Connection };
                    return Err(self.timed_out(waiting_for));
                };
                outcome
            }
        };
        match outcome {
            // However often it is taken away again at once.
            Ok(()) if Instant::now() >= self.deadline => Err(self.timed_out(WaitingFor::Turn)),
            Ok(()) => Ok(Ready::Connected),
            Err(NoLink::Failed(error)) if !error.reason().is_permanent() => {
                self.last_failure = Some(error);
                self.look_again().await?;
                Ok(Ready::Looked)
            }
            // Only the lane was closed.
            Err(NoLink::Closed) if !shared.is_closed() => {
                self.look_again().await?;
                Ok(Ready::Looked)
            }
            Err(error) => Err(self.no_link(error)),
        }
    }

    /// Waits a moment, longer each time, and asks the nodes who owns which slots.
    async fn look_again(&mut self) -> Result<(), PoolError> {
        self.has_waited = true;
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

/// How far a request has come to a node.
enum Ready {
    Go(Sending),
    /// The connection was made, and has to be found again with a place.
    Connected,
    /// It could not be made, and the nodes were asked again who owns what.
    Looked,
}
