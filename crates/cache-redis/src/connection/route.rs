//! Which slot of a cluster a request belongs to.

use redis::{Arg, Cmd};

use super::request::Request;
use crate::cluster::slot_of;

/// Where a request has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// To the owner of a slot.
    Slot(u16),
    /// To any node.
    Any,
    /// To each node, and so to none in particular.
    Each,
    /// It has keys of several slots.
    Crossed,
}

/// Commands without a key that every node answers alike.
const ANYWHERE: [&[u8]; 6] = [b"ECHO", b"PING", b"TIME", b"LOLWUT", b"COMMAND", b"PUBLISH"];

/// Words after CLUSTER that every node answers alike.
const OF_THE_CLUSTER: [&[u8]; 3] = [b"KEYSLOT", b"SHARDS", b"SLOTS"];

/// Commands without a key whose answer is that of one node, or that are to reach all of them.
const ONE_BY_ONE: [&[u8]; 31] = [
    b"ACL",
    b"BGREWRITEAOF",
    b"BGSAVE",
    b"CONFIG",
    b"DBSIZE",
    b"DEBUG",
    b"FAILOVER",
    b"FLUSHALL",
    b"FLUSHDB",
    b"FUNCTION",
    b"INFO",
    b"KEYS",
    b"LASTSAVE",
    b"LATENCY",
    b"MODULE",
    b"PUBSUB",
    b"RANDOMKEY",
    b"REPLICAOF",
    b"ROLE",
    b"SAVE",
    b"SCAN",
    b"SCRIPT",
    b"SHUTDOWN",
    b"SLAVEOF",
    b"SLOWLOG",
    b"SWAPDB",
    b"SYNC",
    b"PSYNC",
    b"UNWATCH",
    b"WAIT",
    b"WAITAOF",
];

/// Commands with the number of their keys as the second argument, and the keys after it.
const COUNTED_SECOND: [&[u8]; 8] =
    [b"BLMPOP", b"BZMPOP", b"EVAL", b"EVALSHA", b"EVALSHA_RO", b"EVAL_RO", b"FCALL", b"FCALL_RO"];

/// Commands with the number of their keys as the first argument.
const COUNTED_FIRST: [&[u8]; 7] =
    [b"LMPOP", b"SINTERCARD", b"ZDIFF", b"ZINTER", b"ZINTERCARD", b"ZMPOP", b"ZUNION"];

/// Commands whose first argument is no key, and the second one is.
const KEY_SECOND: [&[u8]; 5] = [b"BITOP", b"MEMORY", b"OBJECT", b"XGROUP", b"XINFO"];

/// The route of a request: that of its first key, for a pipeline that all commands with keys share.
pub(super) fn of(request: Request<'_>) -> Route {
    match request {
        Request::One(command) => of_command(command),
        Request::Many(pipeline) => pipeline.cmd_iter().map(of_command).fold(Route::Any, join),
    }
}

/// Commands without keys go along with those that have some.
fn join(one: Route, other: Route) -> Route {
    match (one, other) {
        (Route::Crossed, _) | (_, Route::Crossed) => Route::Crossed,
        (Route::Slot(one), Route::Slot(other)) if one != other => Route::Crossed,
        (Route::Slot(slot), _) | (_, Route::Slot(slot)) => Route::Slot(slot),
        (Route::Each, _) | (_, Route::Each) => Route::Each,
        (Route::Any, Route::Any) => Route::Any,
    }
}

/// Whether a request is for each node, and all of them give it the same answer: SCRIPT LOAD.
pub(super) fn is_for_all(request: Request<'_>) -> bool {
    let Request::One(command) = request else { return false };
    let mut words = words(command);
    let mut is_next =
        |word: &[u8]| words.next().is_some_and(|next| next.eq_ignore_ascii_case(word));
    is_next(b"SCRIPT") && is_next(b"LOAD")
}

fn words(command: &Cmd) -> impl Iterator<Item = &[u8]> {
    command.args_iter().filter_map(|word| match word {
        Arg::Simple(word) => Some(word),
        _ => None,
    })
}

fn of_command(command: &Cmd) -> Route {
    let mut words = words(command);
    let Some(name) = words.next() else { return Route::Any };
    let is_in = |names: &[&[u8]]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let key = if is_in(&ANYWHERE) {
        return Route::Any;
    } else if is_in(&ONE_BY_ONE) {
        return Route::Each;
    } else if is_in(&[b"CLUSTER"]) {
        let is_alike = words.next().is_some_and(|word| {
            OF_THE_CLUSTER.iter().any(|other| other.eq_ignore_ascii_case(word))
        });
        return if is_alike { Route::Any } else { Route::Each };
    } else if is_in(&[b"MIGRATE"]) {
        // Behind the host and the port. Several keys come last, and an empty one in their place.
        words.nth(2).filter(|key| !key.is_empty()).or_else(|| {
            words.find(|word| word.eq_ignore_ascii_case(b"KEYS"))?;
            words.next()
        })
    } else if is_in(&COUNTED_SECOND) {
        counted(words.skip(1))
    } else if is_in(&COUNTED_FIRST) {
        counted(words)
    } else if is_in(&KEY_SECOND) {
        match words.nth(1) {
            Some(key) => Some(key),
            // `MEMORY DOCTOR` and its like look at one node.
            None => return Route::Each,
        }
    } else if is_in(&[b"XREAD", b"XREADGROUP"]) {
        words.find(|word| word.eq_ignore_ascii_case(b"STREAMS"));
        words.next()
    } else {
        words.next()
    };
    key.map_or(Route::Any, |key| Route::Slot(slot_of(key)))
}

/// The first key behind the number of keys; nothing where that is zero.
fn counted<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let number = words.next()?;
    words.next().filter(|_| number.iter().any(|digit| *digit != b'0'))
}

#[cfg(test)]
mod tests {
    use redis::{cmd, pipe};

    use super::*;

    fn command(words: &str) -> Cmd {
        let mut words = words.split(' ');
        let mut command = cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command
    }

    #[test]
    fn a_command_goes_to_the_slot_of_its_first_key() {
        let check = |words: &str, expected| {
            assert_eq!(of(Request::One(&command(words))), expected, "{words}");
        };
        let foo = Route::Slot(slot_of(b"foo"));
        check("GET foo", foo);
        check("mget foo bar", foo);
        check("EVAL return 1 foo bar", foo);
        check("evalsha 0000 2 foo bar", foo);
        check("EVAL return 0 foo", Route::Any);
        check("EVAL return 00 foo", Route::Any);
        check("EVALSHA 0000", Route::Any);
        check("FCALL name 1 foo", foo);
        check("ZUNION 2 foo bar", foo);
        check("BITOP AND foo bar", foo);
        check("OBJECT ENCODING foo", foo);
        check("XGROUP CREATE foo group $", foo);
        check("XREAD COUNT 1 STREAMS foo bar $ $", foo);
        check("XREADGROUP GROUP g c streams foo >", foo);
        check("SPUBLISH foo text", foo);
        check("JSON.SET foo $ 1", foo);
        check("MEMORY USAGE foo", foo);
        check("MEMORY DOCTOR", Route::Each);
        check("PING", Route::Any);
        check("publish foo text", Route::Any);
        check("dbsize", Route::Each);
        check("SCAN 0", Route::Each);
        check("WAIT 1 100", Route::Each);
        check("CLUSTER SLOTS", Route::Any);
        check("cluster keyslot foo", Route::Any);
        check("CLUSTER FAILOVER", Route::Each);
        check("CLUSTER GETKEYSINSLOT 1 1", Route::Each);
        check("CLUSTER", Route::Each);
        check("MIGRATE host 6379 foo 0 1000", foo);
        check("MIGRATE host 6379  0 1000 REPLACE KEYS foo bar", foo);
    }

    #[test]
    fn a_script_is_loaded_everywhere() {
        let check = |words: &str, expected| {
            assert_eq!(is_for_all(Request::One(&command(words))), expected, "{words}");
        };
        check("SCRIPT LOAD text", true);
        check("script load text", true);
        check("SCRIPT FLUSH", false);
        check("SCRIPT", false);
        check("GET LOAD", false);
    }

    #[test]
    fn a_pipeline_has_one_slot() {
        let check = |commands: &[&str], expected| {
            let mut pipeline = pipe();
            for words in commands {
                pipeline.add_command(command(words));
            }
            assert_eq!(of(Request::Many(&pipeline)), expected, "{commands:?}");
        };
        let foo = Route::Slot(slot_of(b"foo"));
        check(&[], Route::Any);
        check(&["PING", "SET {foo}1 a", "GET foo", "WAIT 1 1"], foo);
        check(&["SET foo a", "SET bar a"], Route::Crossed);
        check(&["SET foo a", "SET bar a", "GET foo"], Route::Crossed);
        check(&["PING", "DBSIZE"], Route::Each);
    }
}
