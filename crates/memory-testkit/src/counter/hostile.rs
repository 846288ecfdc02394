//! Texts that break counters.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

/// What vocabularies use as special tokens.
pub(super) const SPECIAL: &[&str] = &[
    "<|endoftext|>",
    "<|endofprompt|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|start_header_id|>",
];

/// Pieces that texts are put together from.
const PIECES: &[&str] = &[
    "a",
    "The",
    " quick",
    "'s",
    "'ſ",
    "'LL",
    "123",
    "1234567",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "    ",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{0}",
    "\u{7f}",
    "\u{fffd}",
    "é",
    "e\u{301}",
    "ß",
    "ﬁ",
    "İ",
    "ı",
    "中",
    "日本",
    "한글",
    "हिन्दी",
    "العربية",
    "עברית",
    "ไทย",
    "😀",
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "\u{10ffff}",
    "\u{e000}",
    "\u{202e}",
    "<|",
    "|>",
    "<|endoftext|>",
    "{}",
    "\\",
    "\"",
    "//",
    "...",
    "$",
    "𝒳",
    "Ω",
];

/// Texts that are known to break counters: empty, blank, endless runs, controls, odd Unicode,
/// special tokens.
pub fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = PIECES.iter().chain(SPECIAL).map(|&text| text.into()).collect();
    texts.push(String::new());
    for run in ["a", " ", "\t", "\n", "\r\n", " \t", "0", "中", "😀", "\0", "a ", "\u{301}", "'ſ"]
    {
        texts.extend([7, 130, 4096].map(|times| run.repeat(times)));
    }
    texts.push(format!("{}x", " ".repeat(3000)));
    texts.push(format!("{}\n", "\n ".repeat(1500)));
    texts.push((0..=0x2fff).filter_map(char::from_u32).collect());
    texts.push(SPECIAL.concat());
    texts.push("([{<".repeat(2000));
    texts
}

/// Random texts: any characters, runs of one, hostile pieces in any order, and long words.
pub fn hostile_text() -> impl Strategy<Value = String> {
    let piece = select(PIECES.iter().chain(SPECIAL).copied().collect::<Vec<_>>());
    prop_oneof![
        2 => vec(any::<char>(), 0..60).prop_map(String::from_iter),
        4 => vec(piece.clone(), 0..40).prop_map(|pieces| pieces.concat()),
        1 => (piece, 1..600_usize).prop_map(|(piece, times)| piece.repeat(times)),
        1 => vec(select(b"abcxyzABC0123456789+/=".to_vec()), 0..400)
            .prop_map(|bytes| bytes.into_iter().map(char::from).collect()),
        1 => Just(String::new()),
    ]
}
