//! Handles to the metrics of a pool, looked up once so that using them is cheap.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, SharedString, counter, gauge, histogram};

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
    /// Those of a pool of this name.
    pub(super) fn new(pool: &str) -> Self {
        let pool = SharedString::from_shared(Arc::from(pool));
        let pool = || pool.clone();
        let by_reason =
            |name: &'static str, word| counter!(name, "pool" => pool(), "reason" => word);
        Self {
            exhausted: counter!(names::EXHAUSTED, "pool" => pool()),
            connected: counter!(names::CONNECTED, "pool" => pool()),
            connect_failed: ConnectReason::ALL
                .iter()
                .map(|reason| by_reason(names::CONNECT_FAILED, reason.word()))
                .collect(),
            reaped: Reaped::ALL
                .iter()
                .map(|reason| by_reason(names::REAPED, reason.word()))
                .collect(),
            generations: counter!(names::GENERATIONS, "pool" => pool()),
            timed_out: commands::names()
                .map(|operation| counter!(names::TIMED_OUT, "pool" => pool(), "operation" => operation))
                .collect(),
            wait_seconds: histogram!(names::WAIT_SECONDS, "pool" => pool()),
            held_seconds: histogram!(names::HELD_SECONDS, "pool" => pool()),
            operation_seconds: commands::names()
                .map(|operation| histogram!(names::OPERATION_SECONDS, "pool" => pool(), "operation" => operation))
                .collect(),
            size: gauge!(names::SIZE, "pool" => pool()),
            active: gauge!(names::ACTIVE, "pool" => pool()),
            idle: gauge!(names::IDLE, "pool" => pool()),
            waiting: gauge!(names::WAITING, "pool" => pool()),
            utilisation: gauge!(names::UTILISATION, "pool" => pool()),
            lanes: gauge!(names::LANES, "pool" => pool()),
            in_flight: gauge!(names::IN_FLIGHT, "pool" => pool()),
            leaked: gauge!(names::LEAKED, "pool" => pool()),
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

/// A pool that has ended has no levels.
impl Drop for Published {
    fn drop(&mut self) {
        self.set_levels(&PoolSnapshot::default());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use metrics::{Key, KeyName, Metadata, Recorder, Unit, with_local_recorder};

    use super::*;
    use crate::PoolStatus;

    /// Keeps levels by name and pool.
    #[derive(Default)]
    struct Levels(Mutex<BTreeMap<(String, String), Arc<AtomicU64>>>);

    impl Levels {
        fn of(&self, name: &str, pool: &str) -> f64 {
            let levels = self.0.lock().unwrap();
            let level = &levels[&(name.to_owned(), pool.to_owned())];
            f64::from_bits(level.load(Ordering::Relaxed))
        }
    }

    impl Recorder for Levels {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            assert!(key.labels().any(|label| label.key() == "pool"), "{key}");
            Counter::noop()
        }

        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            let pool = key.labels().find(|label| label.key() == "pool").unwrap();
            let place = (key.name().to_owned(), pool.value().to_owned());
            Gauge::from_arc(Arc::clone(self.0.lock().unwrap().entry(place).or_default()))
        }

        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            assert!(key.labels().any(|label| label.key() == "pool"), "{key}");
            Histogram::noop()
        }
    }

    #[test]
    fn pools_have_levels_of_their_own_until_they_end() {
        let levels = Levels::default();
        let (first, second) =
            with_local_recorder(&levels, || (Published::new("first"), Published::new("second")));
        let of_size = |size| PoolSnapshot {
            status: PoolStatus { size, ..PoolStatus::default() },
            ..PoolSnapshot::default()
        };
        first.set_levels(&of_size(10));
        second.set_levels(&of_size(20));
        let check = |first: f64, second: f64| {
            let found = ["first", "second"].map(|pool| levels.of(names::SIZE, pool).to_bits());
            assert_eq!(found, [first.to_bits(), second.to_bits()]);
        };
        check(10.0, 20.0);
        drop(first);
        check(0.0, 20.0);
    }
}
