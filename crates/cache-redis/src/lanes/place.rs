//! The right to send one command on a lane.

use std::sync::Arc;
use std::time::Duration;

use super::board::Freed;
use super::destination::Destination;
use super::link::LaneHandle;
use super::state::LaneId;
use crate::cluster::ClusterLane;
use crate::connection::LinkHandle;
use crate::pool::{Generation, Shared};

/// One of the places of a lane, from before a command is sent until it is answered.
///
/// Dropping it before that gives up the command: unsent, the place is free at once; sent, it is
/// free when the server has answered.
pub(crate) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) lane: LaneId,
    pub(super) key: Option<u64>,
    pub(super) to: Destination,
    pub(super) generation: Generation,
    /// There until it is taken, and when it was given back.
    pub(super) handle: Option<LaneHandle>,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was sent yet. Where it is handed over, the next one waits for that.
    Given {
        handed: bool,
    },
    Sent,
    Done,
}

impl Place {
    /// What the command is sent with; nothing the second time.
    pub(crate) fn take_handle(&mut self) -> Option<LinkHandle> {
        match self.handle.take()? {
            LaneHandle::One(handle) => Some(handle),
            LaneHandle::Cluster(_) => None,
        }
    }

    /// Gives back what a command was sent with, since its answer is there.
    pub(crate) fn give_back(&mut self, handle: LinkHandle) {
        self.handle = Some(LaneHandle::One(handle));
    }

    /// The same of a cluster, where it is known later what is sent.
    pub(crate) fn take_cluster_lane(&mut self) -> Option<Arc<ClusterLane>> {
        match self.handle.take()? {
            LaneHandle::One(_) => None,
            LaneHandle::Cluster(lane) => Some(lane),
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// How long an answer is waited for.
    pub(crate) fn response_timeout(&self) -> Duration {
        self.shared.bounds.response_timeout
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// Notes that the command is on its way.
    pub(crate) fn sent(&mut self) {
        if self.stage == (Stage::Given { handed: true }) {
            self.shared.board.hand_over_next(&self.shared, self.lane);
        }
        self.stage = Stage::Sent;
    }

    /// Notes that the command was answered, so long after it was called.
    pub(crate) fn answered(mut self, time: Duration) {
        self.free(Some(time));
    }

    /// Notes that the command has come to its end, and the answer is none that counts.
    pub(crate) fn ended(mut self) {
        self.free(None);
    }

    /// Notes that no answer came in time: the lane serves no more.
    pub(crate) fn timed_out(mut self) {
        self.shared.board.fail(&self.shared, self.lane);
        self.free(None);
    }

    /// Makes dropping it do nothing.
    pub(super) fn disarm(mut self) {
        self.stage = Stage::Done;
    }

    fn free(&mut self, answered: Option<Duration>) {
        let handed = self.stage == (Stage::Given { handed: true });
        self.stage = Stage::Done;
        let Self { lane, key, to, .. } = *self;
        let handle = self.handle.take();
        self.shared.board.release(&self.shared, Freed { lane, key, to, handed, answered, handle });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self.stage {
            Stage::Done => {}
            Stage::Given { .. } => self.free(None),
            Stage::Sent => self.shared.board.cancel(&self.shared, self.lane, self.key),
        }
    }
}
