//! Files made here, with added tokens of every kind.

use std::error::Error;

use memory_core::TokenCounter;
use serde_json::{Value, json};

use super::HuggingFaceCounter;
use crate::error::LoadError;

fn load(file: &Value) -> HuggingFaceCounter {
    HuggingFaceCounter::from_bytes("made.json", file.to_string().as_bytes()).unwrap()
}

fn added(id: u32, content: &str, special: bool) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
           "normalized": !special, "special": special})
}

/// Byte-level BPE: all bytes, and two merges.
fn byte_level(added: &[Value]) -> Value {
    // The printable characters that stand for bytes.
    let printable = (0x21..=0x7e).chain(0xa1..=0xac).chain(0xae..=0xff);
    let others = (0..68).map(|other| 0x100 + other);
    let letters = printable.chain(others).map(|code| char::from_u32(code).unwrap().to_string());
    let mut vocab: Vec<String> = letters.collect();
    assert_eq!(vocab.len(), 256);
    vocab.extend(["he", "hel", "<|endoftext|>", "<|odd|>"].map(str::to_owned));
    let vocab: serde_json::Map<_, _> = vocab.into_iter().zip((0..).map(Value::from)).collect();
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null,
                    "pad_id": 0, "pad_type_id": 0, "pad_token": "!"},
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                          "use_regex": true},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [258],
                                                 "tokens": ["<|endoftext|>"]}}},
        "decoder": null,
        "model": {"type": "BPE", "dropout": 0.5, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                  "ignore_merges": true, "vocab": vocab,
                  "merges": [["h", "e"], ["he", "l"]]},
    })
}

#[test]
fn every_added_token_is_the_characters_that_it_is() {
    let tokens = [
        added(258, "<|endoftext|>", true),
        added(259, "<|odd|>", false),
        added(260, "   ", false),
        added(261, "lo wor", false),
        added(262, "h", false),
        added(263, "Ωmega", true),
    ];
    let (with, without) = (load(&byte_level(&tokens)), load(&byte_level(&[])));
    for text in [
        "hello world",
        "<|endoftext|>",
        "a <|endoftext|> b",
        "<|odd|>",
        "a   b",
        "Ωmega",
        "h",
        "hh he hel hell",
        "",
    ] {
        assert_eq!(with.count(text).unwrap(), without.count(text).unwrap(), "{text:?}");
    }
    assert_eq!(with.count("hello world").unwrap(), 3 + 6);
    assert_eq!(with.count("<|endoftext|>").unwrap(), 13);
    assert_eq!(with.count("a   b").unwrap(), 5);
    assert_ne!(with.id(), without.id());
}

#[test]
fn nothing_is_padded_truncated_added_or_drawn_at_random() {
    let counter = load(&byte_level(&[]));
    assert_eq!(counter.count("").unwrap(), 0);
    assert_eq!(counter.count("a").unwrap(), 1);
    for _ in 0..50 {
        assert_eq!(counter.count(&"hel".repeat(50)).unwrap(), 50);
    }
}

#[test]
fn special_pieces_of_other_models_are_characters_too() {
    let file = |model: &Value, pre_tokenizer: &Value| {
        json!({"version": "1.0", "added_tokens": [added(1, "</s>", true), added(0, "<unk>", true)],
               "pre_tokenizer": pre_tokenizer, "model": model})
    };
    let unigram = json!({"type": "Unigram", "unk_id": 0, "vocab": [
        ["<unk>", 0.0], ["</s>", 0.0], ["<", -2.0], ["/", -2.0], ["s", -2.0], [">", -2.0],
        ["unk", -2.0]]});
    let counter = load(&file(&unigram, &Value::Null));
    assert_eq!(counter.count("</s>").unwrap(), 4);
    assert_eq!(counter.count("<unk>").unwrap(), 3);
    assert_eq!(counter.count("s?s").unwrap(), 3, "one for what is unknown");
    let vocab = json!({"<unk>": 0, "</s>": 1, "word": 2});
    let spaces = json!({"type": "WhitespaceSplit"});
    let word_level = json!({"type": "WordLevel", "unk_token": "<unk>", "vocab": vocab});
    let word_piece = json!({"type": "WordPiece", "unk_token": "<unk>", "vocab": vocab,
                            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100});
    for model in [word_level, word_piece] {
        // A word that is not in the vocabulary is one unknown piece, as any other word is.
        let counter = load(&file(&model, &spaces));
        assert_eq!(counter.count("word </s> <unk> other").unwrap(), 4);
    }
}

#[test]
fn only_byte_level_models_have_a_bound() {
    let with = |key: &str, value: Value| {
        let mut file = byte_level(&[]);
        file[key] = value;
        load(&file).upper_bound("four")
    };
    assert_eq!(with("normalizer", Value::Null), Some(4));
    assert_eq!(with("normalizer", json!({"type": "NFD"})), None);
    assert_eq!(with("pre_tokenizer", Value::Null), None);
    let splits = json!({"type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "Isolated",
                        "invert": false});
    let bytes = |prefix: bool| {
        json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true,
               "use_regex": false})
    };
    let sequence = |last: Value| json!({"type": "Sequence", "pretokenizers": [splits, last]});
    assert_eq!(with("pre_tokenizer", sequence(bytes(false))), Some(4));
    assert_eq!(with("pre_tokenizer", sequence(bytes(true))), None);
    assert_eq!(with("pre_tokenizer", sequence(splits.clone())), None);
    let words = json!({"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0}});
    assert_eq!(with("model", words), None);
}

#[test]
fn a_bad_file_is_an_error_that_names_it() {
    let check = |bytes: &[u8], reason: &str| {
        let error = HuggingFaceCounter::from_bytes("bad.json", bytes).unwrap_err();
        assert!(matches!(error, LoadError::Tokenizer { .. }), "{error:?}");
        assert_eq!(error.to_string(), "bad.json is no tokenizer.json that can be used");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(reason), "{source}");
    };
    let with = |key: &str, value: Value| {
        let mut file = byte_level(&[]);
        file[key] = value;
        file.to_string().into_bytes()
    };
    let bpe = |merges: Value, prefix: Value| {
        json!({"type": "BPE", "vocab": {"a": 0, "ab": 1, "b": 2}, "merges": merges,
               "continuing_subword_prefix": prefix})
    };
    check(b"", "EOF");
    check(b"\xff\xfe", "line 1");
    check(b"[1, 2]", "invalid type");
    check(b"{}", "");
    check(br#"{"version": "1.0", "model": "#, "EOF");
    check(&with("version", json!("7.3")), "7.3");
    check(&with("model", Value::Null), "");
    check(&with("model", json!({"type": "New"})), "");
    check(&with("model", bpe(json!([["a", "c"]]), Value::Null)), "`c`");
    check(&with("pre_tokenizer", json!({"type": "New"})), "");
    // Its own code panics at this one.
    check(&with("model", bpe(json!([["a", "b"]]), json!("###"))), "contradict");
    let unigram = json!({"type": "Unigram", "unk_id": 7, "vocab": [["a", 0.0]]});
    check(&with("model", unigram), "UnkId");
    check("[".repeat(100_000).as_bytes(), "");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_that_names_it() {
    let error = HuggingFaceCounter::from_file("no/such/file.json").unwrap_err();
    assert!(matches!(error, LoadError::Unreadable { .. }));
    assert!(error.to_string().contains("no/such/file.json"), "{error}");
}
