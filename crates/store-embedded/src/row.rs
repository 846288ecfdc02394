//! What is stored of a message beside its payload: class, nonce and tallies.

use memory_core::{Fingerprint, MessageClass, Tally, TallyState};

use crate::bytes::{Damage, Reader, put_number, text};

/// Rows that share one stored value.
///
/// Rows are kept in blocks because a B-tree copies a whole page for every value that changes: with
/// a value for each message, an append to one of many conversations would copy a page of its own.
/// The newest, incomplete block lies inside the conversation's record, which every append rewrites
/// anyway.
pub(crate) const BLOCK: u64 = BLOCK_ROWS as u64;

/// [`BLOCK`], to count in memory.
pub(crate) const BLOCK_ROWS: usize = 32;

/// The number of a counter inside one store.
pub(crate) type CounterCode = u32;

/// The index of the block that holds a seq.
pub(crate) const fn block_of(seq: u64) -> u64 {
    (seq - 1) / BLOCK
}

/// The place of a seq in its block.
pub(crate) const fn place_in_block(seq: u64) -> usize {
    ((seq - 1) % BLOCK) as usize
}

/// The first seq of a block.
pub(crate) const fn block_start(index: u64) -> u64 {
    index * BLOCK + 1
}

/// One message's row, as it lies in its block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) class: MessageClass,
    pub(crate) fingerprint: Fingerprint,
    /// Where the payload stands in the log of payloads.
    pub(crate) position: u64,
    tallies: Reader<'a>,
}

impl<'a> Row<'a> {
    /// The tallies, each with its counter's code.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = (CounterCode, Tally)> + use<'a> {
        let mut reader = self.tallies;
        // Reading stopped at the end of these bytes before, so it can only stop there again.
        std::iter::from_fn(move || read_tally(&mut reader).ok())
    }

    /// The tally under one counter.
    pub(crate) fn tally(&self, code: Option<CounterCode>) -> Option<Tally> {
        let code = code?;
        self.tallies().find(|(found, _)| *found == code).map(|(_, tally)| tally)
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Damage> {
        let class = MessageClass::from_letter(reader.byte()?)
            .ok_or(Damage("a message has an unknown class"))?;
        let fingerprint = text(reader.take(Fingerprint::LENGTH)?)?;
        let fingerprint = Fingerprint::parse(fingerprint)
            .map_err(|_| Damage("a message has no proper fingerprint"))?;
        let position = reader.number()?;
        let length = reader.length()?;
        let tallies = Reader::new(reader.take(length)?);
        let mut rest = tallies;
        while !rest.rest().is_empty() {
            read_tally(&mut rest)?;
        }
        Ok(Self { class, fingerprint, position, tallies })
    }
}

/// Writes a row at the end of a block.
pub(crate) fn put_row(
    out: &mut Vec<u8>,
    class: MessageClass,
    fingerprint: Fingerprint,
    position: u64,
    tallies: impl IntoIterator<Item = (CounterCode, Tally)>,
) {
    out.push(class.letter());
    out.extend_from_slice(fingerprint.as_str().as_bytes());
    put_number(out, position);
    let mut encoded = Vec::with_capacity(8);
    for (code, tally) in tallies {
        put_number(&mut encoded, u64::from(code));
        encoded.push(tally.state.letter());
        put_number(&mut encoded, tally.tokens);
    }
    put_number(out, encoded.len() as u64);
    out.extend_from_slice(&encoded);
}

/// Reads all rows of a block.
pub(crate) fn read_all_rows(block: &[u8]) -> Result<Vec<Row<'_>>, Damage> {
    let mut reader = Reader::new(block);
    let mut rows = Vec::with_capacity(BLOCK_ROWS);
    while !reader.rest().is_empty() {
        rows.push(Row::read(&mut reader)?);
    }
    Ok(rows)
}

/// Reads a block that must hold exactly `count` rows.
pub(crate) fn read_rows(block: &[u8], count: u64) -> Result<Vec<Row<'_>>, Damage> {
    let rows = read_all_rows(block)?;
    if rows.len() as u64 == count {
        Ok(rows)
    } else {
        Err(Damage("a block does not hold as many messages as it should"))
    }
}

/// The bytes of the first `count` rows of a block.
pub(crate) fn first_rows(block: &[u8], count: u64) -> Result<&[u8], Damage> {
    let mut reader = Reader::new(block);
    for _ in 0..count {
        Row::read(&mut reader)?;
    }
    Ok(&block[..block.len() - reader.rest().len()])
}

fn read_tally(reader: &mut Reader<'_>) -> Result<(CounterCode, Tally), Damage> {
    let code = reader.number()?;
    let code = CounterCode::try_from(code).map_err(|_| Damage("a counter's code is too large"))?;
    let state =
        TallyState::from_letter(reader.byte()?).ok_or(Damage("a tally has an unknown state"))?;
    Ok((code, Tally { tokens: reader.number()?, state }))
}

#[cfg(test)]
pub(crate) mod tests {
    use memory_core::FinalReason;
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn any_tally() -> impl Strategy<Value = Tally> {
        let state = prop_oneof![
            Just(TallyState::Estimated),
            Just(TallyState::Exact),
            Just(TallyState::Final(FinalReason::Media)),
            Just(TallyState::Final(FinalReason::Fallback)),
            Just(TallyState::Final(FinalReason::Failed)),
        ];
        (any::<u64>(), state).prop_map(|(tokens, state)| Tally { tokens, state })
    }

    type Parts = (MessageClass, Fingerprint, u64, Vec<(CounterCode, Tally)>);

    fn any_parts() -> impl Strategy<Value = Parts> {
        let class = proptest::sample::select(b"iuacro".to_vec())
            .prop_map(|letter| MessageClass::from_letter(letter).unwrap());
        let fingerprint = any::<u128>().prop_map(Fingerprint::from_random);
        let tallies = proptest::collection::vec((any::<CounterCode>(), any_tally()), 0..9);
        (class, fingerprint, any::<u64>(), tallies)
    }

    proptest! {
        #[test]
        fn rows_survive_their_block(parts in proptest::collection::vec(any_parts(), 0..32)) {
            let mut block = Vec::new();
            let mut ends = vec![0];
            for (class, fingerprint, position, tallies) in &parts {
                put_row(&mut block, *class, *fingerprint, *position, tallies.iter().copied());
                ends.push(block.len());
            }
            let rows = read_rows(&block, parts.len() as u64).unwrap();
            for (row, (class, fingerprint, position, tallies)) in rows.iter().zip(&parts) {
                prop_assert_eq!(row.class, *class);
                prop_assert_eq!(row.fingerprint, *fingerprint);
                prop_assert_eq!(row.position, *position);
                prop_assert_eq!(&row.tallies().collect::<Vec<_>>(), tallies);
            }
            for (count, end) in ends.iter().enumerate() {
                prop_assert_eq!(first_rows(&block, count as u64).unwrap(), &block[..*end]);
            }
            prop_assert!(read_rows(&block, parts.len() as u64 + 1).is_err());
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_rows(&bytes, 3);
            let _ = first_rows(&bytes, 2);
        }
    }

    #[test]
    fn seqs_fall_into_blocks() {
        let check = |seq: u64, block: u64| {
            assert_eq!(block_of(seq), block);
            assert_eq!(block_start(block) + place_in_block(seq) as u64, seq);
        };
        check(1, 0);
        check(BLOCK, 0);
        check(BLOCK + 1, 1);
        check(10 * BLOCK, 9);
    }
}
