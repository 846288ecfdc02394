//! Whole namespaces under another counter, some conversations at a time.
//!
//! A note for each namespace holds the counter's code, the server that was looked through, and how
//! far. A cursor means nothing to another server, so there the walk begins again.

use cache_redis::connection::{Value, cmd};
use memory_core::{CounterId, Limits, Namespace};

use super::backlog::states;
use super::list::scan;
use crate::answer::{bytes, number, texts};
use crate::element::Code;
use crate::error::Fault;
use crate::inner::Inner;
use crate::scripts::NOTE;
use crate::write::switch;

/// Steps of a walk that one claim takes at most.
const STEPS: usize = 64;

/// Conversations that one claim changes, at most about.
const SWITCHES: usize = 256;

/// As [`MemoryStore::recount`](memory_core::MemoryStore::recount).
pub(crate) async fn recount(
    inner: &Inner,
    namespace: &Namespace,
    counter: &CounterId,
) -> Result<(), Fault> {
    let code = inner.counters.code(&inner.client, counter).await?;
    let mut command = cmd("HSET");
    command.arg(inner.prefix.recounts()).arg(namespace.as_str());
    command.arg(Note { code, server: String::new(), cursor: 0 }.encode());
    inner.client.command(&command).await.map(drop)
}

/// Makes a counter current in some of the conversations that are to have it; whether there are
/// more.
pub(super) async fn go_on(inner: &Inner, code: Code) -> Result<bool, Fault> {
    let key = inner.prefix.recounts();
    let answer = inner.client.command(cmd("HGETALL").arg(&key)).await?;
    let notes = texts(answer, "the notes on recounts")?;
    let mut left = Allowance { steps: STEPS, switches: SWITCHES };
    for pair in notes.chunks_exact(2) {
        // One damaged note does not keep everything else from being counted.
        let Some((namespace, note)) = read(&pair[0], &pair[1]) else { continue };
        if note.code == code && !of_namespace(inner, &namespace, note, &pair[1], &mut left).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What one claim may still do.
struct Allowance {
    steps: usize,
    switches: usize,
}

/// Goes on with one namespace; whether all of it was seen.
async fn of_namespace(
    inner: &Inner,
    namespace: &Namespace,
    mut note: Note,
    stored: &[u8],
    left: &mut Allowance,
) -> Result<bool, Fault> {
    let server = server(inner).await?;
    if note.server != server {
        note = Note { server, cursor: 0, ..note };
    }
    let mut is_seen = false;
    while !is_seen && left.steps > 0 && left.switches > 0 {
        left.steps -= 1;
        let (next, keys) = scan(inner, namespace, note.cursor).await?;
        for (key, state) in states(inner, &keys).await? {
            if state.current == note.code {
                continue;
            }
            left.switches = left.switches.saturating_sub(1);
            match switch(inner, &inner.prefix.keys(&key), note.code).await {
                // It keeps its own counter, or whoever uses it is told that it is damaged.
                Err(Fault::Refused(_) | Fault::Damaged(_)) => {}
                switched => switched.map(drop)?,
            }
        }
        note.cursor = next;
        is_seen = next == 0;
    }
    let new = if is_seen { Vec::new() } else { note.encode() };
    // A later note of the namespace stays.
    let keys = [inner.prefix.recounts()];
    let noted = inner.client.script_on(&NOTE, &keys, |command| {
        command.arg(namespace.as_str()).arg(stored).arg(new.as_slice());
    });
    noted.await?;
    Ok(is_seen)
}

/// What tells servers apart: each start has another.
async fn server(inner: &Inner) -> Result<String, Fault> {
    const WHAT: &str = "INFO server";
    let info = bytes(inner.client.command(cmd("INFO").arg("server")).await?);
    let info = info.ok_or_else(|| Fault::answer(WHAT))?;
    let info = String::from_utf8_lossy(&info);
    let id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
    id.map(|id| id.trim().to_owned()).ok_or_else(|| Fault::answer(WHAT))
}

/// How far the conversations of one namespace were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    code: Code,
    server: String,
    cursor: u64,
}

impl Note {
    fn encode(&self) -> Vec<u8> {
        format!("{} {} {}", self.code.as_str(), self.cursor, self.server).into_bytes()
    }

    fn decode(note: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(note).ok()?.splitn(3, ' ');
        let code = Code::parse(words.next()?.as_bytes())?;
        let cursor = words.next().map(|word| Value::BulkString(word.into()))?;
        let cursor = number(&cursor)?;
        Some(Self { code, cursor, server: words.next()?.to_owned() })
    }
}

fn read(namespace: &[u8], note: &[u8]) -> Option<(Namespace, Note)> {
    let limits = Limits { id_bytes: usize::MAX, ..Limits::default() };
    let namespace = Namespace::within(std::str::from_utf8(namespace).ok()?, &limits).ok()?;
    Some((namespace, Note::decode(note)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_survive_their_bytes_and_others_are_none() {
        for server in ["", "abc"] {
            let note = Note { code: Code::from_bits(7), server: server.to_owned(), cursor: 9 };
            assert_eq!(Note::decode(&note.encode()), Some(note));
        }
        for bytes in [&b""[..], b"AbC", b"AbC 1", b"AbC x y", b"Ab1 1 y", b"\xff 1 y"] {
            assert_eq!(Note::decode(bytes), None);
        }
    }
}
