//! What a network does wrong.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// What happens to connections as long as it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing: every byte is forwarded at once.
    #[default]
    None,
    /// Each piece of a reply is held for this long, counted from when it came from the server.
    Delay(Duration),
    /// Nothing is forwarded in either direction. New connections are accepted, and reach no server.
    /// When another fault is set, what was held is forwarded, as after a network was parted. What a
    /// client sent before it gave up is lost.
    BlackHole,
    /// Every open connection is reset, and every new one as soon as it is accepted.
    Reset,
    /// Nothing listens: new connections are refused. Those that are open go on.
    Refuse,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The client reads the end of the stream.
    Close,
    /// The client is told that the connection was reset.
    Reset,
    /// The client is told nothing: its socket stays open, and what it sends is swallowed. The
    /// server's end is closed, so that the connection is half-open.
    Silence,
}

/// Waits as long as the fault holds back what came at `arrived`.
pub(super) async fn hold(fault: &mut watch::Receiver<Fault>, arrived: Instant, is_reply: bool) {
    loop {
        let current = *fault.borrow_and_update();
        let changed = match current {
            Fault::BlackHole => fault.changed().await,
            Fault::Delay(delay) if is_reply => {
                tokio::select! {
                    () = tokio::time::sleep_until((arrived + delay).into()) => return,
                    changed = fault.changed() => changed,
                }
            }
            _ => return,
        };
        if changed.is_err() {
            // The proxy ends, and with it this connection.
            return;
        }
    }
}
