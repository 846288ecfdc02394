//! The names that metrics are published under.

/// Gauge: the most sockets that may be open.
pub const SIZE: &str = "turnledger_redis_size";

/// Gauge: exclusive connections handed out, and lanes with a command in flight; in a cluster
/// connections to its nodes with a command in flight.
pub const ACTIVE: &str = "turnledger_redis_active";

/// Gauge: all other open sockets.
pub const IDLE: &str = "turnledger_redis_idle";

/// Gauge: callers that wait.
pub const WAITING: &str = "turnledger_redis_waiting";

/// Gauge: active by size.
pub const UTILISATION: &str = "turnledger_redis_utilisation_ratio";

/// Gauge: lanes that are open.
pub const LANES: &str = "turnledger_redis_lanes";

/// Gauge: commands on lanes that are not answered yet.
pub const IN_FLIGHT: &str = "turnledger_redis_in_flight";

/// Gauge: exclusive connections held for longer than the limit.
pub const LEAKED: &str = "turnledger_redis_leaked";

/// Counter: callers that gave up at their deadline while all was in use.
pub const EXHAUSTED: &str = "turnledger_redis_exhausted_total";

/// Counter: connections made.
pub const CONNECTED: &str = "turnledger_redis_connected_total";

/// Counter, with the label `reason`: attempts to connect that failed.
pub const CONNECT_FAILED: &str = "turnledger_redis_connect_failed_total";

/// Counter, with the label `reason`: connections that the pool closed.
pub const REAPED: &str = "turnledger_redis_reaped_total";

/// Counter: failures after which all connections were made anew.
pub const GENERATIONS: &str = "turnledger_redis_generations_total";

/// Counter, with the label `operation`: commands that were not answered in time.
pub const TIMED_OUT: &str = "turnledger_redis_timed_out_total";

/// Histogram: the wait for a connection or a place on a lane.
pub const WAIT_SECONDS: &str = "turnledger_redis_wait_seconds";

/// Histogram: the time that exclusive connections were held.
pub const HELD_SECONDS: &str = "turnledger_redis_held_seconds";

/// Histogram, with the label `operation`: the time from the call of a command to its answer.
pub const OPERATION_SECONDS: &str = "turnledger_redis_operation_seconds";
