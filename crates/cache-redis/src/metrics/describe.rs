//! Telling a recorder what the metrics mean.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use super::names;

/// Describes every metric of this crate to the installed recorder.
///
/// Call it once, after installing the recorder.
pub fn describe() {
    let levels = [
        (names::SIZE, "The most sockets that may be open."),
        (names::ACTIVE, "Exclusive connections handed out, and lanes with a command in flight."),
        (names::IDLE, "Open sockets that serve nobody."),
        (names::WAITING, "Callers that wait for a connection or a place on a lane."),
        (names::UTILISATION, "The active part of the size."),
        (names::LANES, "Lanes that are open."),
        (names::IN_FLIGHT, "Commands on lanes that are not answered yet."),
        (names::LEAKED, "Exclusive connections held for longer than the limit."),
    ];
    for (name, meaning) in levels {
        describe_gauge!(name, Unit::Count, meaning);
    }
    let counters = [
        (names::EXHAUSTED, "Callers that gave up at their deadline while all was in use."),
        (names::CONNECTED, "Connections made."),
        (names::CONNECT_FAILED, "Attempts to connect that failed, by reason."),
        (names::REAPED, "Connections that the pool closed, by reason."),
        (names::GENERATIONS, "Failures after which all connections were made anew."),
        (names::TIMED_OUT, "Commands that were not answered in time, by operation."),
    ];
    for (name, meaning) in counters {
        describe_counter!(name, Unit::Count, meaning);
    }
    let times = [
        (names::WAIT_SECONDS, "The wait for a connection or a place on a lane."),
        (names::HELD_SECONDS, "The time that exclusive connections were held."),
        (names::OPERATION_SECONDS, "The time from a command's call to its answer, by operation."),
    ];
    for (name, meaning) in times {
        describe_histogram!(name, Unit::Seconds, meaning);
    }
}
