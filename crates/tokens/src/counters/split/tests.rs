//! The pieces are those of the reference.

use bpe_openai::{Tokenizer, cl100k_base, o200k_base};
use proptest::prelude::*;

use super::*;

fn pieces<P: Pattern>(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    P::split(&Text::new(text), |start, end| pieces.push(&text[start..end]));
    pieces
}

fn reference<'a>(tokenizer: &'a Tokenizer, text: &'a str) -> Vec<&'a str> {
    tokenizer.split(text).collect()
}

fn check(text: &str) {
    assert_eq!(pieces::<O200k>(text), reference(o200k_base(), text), "o200k_base: {text:?}");
    assert_eq!(pieces::<Cl100k>(text), reference(cl100k_base(), text), "cl100k_base: {text:?}");
}

#[test]
fn the_pieces_of_each_alternative_are_those_of_the_reference() {
    for text in [
        "",
        "Hello, world!",
        "HTTPServer camelCase XMLHttpRequest ABC",
        "ABあCD あいう ABCあ Aあb",
        "don't DON'T we'll WE'LL I've i'D 'sit' it''s x'\u{17f} '\u{17f} y'LL z'lL 'l 'r' 'v",
        "word's's 'tis o'clock a'",
        "e\u{301}a \u{301}e \u{301}\u{301} .\u{301}. \u{301}A\u{301}",
        "1 12 123 1234 ½⅓¼ 1½2 ٣٤٥٦",
        "a/b //x\n/\r\n/ !!\n\n/ http://x.y/z",
        "  a   b\t\tc \n\n  d\r\n\r\n \t ",
        " \n \n x",
        "\u{3000}\u{85}a\u{a0}\u{a0}b",
        "\t!\t1\ta \r\na\rb\nc",
        "ǅ ǆ Ǆ ʰa ªº 한국어 русский ПРИВЕТ Привет",
        "👩\u{200d}👩\u{200d}👧 👍🏽x 🇩🇪",
        "<|endoftext|> <|im_start|>user",
    ] {
        check(text);
    }
}

/// Characters of every class, and those that the patterns name.
fn hostile_character() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => proptest::sample::select(
            "aAzZ sStTrReEvVmMlLdD''''  \t\n\r/019.,!<|>\u{17f}\u{212a}\u{301}\u{30a}\u{200d}\u{3000}\u{85}\u{a0}ʰªǅあ한д"
                .chars()
                .collect::<Vec<_>>()
        ),
        1 => any::<char>(),
    ]
}

/// ASCII alone, so that every class meets every other within a block and at its end.
fn ascii_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z]{1,12}",
        2 => "[A-Z]{1,3}[a-z]{0,4}",
        2 => "[a-z]{1,3}'(s|S|t|re|VE|ll|d|x|lx)?",
        3 => "[ ]{1,3}",
        2 => "[\n\r\t ]{1,5}",
        1 => "[0-9]{1,8}",
        2 => "[!-/:-@\\[-`{-~]{1,4}[\n/]{0,3}",
        1 => "[\u{0}-\u{7f}]{1,4}",
        1 => "[éжあ\u{17f}\u{301}]",
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn runs_that_fill_a_block_are_split_as_the_reference_does() {
    for filler in ["a", "A", "aB", "1", " ", "\n", "\t", "/", "!", "\n/", "\n ", "'s", "!\n", "é"]
    {
        for length in [1, 2, 7, 8, 9, 20, 31, 32, 62, 63, 64, 65, 66, 127, 128, 129] {
            let filled = filler.repeat(length);
            for (before, behind) in
                [("", ""), ("a", "b"), ("x", "'re"), ("! ", " y"), ("1", "\n"), ("é", "é")]
            {
                check(&format!("{before}{filled}{behind}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn ascii_texts_are_split_as_the_reference_does(text in ascii_text()) {
        check(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn hostile_texts_are_split_as_the_reference_does(
        characters in proptest::collection::vec(hostile_character(), 0..24)
    ) {
        check(&characters.into_iter().collect::<String>());
    }
}
