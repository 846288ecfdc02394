//! What the commands of a server do to their connection.

use std::sync::LazyLock;

use super::command_names::{BLOCKING, READS, STATEFUL, WRITES};

/// What a command does, as far as sharing its connection, and repeating it, is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It changes nothing.
    Read,
    /// It may change data, and leaves the connection as it was.
    Write,
    /// It may hold up the connection for as long as its arguments say.
    Blocking,
    /// It does so if its arguments ask for it.
    MayBlock,
    /// It begins to watch keys.
    Watch,
    /// It ends the watching of keys.
    Unwatch,
    /// It begins a transaction.
    Multi,
    /// It ends a transaction, and the watching of keys.
    Exec,
    /// It changes the connection for the commands after it.
    Stateful,
    /// It ends the connection.
    Quit,
    /// It has no words, and a server answers none such: later answers would go to others.
    Empty,
    /// It is not in the tables: of a module, or newer than they are.
    Unknown,
}

/// A command as metrics and errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The name in capitals, or what stands for several commands.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Its place in the order of [`names`].
    pub(crate) index: usize,
}

/// Several commands in one write.
pub(crate) const PIPELINE: &str = "PIPELINE";

/// Several commands between MULTI and EXEC in one write.
pub(crate) const TRANSACTION: &str = "TRANSACTION";

const OTHER: &str = "OTHER";

/// Every operation in the order of their indexes.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.operations.iter().map(|(name, _)| *name)
}

/// Looks up a command by its name, in capitals or not.
pub(crate) fn operation(name: &[u8]) -> Operation {
    find(name).or_else(|| find(OTHER.as_bytes())).unwrap_or(NONE)
}

/// Looks up what stands for several commands.
pub(crate) fn several(name: &'static str, kind: Kind) -> Operation {
    Operation { kind, ..find(name.as_bytes()).unwrap_or(NONE) }
}

fn find(name: &[u8]) -> Option<Operation> {
    let Table { operations, places } = &*TABLE;
    let mut place = first_place(name);
    loop {
        let index = usize::from(places[place].checked_sub(1)?);
        let (known, kind) = operations[index];
        if known.as_bytes().eq_ignore_ascii_case(name) {
            return Some(Operation { name: known, kind, index });
        }
        place = (place + 1) % PLACES;
    }
}

const NONE: Operation = Operation { name: OTHER, kind: Kind::Unknown, index: 0 };

/// Several times as many as there are names, so that most look-ups see one of them.
const PLACES: usize = 1024;

/// All commands, found by a hash of their names: this is on the way of every command.
struct Table {
    /// Sorted by name.
    operations: Vec<(&'static str, Kind)>,
    /// One more than the index of an operation, or zero where there is none.
    places: [u16; PLACES],
}

/// Where the search for a name begins, whatever its case. Its length and four of its letters tell
/// most names apart.
fn first_place(name: &[u8]) -> usize {
    let [Some(first), Some(last)] = [name.first(), name.last()] else { return 0 };
    let letters = [*first, name[name.len() / 2], name[name.len() * 3 / 4], *last];
    let hash = letters.iter().fold(name.len(), |hash, letter| {
        // Without the bit that makes a letter small.
        hash.wrapping_mul(31).wrapping_add(usize::from(letter & !0x20))
    });
    hash % PLACES
}

/// All tables in one.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut operations = vec![
        ("WATCH", Kind::Watch),
        ("UNWATCH", Kind::Unwatch),
        ("MULTI", Kind::Multi),
        ("EXEC", Kind::Exec),
        ("DISCARD", Kind::Exec),
        ("QUIT", Kind::Quit),
        ("XREAD", Kind::MayBlock),
        ("XREADGROUP", Kind::MayBlock),
        (PIPELINE, Kind::Unknown),
        (TRANSACTION, Kind::Unknown),
        (OTHER, Kind::Unknown),
    ];
    let mut add = |names: &[&'static str], kind| {
        operations.extend(names.iter().map(|name| (*name, kind)));
    };
    add(&READS, Kind::Read);
    add(&WRITES, Kind::Write);
    add(&BLOCKING, Kind::Blocking);
    add(&STATEFUL, Kind::Stateful);
    operations.sort_unstable_by_key(|(name, _)| *name);
    let mut places = [0; PLACES];
    for (number, (name, _)) in (1..).zip(&operations) {
        let mut place = first_place(name.as_bytes());
        while places[place] > 0 {
            place = (place + 1) % PLACES;
        }
        places[place] = number;
    }
    Table { operations, places }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_any_case() {
        let check = |name: &str, found: &str, kind| {
            let operation = operation(name.as_bytes());
            assert_eq!((operation.name, operation.kind), (found, kind), "{name}");
            assert_eq!(names().nth(operation.index), Some(found));
        };
        check("GET", "GET", Kind::Read);
        check("get", "GET", Kind::Read);
        check("Set", "SET", Kind::Write);
        check("georadiusbymember_ro", "GEORADIUSBYMEMBER_RO", Kind::Read);
        check("blpop", "BLPOP", Kind::Blocking);
        check("client", "CLIENT", Kind::Stateful);
        check("exec", "EXEC", Kind::Exec);
        check("quit", "QUIT", Kind::Quit);
        check("json.set", "OTHER", Kind::Unknown);
        check("a name that is longer than any", "OTHER", Kind::Unknown);
        check("", "OTHER", Kind::Unknown);
    }

    #[test]
    fn no_name_is_there_twice() {
        let names: Vec<_> = names().collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(names.len() * 3 < PLACES);
    }
}
