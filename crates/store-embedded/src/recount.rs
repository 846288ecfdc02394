//! The note that a whole namespace is to be counted by one counter.

use std::ops::Bound;

use memory_core::Namespace;
use redb::ReadableTable;

use crate::bytes::Damage;
use crate::error::Fault;
use crate::row::CounterCode;
use crate::schema::{Bytes, META_RECOUNT, META_RECOUNT_END, namespace_end, namespace_prefix};

/// How far the conversations of one namespace were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recount {
    pub(crate) namespace: Namespace,
    /// The counter that is to become current in all of them.
    pub(crate) code: CounterCode,
    /// The storage key of the last one that was seen; empty where none was.
    pub(crate) seen: Vec<u8>,
}

impl Recount {
    pub(crate) const fn new(namespace: Namespace, code: CounterCode) -> Self {
        Self { namespace, code, seen: Vec::new() }
    }

    /// The note's name among what is known of the file.
    pub(crate) fn name(&self) -> String {
        format!("{META_RECOUNT}{}", self.namespace)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        [self.code.to_le_bytes().as_slice(), &self.seen].concat()
    }

    fn decode(name: &str, value: &[u8]) -> Result<Self, Damage> {
        let damage = Damage("a note of a recount cannot be read");
        let (code, seen) = value.split_first_chunk().ok_or(damage)?;
        let limits = memory_core::Limits { id_bytes: usize::MAX, ..Default::default() };
        let namespace = name.strip_prefix(META_RECOUNT).unwrap_or_default();
        let namespace = Namespace::within(namespace, &limits).map_err(|_| damage)?;
        Ok(Self { namespace, code: CounterCode::from_le_bytes(*code), seen: seen.to_vec() })
    }

    /// The storage keys that were not seen yet.
    pub(crate) fn unseen(&self) -> (Vec<u8>, Vec<u8>) {
        let start = if self.seen.is_empty() {
            namespace_prefix(&self.namespace)
        } else {
            self.seen.clone()
        };
        (start, namespace_end(&self.namespace))
    }
}

/// The first namespace that is to be counted by this counter.
pub(crate) fn find(
    meta: &impl ReadableTable<&'static str, Bytes>,
    code: CounterCode,
) -> Result<Option<Recount>, Fault> {
    let notes = (Bound::Included(META_RECOUNT), Bound::Excluded(META_RECOUNT_END));
    for entry in meta.range::<&str>(notes)? {
        let (name, value) = entry?;
        // One damaged note does not keep everything else from being counted.
        let Ok(recount) = Recount::decode(name.value(), value.value()) else { continue };
        if recount.code == code {
            return Ok(Some(recount));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_survive_their_bytes_and_others_are_damage() {
        let namespace = Namespace::new("a \u{e9}!").unwrap();
        for seen in [&b""[..], b"\xff seen"] {
            let recount = Recount { seen: seen.to_vec(), ..Recount::new(namespace.clone(), 7) };
            let read = Recount::decode(&recount.name(), &recount.encode());
            assert_eq!(read, Ok(recount.clone()));
            assert!((META_RECOUNT..META_RECOUNT_END).contains(&recount.name().as_str()));
        }
        let check = |name: &str, value: &[u8]| assert!(Recount::decode(name, value).is_err());
        check("recount of a", b"abc");
        check("recount of ", b"abcd");
    }
}
