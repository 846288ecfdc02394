//! How payloads stand in their list, and in the stored head.
//!
//! A payload stands as it is. Where its message has a caller's id, a byte 1, the id's length in two
//! bytes and the id stand before it: JSON begins with no such byte. So the ids of messages that are
//! dropped are known.

use std::borrow::Cow;
use std::sync::Arc;

use crate::damage::Damage;

const HAS_ID: u8 = 1;

/// Writes an entry.
pub(crate) fn encode<'a>(payload: &'a str, id: Option<&str>) -> Cow<'a, [u8]> {
    let Some(id) = id else { return Cow::Borrowed(payload.as_bytes()) };
    // An id is no longer than its length can say, which is checked before.
    let length = u16::try_from(id.len()).unwrap_or(u16::MAX);
    [&[HAS_ID], &length.to_be_bytes()[..], id.as_bytes(), payload.as_bytes()].concat().into()
}

/// The length of an entry.
pub(crate) fn encoded_length(payload: &str, id: Option<&str>) -> usize {
    payload.len() + id.map_or(0, |id| 3 + id.len())
}

/// The payload of an entry.
pub(crate) fn decode(entry: &[u8]) -> Result<Arc<str>, Damage> {
    let text = parts(entry).and_then(|(_, text)| std::str::from_utf8(text).ok());
    text.map(Arc::from).ok_or(Damage("a message's payload cannot be read"))
}

/// The caller's id that stands before a payload.
pub(crate) fn id(entry: &[u8]) -> Option<&str> {
    std::str::from_utf8(parts(entry)?.0?).ok()
}

/// The id of an entry, if it has one, and its payload.
fn parts(entry: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let Some((&HAS_ID, rest)) = entry.split_first() else { return Some((None, entry)) };
    let (length, rest) = rest.split_first_chunk()?;
    let (id, payload) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((Some(id), payload))
}

/// An element and its entry.
pub(crate) type Kept<'a> = (&'a [u8], &'a [u8]);

/// Reads the stored head.
pub(crate) fn head(mut packed: &[u8]) -> Result<Vec<Kept<'_>>, Damage> {
    let mut head = Vec::new();
    while !packed.is_empty() {
        let (element, rest) = part(packed).ok_or(HEAD)?;
        let (entry, rest) = part(rest).ok_or(HEAD)?;
        head.push((element, entry));
        packed = rest;
    }
    Ok(head)
}

const HEAD: Damage = Damage("its stored head cannot be read");

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn payloads_survive_with_and_without_ids(payload in "[{].{0,40}", id in ".{1,60}") {
            for id in [None, Some(id.as_str())] {
                let entry = encode(&payload, id);
                prop_assert_eq!(entry.len(), encoded_length(&payload, id));
                prop_assert_eq!(&*decode(&entry).unwrap(), payload.as_str());
                prop_assert_eq!(super::id(&entry), id);
            }
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (decode(&bytes), id(&bytes));
            let _ = head(&bytes);
        }
    }

    #[test]
    fn a_head_is_pairs_with_their_lengths() {
        let packed = b"\0\0\0\x02ab\0\0\0\x01c\0\0\0\0\0\0\0\x03def";
        let expected: Vec<Kept<'_>> = vec![(b"ab", b"c"), (b"", b"def")];
        assert_eq!(head(packed), Ok(expected));
        assert_eq!(head(&packed[..9]), Err(HEAD));
    }
}
