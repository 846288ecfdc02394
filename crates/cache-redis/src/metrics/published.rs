//! Handles to the metrics of a pool, looked up once so that using them is cheap.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::meters::Reaped;
use super::names;
use crate::connection::commands;
use crate::{ConnectReason, PoolSnapshot};

pub(super) struct Published {
    pub(super) exhausted: Counter,
    pub(super) connected: Counter,
    pub(super) connect_failed: Vec<Counter>,
    pub(super) reaped: Vec<Counter>,
    pub(super) generations: Counter,
    pub(super) timed_out: Vec<Counter>,
    pub(super) wait_seconds: Histogram,
    pub(super) held_seconds: Histogram,
    pub(super) operation_seconds: Vec<Histogram>,
    size: Gauge,
    active: Gauge,
    idle: Gauge,
    waiting: Gauge,
    utilisation: Gauge,
    lanes: Gauge,
    in_flight: Gauge,
    leaked: Gauge,
}

impl Published {
    pub(super) fn new() -> Self {
        let by_reason = |name: &'static str, word| counter!(name, "reason" => word);
        Self {
            exhausted: counter!(names::EXHAUSTED),
            connected: counter!(names::CONNECTED),
            connect_failed: ConnectReason::ALL
                .iter()
                .map(|reason| by_reason(names::CONNECT_FAILED, reason.word()))
                .collect(),
            reaped: Reaped::ALL
                .iter()
                .map(|reason| by_reason(names::REAPED, reason.word()))
                .collect(),
            generations: counter!(names::GENERATIONS),
            timed_out: commands::names()
                .map(|operation| counter!(names::TIMED_OUT, "operation" => operation))
                .collect(),
            wait_seconds: histogram!(names::WAIT_SECONDS),
            held_seconds: histogram!(names::HELD_SECONDS),
            operation_seconds: commands::names()
                .map(|operation| histogram!(names::OPERATION_SECONDS, "operation" => operation))
                .collect(),
            size: gauge!(names::SIZE),
            active: gauge!(names::ACTIVE),
            idle: gauge!(names::IDLE),
            waiting: gauge!(names::WAITING),
            utilisation: gauge!(names::UTILISATION),
            lanes: gauge!(names::LANES),
            in_flight: gauge!(names::IN_FLIGHT),
            leaked: gauge!(names::LEAKED),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a pool has at most 65535 sockets")]
    pub(super) fn set_levels(&self, snapshot: &PoolSnapshot) {
        let status = snapshot.status;
        self.size.set(status.size as f64);
        self.active.set(status.active as f64);
        self.idle.set(status.idle as f64);
        self.waiting.set(status.waiting as f64);
        self.utilisation.set(status.utilisation());
        self.lanes.set(status.lanes as f64);
        self.in_flight.set(status.in_flight as f64);
        self.leaked.set(snapshot.leaked as f64);
    }
}
