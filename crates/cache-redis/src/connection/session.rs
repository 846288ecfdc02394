//! What commands have left behind on a connection.

use super::commands::Kind;

/// Whether a connection is as it was when it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each of them may hold beside the others")]
pub(crate) struct Session {
    /// A command was sent, and its answer has not come.
    in_flight: bool,
    watching: bool,
    in_transaction: bool,
    changed: bool,
}

impl Session {
    /// Whether the next user would find nothing of the last one.
    pub(crate) fn is_clean(self) -> bool {
        self == Self::default()
    }

    /// Notes that a command is about to be sent.
    pub(crate) fn begin(&mut self, kind: Kind) {
        self.in_flight = true;
        match kind {
            Kind::Watch => self.watching = true,
            Kind::Multi => self.in_transaction = true,
            Kind::Stateful | Kind::Quit | Kind::Unknown => self.changed = true,
            Kind::Read
            | Kind::Write
            | Kind::Blocking
            | Kind::MayBlock
            | Kind::Unwatch
            | Kind::Exec
            | Kind::Empty => {}
        }
    }

    /// Notes that the answer came, which proves that those before it came too.
    pub(crate) fn answered(&mut self) {
        self.in_flight = false;
    }

    /// Notes that the server did what the command asks.
    pub(crate) fn done(&mut self, kind: Kind) {
        match kind {
            Kind::Exec => (self.watching, self.in_transaction) = (false, false),
            // Within a transaction it is only queued.
            Kind::Unwatch if !self.in_transaction => self.watching = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::commands::operation;
    use super::*;

    #[test]
    fn only_a_connection_without_leftovers_is_clean() {
        let check = |commands: &[&str], clean: bool| {
            let mut session = Session::default();
            for name in commands {
                let operation = operation(name.as_bytes());
                session.begin(operation.kind);
                assert!(!session.is_clean(), "{name} is in flight");
                session.answered();
                session.done(operation.kind);
            }
            assert_eq!(session.is_clean(), clean, "{commands:?}");
        };
        check(&[], true);
        check(&["GET", "SET", "BLPOP", "EVALSHA"], true);
        check(&["WATCH"], false);
        check(&["WATCH", "UNWATCH"], true);
        check(&["WATCH", "MULTI", "SET"], false);
        check(&["WATCH", "MULTI", "SET", "EXEC"], true);
        check(&["WATCH", "MULTI", "UNWATCH"], false);
        check(&["MULTI", "DISCARD"], true);
        check(&["SELECT"], false);
        check(&["QUIT"], false);
        check(&["CLIENT", "RESET"], false);
        check(&["FT.SEARCH"], false);
    }
}
