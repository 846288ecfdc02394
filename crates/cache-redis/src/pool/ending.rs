//! Other sizes, and the end.

use std::pin::pin;
use std::sync::atomic::Ordering;

use tokio::time::{Instant, timeout_at};

use super::shared::Shared;
use crate::PoolError;
use crate::metrics::Reaped;

impl Shared {
    pub(crate) fn resize(&self, size: usize) {
        if self.is_closed() {
            return;
        }
        let size = size.max(self.sockets_per_lane());
        let before = self.size.swap(size, Ordering::AcqRel);
        if size > before {
            self.turns.grow(size - before);
            self.sockets.grow(size - before);
        } else {
            self.turns.shrink(before - size);
            self.sockets.shrink(before - size);
        }
        self.exclusives.resize(size);
        // Lanes would otherwise hold turns, and idle connections sockets, that the smaller pool has
        // not.
        let lanes = self.most_lanes();
        let over = (self.board.lanes() + self.out.get()).saturating_sub(lanes);
        let lanes = self.board.shrink(over, lanes);
        let status = self.status();
        let excess = (status.active + status.idle).saturating_sub(size);
        let mut closed = 0;
        let idle = self.exclusives.retain(|_, _| {
            closed += 1;
            closed > excess
        });
        self.meters.reaped(Reaped::Resized, lanes + idle.removed.len());
        if let Some(pool) = self.weak().upgrade() {
            pool.reopen_lanes();
        }
    }

    pub(crate) async fn close(&self) -> Result<(), PoolError> {
        let begun = Instant::now();
        if self.set_closed() {
            self.turns.close();
            self.board.close();
            self.close_exclusives();
        }
        let drained = async {
            loop {
                let mut notified = pin!(self.drained.notified());
                // From here on no notice is missed.
                notified.as_mut().enable();
                if self.active.get() == 0 {
                    return;
                }
                notified.await;
            }
        };
        if timeout_at(begun + self.bounds.timeout, drained).await.is_err() {
            let active = self.active.get();
            self.board.cut_all();
            if let Some(cluster) = self.cluster() {
                cluster.cut_all();
            }
            return Err(PoolError::NotDrained { active, waited: begun.elapsed() });
        }
        self.sockets.close();
        Ok(())
    }

    /// Closes all idle exclusive connections.
    pub(crate) fn close_exclusives(&self) {
        drop(self.exclusives.retain(|_, _| false));
    }
}
