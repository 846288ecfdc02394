//! The pieces are those of the reference.

use bpe_openai::{Tokenizer, cl100k_base, o200k_base};
use proptest::prelude::*;

use super::*;

fn pieces<P: Pattern>(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    Text::new(text).split::<P>(|start, end| pieces.push(&text[start..end]));
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn hostile_texts_are_split_as_the_reference_does(
        characters in proptest::collection::vec(hostile_character(), 0..24)
    ) {
        check(&characters.into_iter().collect::<String>());
    }
}
