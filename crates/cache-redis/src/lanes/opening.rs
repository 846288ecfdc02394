//! Further lanes, where the others are full.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use tokio::runtime::Handle;
use tokio::select;
use tokio::time::Instant;

use super::board::{Board, add};
use super::destination::Destination;
use super::giving_way::give_way;
use super::link::LaneLink;
use super::state::{LaneId, LaneState, Mode, State};
use crate::ConnectError;
use crate::cluster::Cluster;
use crate::connect::Backoff;
use crate::metrics::Reaped;
use crate::pool::{Permit, Shared};

impl Board {
    /// A further lane if more commands wait than the others, or those about to serve, will take. It
    /// is to be [started](Opening::start) outside of the lock.
    #[must_use]
    pub(super) fn open_if_needed(
        &self,
        state: &mut State,
        shared: &Arc<Shared>,
    ) -> Option<Opening> {
        let coming = (state.opening + state.proving).saturating_mul(self.depth);
        let is_served = |(to, waiting): (Destination, usize)| {
            // Places are handed over one after the other, so some that wait already have one to
            // come.
            let free = state.lanes.iter().flatten().filter(|lane| self.has_place(lane, to));
            let free = free
                .map(|lane| self.depth.saturating_sub(lane.in_flight_to(to) + lane.waiting.len()));
            waiting <= coming.saturating_add(free.sum())
        };
        let room = shared.most_lanes().saturating_sub(self.lanes() + state.opening);
        if state.closed || room == 0 || state.queue.lengths().all(is_served) {
            return None;
        }
        state.opening += 1;
        Some(Opening { shared: Arc::downgrade(shared), is_started: false, in_vain: false })
    }

    /// Adds a lane. Where its connection was made before a failure that was seen meanwhile, the turn
    /// comes back.
    fn add(
        &self,
        shared: &Arc<Shared>,
        link: LaneLink,
        turn: Permit,
        has_waited: bool,
    ) -> Result<(), Permit> {
        let mut state = self.lock();
        if has_waited {
            // A lane may have given way to somebody behind it in the queue for turns.
            state.given_way = state.given_way.saturating_sub(1);
        }
        if state.closed {
            drop(state);
            return Ok(());
        }
        // Under the lock: older lanes are retired under it after their generation has ended.
        let current = shared.generations.current();
        let generation = link.generation(current);
        if generation < current {
            drop(state);
            shared.meters.reaped(Reaped::Stale, 1);
            return Err(turn);
        }
        let serial = state.serials;
        state.serials += 1;
        let free = state.lanes.iter().position(Option::is_none);
        let index = free.unwrap_or(state.lanes.len());
        let lane = LaneState {
            id: LaneId { index, serial },
            handle: link.handle(),
            spare: Vec::new(),
            shown_in_flight: link.shown_in_flight(),
            generation,
            link: Some(link),
            mode: Mode::Serving,
            in_flight: 0,
            by_node: Vec::new(),
            waiting: VecDeque::new(),
            handing: false,
            cancelled: Vec::new(),
            fencing: false,
            proving: false,
            idle_since: Instant::now(),
            _turn: turn,
        };
        match free {
            Some(index) => state.lanes[index] = Some(lane),
            None => state.lanes.push(Some(lane)),
        }
        add(&self.lanes, 1);
        self.serve(&mut state, shared, index);
        let room = give_way(self, &mut state, shared.size());
        drop(state);
        if let Some(room) = room {
            room.leave(shared);
        }
        Ok(())
    }

    /// Tells the commands that wait for any lane that there will be none.
    fn refuse_waiting(&self, error: &Arc<ConnectError>) {
        let waiting = {
            let mut state = self.lock();
            if state.lanes.iter().flatten().any(|lane| lane.mode == Mode::Serving) {
                return;
            }
            state.queue.drain()
        };
        for waiting in waiting {
            // Who gave up need not hear of it.
            let _ = waiting.verdict.send(Err(Arc::clone(error)));
        }
    }

    /// Whether somebody still waits for a lane.
    fn is_wanted(&self) -> bool {
        let mut state = self.lock();
        state.queue.is_wanted() && !state.closed
    }
}

/// Counts a lane that is being opened, until it is open or given up.
pub(super) struct Opening {
    shared: Weak<Shared>,
    is_started: bool,
    /// Whether trying again would be in vain.
    in_vain: bool,
}

impl Opening {
    /// Opens the lane in the background. A runtime that ends drops it at once, so no lock may be
    /// held here.
    pub(super) fn start(self) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(open(self));
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.board.lock();
        state.opening -= 1;
        // More may have come to wait meanwhile. Where some lanes serve, they are served by those;
        // where this one was not even started, another would not be either.
        let is_served = state.lanes.iter().flatten().any(|lane| lane.mode == Mode::Serving);
        let again = self.is_started && !(self.in_vain && is_served);
        let next = if again { shared.board.open_if_needed(&mut state, &shared) } else { None };
        drop(state);
        if let Some(next) = next {
            next.start();
        }
    }
}

/// Kept apart from the board, since it is for lanes that nobody waits for.
impl Shared {
    /// Adds a lane to those of a cluster; false if there is no room for it.
    pub(crate) fn add_lane(self: &Arc<Self>, cluster: &Cluster) -> bool {
        if self.board.lanes_to_be() >= self.most_lanes() {
            return false;
        }
        let Some(turn) = self.turns.try_acquire() else { return false };
        let link = LaneLink::Cluster(cluster.open_lane());
        self.board.add(self, link, turn, false).is_ok() && !self.is_closed()
    }
}

async fn open(mut opening: Opening) {
    opening.is_started = true;
    let Some(shared) = opening.shared.upgrade() else { return };
    // In the order of coming with those who wait for exclusive connections.
    let (mut turn, mut has_waited) = match shared.turns.try_acquire() {
        Some(turn) => (turn, false),
        None => match shared.turns.acquire().await {
            Ok(turn) => (turn, true),
            Err(_) => return,
        },
    };
    loop {
        match link(&shared).await {
            Ok(Some(link)) => match shared.board.add(&shared, link, turn, has_waited) {
                Ok(()) => return,
                Err(back) => (turn, has_waited) = (back, false),
            },
            Ok(None) => return,
            Err(error) => {
                opening.in_vain = true;
                return shared.board.refuse_waiting(&error);
            }
        }
    }
}

/// An idle connection, or else a new one; none if nobody waits any more.
async fn link(shared: &Arc<Shared>) -> Result<Option<LaneLink>, Arc<ConnectError>> {
    if let Some(cluster) = shared.cluster() {
        return Ok(Some(LaneLink::Cluster(cluster.open_lane())));
    }
    let mut backoff = Backoff::default();
    while shared.board.is_wanted() {
        if let Some(link) = shared.adopt_idle() {
            if shared.is_proven(&link).await {
                return Ok(Some(LaneLink::One(link)));
            }
            continue;
        }
        let permit = select! {
            biased;
            () = shared.returned.notified() => continue,
            permit = shared.may_connect(&backoff) => permit,
        };
        let Ok(permit) = permit else { break };
        match shared.connect(permit).await {
            Ok(link) if shared.is_usable(&link) => return Ok(Some(LaneLink::One(link))),
            Ok(_) => shared.meters.reaped(Reaped::Stale, 1),
            Err(error) if error.reason().is_permanent() => return Err(error),
            Err(_) => backoff.failed(),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::connection::{ByteStream, Dialer};
    use crate::{RedisPool, RedisSettings};

    /// Leads to a server that answers each write with PONG.
    struct Pongs;

    #[async_trait]
    impl Dialer for Pongs {
        fn address(&self) -> String {
            "pongs:1".to_owned()
        }

        async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
            let (client, mut server) = duplex(64);
            tokio::spawn(async move {
                while server.read(&mut [0; 64]).await.unwrap() > 0 {
                    server.write_all(b"+PONG\r\n").await.unwrap();
                }
            });
            Ok(Box::new(client))
        }
    }

    #[tokio::test]
    async fn a_connection_from_before_a_failure_becomes_no_lane() {
        let pool = RedisPool::builder(RedisSettings::default()).dialer(Pongs).build();
        let lane = pool.await.unwrap().any_lane();
        let shared = lane.shared();
        let add = async |fails: bool| {
            let link = shared.connect(shared.sockets.try_acquire().unwrap()).await.unwrap();
            if fails {
                shared.observe_failure(link.generation);
            }
            let turn = shared.turns.try_acquire().unwrap();
            shared.board.add(shared, LaneLink::One(link), turn, false).is_ok()
        };
        assert!(!add(true).await);
        assert_eq!(shared.board.lanes(), 0);
        assert!(add(false).await);
        assert_eq!(shared.board.lanes(), 1);
    }
}
