//! What is left of changes that were not synced when the power goes.

use fastrand::Rng;

/// A change of a disk.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { offset: usize, data: Box<[u8]> },
    Length(usize),
}

/// What a disk writes at once; parts of this may be lost, too.
const SECTOR: usize = 512;

/// How the power goes.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// Nothing that was not synced is left.
    Nothing,
    /// All of it is, though nobody synced it.
    Everything,
    /// Any of the writes are, in whatever order they went.
    Some,
    /// The first ones are, and a part of the next.
    Torn,
    /// Any of their sectors are.
    Sectors,
    /// Any of the writes are, and of some only a part, cut at any byte.
    Shreds,
}

const STYLES: [Style; 6] =
    [Style::Nothing, Style::Everything, Style::Some, Style::Torn, Style::Sectors, Style::Shreds];

/// Does a change wholly.
pub(super) fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => content.resize(*length, 0),
        Change::Write { offset, data } => {
            let end = offset + data.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(data);
        }
    }
}

/// What is left when power is lost: everything durable, and some of the rest.
pub(super) fn lose(durable: &[u8], unsynced: &[Change], rng: &mut Rng) -> Vec<u8> {
    let style = STYLES[rng.usize(..STYLES.len())];
    let mut content = durable.to_vec();
    // Lengths are kept apart from data: any of those that were set may be the last one known.
    let lengths: Vec<usize> = unsynced.iter().filter_map(Change::length).collect();
    let known = match style {
        Style::Nothing => 0,
        Style::Everything => lengths.len(),
        _ => rng.usize(..=lengths.len()),
    };
    for length in &lengths[..known] {
        content.resize(*length, 0);
    }
    let whole = rng.usize(..=unsynced.len());
    for (index, change) in unsynced.iter().enumerate() {
        let Change::Write { offset, data } = change else { continue };
        match style {
            Style::Everything => keep(&mut content, *offset, data),
            Style::Some if rng.bool() => keep(&mut content, *offset, data),
            Style::Torn if index < whole => keep(&mut content, *offset, data),
            Style::Torn if index == whole => {
                keep(&mut content, *offset, &data[..rng.usize(..=data.len())]);
            }
            Style::Sectors => {
                // Sectors lie on the disk, so the first one of a write may be a part of one.
                let first = (SECTOR - offset % SECTOR).min(data.len());
                let mut at = 0;
                while at < data.len() {
                    let end = if at == 0 { first } else { (at + SECTOR).min(data.len()) };
                    if rng.bool() {
                        keep(&mut content, offset + at, &data[at..end]);
                    }
                    at = end;
                }
            }
            Style::Shreds => match rng.u8(..4) {
                0 => {}
                1 => keep(&mut content, *offset, data),
                2 => keep(&mut content, *offset, &data[..rng.usize(..=data.len())]),
                _ => {
                    let from = rng.usize(..=data.len());
                    keep(&mut content, offset + from, &data[from..]);
                }
            },
            Style::Nothing | Style::Some | Style::Torn => {}
        }
    }
    content
}

/// Writes what lies within the length; nothing behind it can be read again.
fn keep(content: &mut [u8], offset: usize, data: &[u8]) {
    let end = content.len().min(offset + data.len());
    if offset < end {
        content[offset..end].copy_from_slice(&data[..end - offset]);
    }
}

impl Change {
    const fn length(&self) -> Option<usize> {
        match self {
            Self::Length(length) => Some(*length),
            Self::Write { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: usize, byte: u8, length: usize) -> Change {
        Change::Write { offset, data: vec![byte; length].into() }
    }

    #[test]
    fn what_was_not_synced_is_lost_kept_or_torn() {
        let durable = vec![0; 4096];
        let changes = [write(100, 1, 2000), write(3000, 2, 500)];
        let mut seen = [false; 4];
        for seed in 0..200 {
            let left = lose(&durable, &changes, &mut Rng::with_seed(seed));
            assert_eq!(left.len(), 4096);
            let (first, second) = (&left[100..2100], &left[3000..3500]);
            assert!(
                first.iter().all(|byte| *byte < 2) && left[..100].iter().all(|byte| *byte == 0)
            );
            let kept = |data: &[u8]| data.iter().filter(|byte| **byte > 0).count();
            seen[0] |= kept(first) + kept(second) == 0;
            seen[1] |= kept(first) + kept(second) == 2500;
            seen[2] |= kept(first) == 0 && kept(second) == 500;
            seen[3] |= kept(first) > 0 && kept(first) < 2000;
        }
        assert_eq!(seen, [true; 4]);
    }

    #[test]
    fn a_length_that_is_lost_takes_what_was_written_behind_it() {
        let changes = [Change::Length(8192), write(5000, 3, 100)];
        let lengths = (0..100).map(|seed| {
            let left = lose(&[0; 4096], &changes, &mut Rng::with_seed(seed));
            assert!(left.len() == 4096 || left.len() == 8192);
            left.len()
        });
        let lengths: std::collections::BTreeSet<_> = lengths.collect();
        assert_eq!(lengths.len(), 2);
    }
}
