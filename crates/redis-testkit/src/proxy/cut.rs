//! Cutting one connection in the middle of a reply.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fault::End;

/// A cut that is armed, or none.
#[derive(Debug, Default)]
pub(super) struct Cut(Mutex<Option<Armed>>);

#[derive(Debug)]
struct Armed {
    after: u64,
    end: End,
    /// The connection that replied first since then, and what it may still deliver.
    taken: Option<(u64, u64)>,
}

/// What may be done with a piece of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// Deliver it.
    Pass,
    /// Deliver this many bytes of it, then end the connection.
    Cut(usize, End),
}

impl Cut {
    pub(super) fn arm(&self, after: u64, end: End) {
        *self.lock() = Some(Armed { after, end, taken: None });
    }

    pub(super) fn disarm(&self) {
        *self.lock() = None;
    }

    /// Rules on `length` bytes that a connection received from the server.
    pub(super) fn rule(&self, connection: u64, length: usize) -> Ruling {
        let mut armed = self.lock();
        let Some(Armed { after, end, taken }) = armed.as_mut() else { return Ruling::Pass };
        let (owner, left) = taken.get_or_insert((connection, *after));
        if *owner != connection {
            return Ruling::Pass;
        }
        match usize::try_from(*left) {
            Ok(bytes) if bytes <= length => {
                let end = *end;
                *armed = None;
                Ruling::Cut(bytes, end)
            }
            _ => {
                *left -= length as u64;
                Ruling::Pass
            }
        }
    }

    /// Gives the cut back when its connection ended before it came to that.
    pub(super) fn release(&self, connection: u64) {
        if let Some(Armed { taken, .. }) = self.lock().as_mut()
            && taken.is_some_and(|(owner, _)| owner == connection)
        {
            *taken = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_connection_is_cut_once_after_its_bytes() {
        let cut = Cut::default();
        assert_eq!(cut.rule(1, 5), Ruling::Pass);
        cut.arm(7, End::Close);
        assert_eq!(cut.rule(1, 5), Ruling::Pass);
        assert_eq!(cut.rule(2, 50), Ruling::Pass);
        assert_eq!(cut.rule(1, 5), Ruling::Cut(2, End::Close));
        assert_eq!(cut.rule(1, 5), Ruling::Pass);
    }

    #[test]
    fn a_cut_comes_as_soon_as_its_bytes_are_delivered() {
        let cut = Cut::default();
        cut.arm(0, End::Reset);
        assert_eq!(cut.rule(1, 5), Ruling::Cut(0, End::Reset));
        cut.arm(5, End::Reset);
        assert_eq!(cut.rule(1, 5), Ruling::Cut(5, End::Reset));
    }

    #[test]
    fn another_connection_takes_a_cut_that_was_given_back() {
        let cut = Cut::default();
        cut.arm(3, End::Silence);
        assert_eq!(cut.rule(1, 2), Ruling::Pass);
        cut.release(2);
        cut.release(1);
        assert_eq!(cut.rule(2, 4), Ruling::Cut(3, End::Silence));
        cut.arm(3, End::Silence);
        cut.disarm();
        assert_eq!(cut.rule(2, 4), Ruling::Pass);
    }
}
