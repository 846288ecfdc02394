//! Texts of 1 MB that are all of one kind.

use fastrand::Rng;

use crate::equality::Pair;

const BYTES: usize = 1_000_000;

fn repeated(part: &str) -> String {
    part.repeat(BYTES / part.len())
}

fn random(mut next: impl FnMut(&mut Rng) -> char) -> String {
    let mut random = Rng::with_seed(4);
    let mut text = String::with_capacity(BYTES + 4);
    while text.len() < BYTES {
        text.push(next(&mut random));
    }
    text
}

#[test]
fn texts_of_a_megabyte_are_counted_as_the_reference_does() {
    let base64: Vec<char> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let pairs = Pair::all();
    for (name, text) in [
        ("one letter", repeated("x")),
        ("spaces", repeated(" ")),
        ("newlines", repeated("\n")),
        ("tabs", repeated("\t")),
        ("tabs and spaces", repeated("\t \t  ")),
        ("base64", random(|random| base64[random.usize(0..64)])),
        ("digits", random(|random| random.char('0'..='9'))),
        ("ab", repeated("ab")),
        ("random letters", random(|random| random.char('a'..='z'))),
        ("random Han", random(|random| random.char('\u{4e00}'..='\u{9fff}'))),
        ("emoji", repeated("👩\u{200d}👩\u{200d}👧\u{200d}👦")),
        ("combining marks", repeated("\u{301}")),
    ] {
        if let Err(difference) = Pair::compare(&pairs, &text) {
            let shown: String = difference.chars().take(300).collect();
            panic!("{name}: {shown}");
        }
    }
}
