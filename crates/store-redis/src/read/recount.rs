//! Whole namespaces under another counter, some conversations at a time.
//!
//! A note for each namespace holds the counter's code, the servers, and how far they were looked
//! through. A cursor means nothing to another server, so the walk begins again where one is new.

use cache_redis::connection::cmd;
use memory_core::{CounterId, Limits, Namespace};

use super::backlog::states;
use super::list::scan;
use crate::answer::texts;
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
    let code = inner.code(counter).await?;
    let mut command = cmd("HSET");
    command.arg(inner.prefix.recounts()).arg(namespace.as_str());
    command.arg(Note::new(code).encode());
    inner.client.command(&command).await.map(drop)
}

/// Makes a counter current in some of the conversations that are to have it; whether there are
/// more.
pub(super) async fn go_on(inner: &Inner, code: Code) -> Result<bool, Fault> {
    let key = inner.prefix.recounts();
    let answer = match inner.client.command(cmd("HGETALL").arg(&key)).await {
        // Notes of another type say nothing, and do not keep anything from being counted.
        Err(Fault::Damaged(_)) => return Ok(false),
        answer => answer?,
    };
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
    let servers = inner.client.servers().await?;
    let runs = digest(servers.iter().map(|(run, _)| run.as_str()));
    if note.runs != runs {
        note = Note { runs, server: 0, cursor: 0, ..note };
    }
    while let Some((_, server)) = servers.get(note.server)
        && left.steps > 0
        && left.switches > 0
    {
        left.steps -= 1;
        let (next, keys) = scan(inner, server, namespace, note.cursor).await?;
        for (key, state) in states(inner, &keys).await? {
            if state.current == note.code {
                continue;
            }
            left.switches = left.switches.saturating_sub(1);
            match switch(inner, &inner.prefix.keys(&key), note.code, 0).await {
                // It keeps its own counter, or whoever uses it is told that it is damaged.
                Err(Fault::Refused(_) | Fault::Damaged(_)) => {}
                switched => switched.map(drop)?,
            }
        }
        note.cursor = next;
        note.server += usize::from(next == 0);
    }
    let is_seen = note.server >= servers.len();
    let new = if is_seen { Vec::new() } else { note.encode() };
    // A later note of the namespace stays.
    let key = inner.prefix.recounts();
    let keys = [key.as_slice()];
    let noted = inner.client.script_on(&NOTE, &keys, |command| {
        command.arg(namespace.as_str()).arg(stored).arg(new.as_slice());
    });
    noted.await?;
    Ok(is_seen)
}

/// What stands for these runs of servers: another one for each of them that starts anew.
fn digest<'a>(runs: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for run in runs {
        hasher.update(run.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// How far the conversations of one namespace were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    code: Code,
    /// The servers that are walked over; empty before the first step.
    runs: String,
    /// How many of them were seen.
    server: usize,
    /// Where the walk over the next one goes on.
    cursor: u64,
}

impl Note {
    const fn new(code: Code) -> Self {
        Self { code, runs: String::new(), server: 0, cursor: 0 }
    }

    fn encode(&self) -> Vec<u8> {
        let Self { code, runs, server, cursor } = self;
        format!("{} {server} {cursor} {runs}", code.as_str()).into_bytes()
    }

    fn decode(note: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(note).ok()?.splitn(4, ' ');
        let code = Code::parse(words.next()?.as_bytes())?;
        let (server, cursor) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { code, server, cursor, runs: words.next()?.to_owned() })
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
        for runs in ["", "abc"] {
            let code = Code::from_bits(7);
            let note = Note { runs: runs.to_owned(), server: 2, cursor: 9, ..Note::new(code) };
            assert_eq!(Note::decode(&note.encode()), Some(note));
        }
        for bytes in [&b""[..], b"AbC", b"AbC 1", b"AbC 1 x y", b"Ab1 1 1 y", b"\xff 1 1 y"] {
            assert_eq!(Note::decode(bytes), None);
        }
    }
}
