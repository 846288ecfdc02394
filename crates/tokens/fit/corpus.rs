//! The corpus in pieces, with their exact counts.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use memory_core::TokenCounter;
use tokens::BpeCounter;

use super::automaton::{FEATURES, START, step};
use super::class;
use super::solve::Row;

/// Bytes that are fitted to, or held out, one after the other: longer than most documents.
const STRETCH: usize = 24_000;

/// The texts of one kind.
pub(crate) struct Kind {
    pub(crate) name: String,
    pieces: Vec<Piece>,
}

pub(crate) struct Piece {
    pub(crate) text: String,
    size: usize,
    pub(crate) is_fitted: bool,
    pub(crate) features: Row,
    pub(crate) tokens: f64,
}

impl Kind {
    /// The pieces that were cut to this size.
    pub(crate) fn pieces(&self, size: usize) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(move |piece| piece.size == size)
    }
}

impl Piece {
    #[expect(clippy::cast_precision_loss, reason = "pieces are small")]
    pub(crate) fn bytes(&self) -> f64 {
        self.text.len() as f64
    }

    pub(crate) fn guess(&self, weights: &[f64; FEATURES]) -> f64 {
        self.features.iter().map(|(place, times)| weights[usize::from(*place)] * times).sum()
    }
}

/// Reads every text file of the folder, cut to pieces of each size.
pub(crate) fn read(folder: &Path, counter: &BpeCounter) -> Result<Vec<Kind>, Box<dyn Error>> {
    let listed = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> =
        listed.map(|file| file.map(|file| file.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    if files.is_empty() {
        return Err(format!("{} holds no text: run `cargo xtask corpus`", folder.display()).into());
    }
    let mut kinds = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', " ");
        let mut pieces = Vec::new();
        for (place, stretch) in cut(&text, STRETCH).enumerate() {
            for size in super::SIZES {
                // There are many short ones, so some of them do.
                let step = if size < 1000 { 3 } else { 1 };
                let whole = cut(stretch, size).filter(|piece| 4 * piece.len() > 3 * size);
                for piece in whole.step_by(step) {
                    pieces.push(measure(piece, size, place % 2 == 0, counter)?);
                }
            }
        }
        kinds.push(Kind { name, pieces });
    }
    Ok(kinds)
}

/// Pieces of about this many bytes.
fn cut(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn measure(
    text: &str,
    size: usize,
    is_fitted: bool,
    counter: &BpeCounter,
) -> Result<Piece, Box<dyn Error>> {
    let mut counts = [0_u32; FEATURES];
    let mut state = START;
    for byte in text.bytes() {
        let (next, feature) = step(state, class::class_of(byte));
        state = next;
        counts[usize::from(feature)] += 1;
    }
    let features = (0_u8..=u8::MAX).zip(counts).skip(1).filter(|(_, count)| *count > 0);
    let features = features.map(|(place, count)| (place, f64::from(count))).collect();
    let tokens = f64::from(u32::try_from(counter.count(text)?)?);
    Ok(Piece { text: text.to_owned(), size, is_fitted, features, tokens })
}
