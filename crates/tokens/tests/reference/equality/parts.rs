//! What hostile texts are glued of.

use fastrand::Rng;

use super::generator::pick;

/// A sort of parts.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// A token of a real vocabulary.
    Word,
    Other(fn(&mut Rng, &mut String)),
}

pub(super) const PARTS: [Part; 16] = [
    Part::Word,
    Part::Word,
    Part::Other(blanks),
    Part::Other(blank_run),
    Part::Other(lines),
    Part::Other(digits),
    Part::Other(contractions),
    Part::Other(latin),
    Part::Other(scripts),
    Part::Other(folded),
    Part::Other(marks),
    Part::Other(emoji),
    Part::Other(special),
    Part::Other(punctuation),
    Part::Other(anything),
    Part::Other(repeated),
];

const BLANKS: [&str; 22] = [
    " ", " ", " ", "\n", "\n", "\r", "\r\n", "\t", "\u{b}", "\u{c}", "\u{1c}", "\u{85}", "\u{a0}",
    "\u{1680}", "\u{2003}", "\u{2028}", "\u{2029}", "\u{202f}", "\u{3000}", "\u{200b}", "\u{feff}",
    "\u{180e}",
];

fn blanks(random: &mut Rng, text: &mut String) {
    for _ in 0..random.usize(1..=4) {
        text.push_str(pick(random, &BLANKS));
    }
}

fn blank_run(random: &mut Rng, text: &mut String) {
    let blank = pick(random, &BLANKS);
    text.push_str(&blank.repeat(random.usize(1..=20)));
}

/// Ends of lines with what may and what may not begin a part that is counted apart.
fn lines(random: &mut Rng, text: &mut String) {
    text.push_str(pick(random, &["\n", "\n", "\r\n", "\n\n", " \n", "!\n", "/\n", "\t\n"]));
    text.push_str(pick(random, &["a", "Z", "0", " a", "\n", "é", "'s", "", "\u{301}", "/"]));
}

fn digits(random: &mut Rng, text: &mut String) {
    const OTHERS: [char; 12] = ['²', '½', 'Ⅷ', '٣', '٤', '三', '〇', '①', '𝟘', '௧', '१', '９'];
    for _ in 0..random.usize(1..=8) {
        let digit = random.char('0'..='9');
        text.push(if random.u8(0..5) == 0 { pick(random, &OTHERS) } else { digit });
    }
}

fn contractions(random: &mut Rng, text: &mut String) {
    let apostrophes = ["'", "'", "'", "''", "\u{2019}", "\u{2bc}", "\u{ff07}", "`", "\u{2018}"];
    text.push_str(pick(random, &apostrophes));
    let endings = ["s", "t", "re", "ve", "m", "ll", "d", "r", "v", "l", "\u{17f}", "\u{212a}", ""];
    for letter in pick(random, &endings).chars() {
        text.push(if random.bool() { letter.to_ascii_uppercase() } else { letter });
    }
    if random.bool() {
        latin(random, text);
    }
}

fn latin(random: &mut Rng, text: &mut String) {
    let upper = random.u8(0..3);
    for _ in 0..random.usize(1..=9) {
        let letter = random.char('a'..='z');
        text.push(if random.u8(0..4) < upper { letter.to_ascii_uppercase() } else { letter });
    }
}

/// First and last characters of scripts, and of blocks that the classes of characters divide.
const SCRIPTS: [(char, char); 22] = [
    ('\u{c0}', '\u{24f}'),
    ('\u{250}', '\u{2ff}'),
    ('\u{370}', '\u{3ff}'),
    ('\u{400}', '\u{52f}'),
    ('\u{531}', '\u{58f}'),
    ('\u{591}', '\u{5f4}'),
    ('\u{600}', '\u{6ff}'),
    ('\u{900}', '\u{97f}'),
    ('\u{980}', '\u{dff}'),
    ('\u{e01}', '\u{e5b}'),
    ('\u{10a0}', '\u{10ff}'),
    ('\u{1100}', '\u{11ff}'),
    ('\u{13a0}', '\u{13fd}'),
    ('\u{1e00}', '\u{1fff}'),
    ('\u{2c00}', '\u{2dff}'),
    ('\u{3040}', '\u{30ff}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{a640}', '\u{a7ff}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{fb00}', '\u{ffdc}'),
    ('\u{10400}', '\u{1044f}'),
    ('\u{1d400}', '\u{1d7ff}'),
];

fn scripts(random: &mut Rng, text: &mut String) {
    let (first, last) = pick(random, &SCRIPTS);
    for _ in 0..random.usize(1..=12) {
        text.push(random.char(first..=last));
    }
}

/// Letters that other letters become when case is ignored, and letters of neither case.
fn folded(random: &mut Rng, text: &mut String) {
    let letters = ['\u{17f}', '\u{212a}', '\u{212b}', 'İ', 'ı', 'ß', 'ẞ', 'ǅ', 'ʰ', 'ª', 'ﬁ', 'ς'];
    text.push(pick(random, &letters));
}

const MARKS: [char; 12] = [
    '\u{301}', '\u{300}', '\u{308}', '\u{327}', '\u{20dd}', '\u{5b0}', '\u{64b}', '\u{93f}',
    '\u{94d}', '\u{e31}', '\u{3099}', '\u{fe20}',
];

fn marks(random: &mut Rng, text: &mut String) {
    for _ in 0..random.usize(1..=5) {
        text.push(pick(random, &MARKS));
    }
}

fn emoji(random: &mut Rng, text: &mut String) {
    const SIGNS: [&str; 14] = [
        "👍",
        "👩",
        "👨",
        "🏳",
        "❤",
        "🔥",
        "🇩",
        "🇪",
        "\u{1f3fd}",
        "\u{1f3ff}",
        "#️⃣",
        "✅",
        "⚠",
        "☕",
    ];
    for _ in 0..random.usize(1..=5) {
        text.push_str(pick(random, &SIGNS));
        text.push_str(pick(random, &["\u{200d}", "\u{200d}", "\u{fe0f}", "\u{fe0e}", ""]));
    }
    if random.u8(0..8) == 0 {
        text.push(random.char('\u{1f000}'..='\u{1faff}'));
    }
}

fn special(random: &mut Rng, text: &mut String) {
    let names = [
        "endoftext",
        "im_start",
        "im_end",
        "im_sep",
        "fim_prefix",
        "fim_middle",
        "fim_suffix",
        "endofprompt",
        "start",
        "end",
        "message",
        "channel",
        "return",
        "call",
        "",
        " ",
        "|",
    ];
    text.push_str(pick(random, &["<|", "<|", "<|", "<", "|", "<<|"]));
    text.push_str(pick(random, &names));
    text.push_str(pick(random, &["|>", "|>", "|>", ">", "|", "|>>"]));
}

fn punctuation(random: &mut Rng, text: &mut String) {
    const OTHERS: [char; 12] =
        ['…', '—', '。', '、', '€', '\u{ad}', '\0', '\u{7f}', '\u{e000}', '×', '☃', '¿'];
    for _ in 0..random.usize(1..=6) {
        let mark = random.char('!'..='/');
        let other = random.char(':'..='@');
        text.push(match random.u8(0..8) {
            0 => pick(random, &OTHERS),
            1 => random.char('['..='`'),
            2 => random.char('{'..='~'),
            3 | 4 => other,
            _ => mark,
        });
    }
}

/// Any character: most numbers are of none that is assigned.
fn anything(random: &mut Rng, text: &mut String) {
    let most = pick(random, &['\u{7f}', '\u{7ff}', '\u{ffff}', char::MAX]);
    text.push(random.char('\0'..=most));
}

fn repeated(random: &mut Rng, text: &mut String) {
    let character = match random.u8(0..4) {
        0 => random.char('\0'..='\u{7f}'),
        1 => pick(random, &MARKS),
        2 => random.char('\u{4e00}'..='\u{9fff}'),
        _ => random.char('a'..='z'),
    };
    text.extend(std::iter::repeat_n(character, random.usize(1..=60)));
}
