//! Cutting long texts into parts that are counted apart.

use std::ops::Range;

use memory_core::TokenCounter;

use super::job::Work;

/// The bytes of text above which a job is cut into parts of about this length, where its counter
/// knows a [safe place](memory_core::TokenCounter::safe_cut) to cut.
///
/// A part takes a few milliseconds, beside which taking it up costs nothing.
pub const PART_BYTES: usize = 64 * 1024;

/// A piece of one of the texts of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Which of the texts.
    pub(super) text: usize,
    pub(super) bytes: Range<usize>,
}

/// What is counted in one go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) segments: Vec<Segment>,
    pub(super) bytes: usize,
}

impl Part {
    fn push(&mut self, text: usize, bytes: Range<usize>) {
        self.bytes += bytes.len();
        self.segments.push(Segment { text, bytes });
    }

    /// The texts of this part.
    pub(super) fn texts<'a>(&'a self, work: &'a Work) -> impl Iterator<Item = &'a str> {
        self.segments.iter().filter_map(|segment| {
            work.texts().nth(segment.text).and_then(|text| text.get(segment.bytes.clone()))
        })
    }
}

/// All parts of a job, each of [`PART_BYTES`] or more where texts can be cut, but for the last.
pub(super) fn cut(work: &Work, counter: &dyn TokenCounter) -> Vec<Part> {
    let (mut parts, mut part) = (Vec::new(), Part::default());
    for (index, text) in work.texts().enumerate() {
        let mut from = 0;
        loop {
            let near = from + (PART_BYTES - part.bytes);
            let cut = if near < text.len() { counter.safe_cut(text, near) } else { None };
            // A counter may be wrong: whatever it says, the parts make up the text.
            let cut =
                cut.filter(|cut| from < *cut && *cut < text.len() && text.is_char_boundary(*cut));
            part.push(index, from..cut.unwrap_or(text.len()));
            if part.bytes >= PART_BYTES {
                parts.push(std::mem::take(&mut part));
            }
            let Some(cut) = cut else { break };
            from = cut;
        }
    }
    if !part.segments.is_empty() {
        parts.push(part);
    }
    parts
}
