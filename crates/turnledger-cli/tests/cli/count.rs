//! `count`: tokens, bytes and lines of files, and of the lines of files.

use serde_json::{Value, json};

use crate::support::{Place, SAMPLE};

/// Four tokens, the line break being part of the last one; 14 bytes, one line.
const HELLO: &str = "Hello, world!\n";

#[test]
fn files_are_counted_in_columns_with_a_total() {
    let place = Place::new();
    place.file("a.txt", HELLO);
    place.file("b.txt", "one two three\n".repeat(100));
    let run = place.run(&["count", "a.txt", "b.txt"]).exits(0);
    let expected = "  4   14   1 a.txt\n400 1400 100 b.txt\n404 1414 101 total\n";
    assert_eq!(run.stdout, expected);
    assert_eq!(run.stderr, "");
    let one = place.run(&["count", "a.txt"]).exits(0);
    assert_eq!(one.stdout, "4 14 1 a.txt\n");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2, "no store is made");
}

#[test]
fn standard_input_has_a_name_only_where_it_was_named() {
    let place = Place::new();
    assert_eq!(place.run_with(&["count"], HELLO, &[]).exits(0).stdout, "4 14 1\n");
    assert_eq!(place.run_with(&["count", "-"], HELLO, &[]).exits(0).stdout, "4 14 1 -\n");
    assert_eq!(place.run_with(&["count"], "", &[]).exits(0).stdout, "0 0 0\n");
}

#[test]
fn each_way_to_name_a_counter_counts_with_it() {
    let place = Place::new();
    place.file("korean.txt", "오늘은 날씨가 좋아서 산책을 가려고 합니다.");
    let check = |words: &[&str], tokens: &str| {
        let run = place.run(&[&["count", "korean.txt"], words].concat()).exits(0);
        assert!(run.stdout.starts_with(tokens), "{words:?}: {}", run.stdout);
    };
    check(&[], "14 ");
    check(&["--encoding", "o200k_base"], "14 ");
    check(&["--encoding", "o200k_harmony"], "14 ");
    check(&["--encoding", "cl100k_base"], "28 ");
    check(&["--model", "gpt-4o-2024-08-06"], "14 ");
    check(&["--model", "gpt-oss-20b"], "14 ");
    check(&["--model", "text-embedding-3-small"], "28 ");
    place.file("turnledger.toml", "[counter]\nencoding = \"cl100k_base\"\n");
    check(&["--config", "turnledger.toml"], "28 ");
    let file = json!({
        "version": "1.0",
        "added_tokens": [{"id": 1, "content": "날씨가", "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true}],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"},
    });
    place.file("tokenizer.json", file.to_string());
    check(&["--tokenizer", "tokenizer.json"], "6 ");
}

#[test]
fn a_counter_that_is_not_there_is_told_with_those_that_are_near() {
    let place = Place::new();
    place.file("a.txt", HELLO);
    let check = |words: &[&str], code: i32, reasons: &[&str]| {
        let mut run = place.run(&[&["count", "a.txt"], words].concat()).exits(code);
        assert_eq!(run.stdout, "");
        for reason in reasons {
            run = run.says(reason);
        }
    };
    check(&["--model", "gtp-4o"], 2, &["--model cannot be used", "did you mean gpt-4o"]);
    check(&["--encoding", "o200k"], 2, &["counter.encoding", "o200k_base"]);
    check(&["--model", "gpt-4o", "--encoding", "cl100k_base"], 2, &["--encoding cannot be used"]);
    check(&["--model", "gpt-4o", "--tokenizer", "t.json"], 2, &["--tokenizer"]);
    check(&["--tokenizer", "t.json"], 1, &["the tokenizer t.json cannot be read"]);
    check(&["--tokenizer", "a.txt"], 1, &["a.txt is no tokenizer.json that can be used"]);
}

#[test]
fn what_cannot_be_counted_is_told_and_the_rest_is_counted() {
    let place = Place::new();
    place.file("a.txt", HELLO);
    place.file("bad.txt", b"ok\n\xff\xfe\n");
    place.file("cut.txt", b"ok \xe6\x9d");
    let files = ["count", "none.txt", "bad.txt", "a.txt", "cut.txt", "."];
    let run = place.run(&files).exits(1);
    assert_eq!(run.stdout, "4 14 1 a.txt\n4 14 1 total\n");
    let run = run.says("none.txt cannot be counted").says("bad.txt cannot be counted");
    let run = run.says("not UTF-8 text, from byte offset 3 on");
    run.says("from byte offset 3 on").says(". cannot be counted").says("it is a directory");
}

#[test]
fn a_large_file_is_counted_as_its_parts() {
    let place = Place::new();
    let line = "A line of ordinary words, 42 of them or so, and 東京.\n";
    place.file("one.txt", line.repeat(1000));
    place.file("large.txt", line.repeat(100_000));
    let tokens = |file: &str| {
        let run = place.run(&["count", file, "--json"]).exits(0);
        run.json()[0]["tokens"].as_u64().unwrap()
    };
    assert_eq!(tokens("large.txt"), 100 * tokens("one.txt"));
}

#[test]
fn json_has_an_object_for_each_file_and_one_for_all() {
    let place = Place::new();
    place.file("a.txt", HELLO);
    let run = place.run(&["count", "a.txt", "a.txt", "--json"]).exits(0);
    let file = r#"{"file":"a.txt","tokens":4,"bytes":14,"lines":1}"#;
    let total = r#"{"total":{"tokens":8,"bytes":28,"lines":2}}"#;
    assert_eq!(run.stdout, format!("{file}\n{file}\n{total}\n"));
}

#[test]
fn the_estimate_comes_with_its_error() {
    let place = Place::new();
    place.file("a.txt", "The ferry leaves at nine, unless the wind turns.\n".repeat(20));
    let object = place.run(&["count", "a.txt", "--json", "--estimate"]).exits(0).json().remove(0);
    let number = |key: &str| object[key].as_f64().unwrap();
    let error = (number("estimate") / number("tokens") - 1.0) * 100.0;
    assert!((number("error_percent") - error).abs() < 0.01, "{object}");
    assert!(error.abs() < 30.0, "{object}");
    let run = place.run(&["count", "a.txt", "--estimate"]).exits(0);
    let words: Vec<_> = run.stdout.split_whitespace().collect();
    assert_eq!(words[3], object["estimate"].to_string());
    assert!(words[4].ends_with('%') && words[4].starts_with(['+', '-']), "{words:?}");
    let line = json!({"text": "The ferry leaves at nine."}).to_string();
    let run = place.run_with(&["count", "--jsonl", "--estimate"], &line, &[]).exits(0);
    for key in ["tokens", "estimate", "error_percent"] {
        assert!(run.json()[0][key].is_number(), "{key}");
    }
}

#[test]
fn each_line_has_its_tokens_in_the_order_of_the_input() {
    let place = Place::new();
    let lines: Vec<_> = (0..10_000_usize)
        .map(|number| json!({"id": number, "text": "word ".repeat(number % 50)}))
        .map(|line: Value| line.to_string())
        .collect();
    place.file("lines.jsonl", format!("\n{}\n\n", lines.join("\n")));
    let run = place.run(&["count", "--jsonl", "lines.jsonl"]).exits(0);
    let single = |text: &str| {
        let run = place.run_with(&["count", "--json"], text, &[]).exits(0);
        run.json()[0]["tokens"].clone()
    };
    let found = run.json();
    assert_eq!(found.len(), 10_000);
    for number in [0, 1, 2, 49] {
        let expected = single(&"word ".repeat(number));
        for place in (number..10_000).step_by(50) {
            assert_eq!(found[place]["tokens"], expected, "{place}");
        }
    }
    assert_eq!(run.stdout.lines().next(), Some(r#"{"tokens":0}"#));
}

#[test]
fn messages_count_as_they_are_sent() {
    let place = Place::new();
    let run = place.run(&["count", "--jsonl", SAMPLE]).exits(0);
    // The sums of the replayed tallies, and 3 for the reply.
    let tokens: Vec<_> = run.json().iter().map(|line| line["tokens"].as_u64().unwrap()).collect();
    assert_eq!((tokens[0], tokens[2]), (1245, 620));
    let named = r#"{"messages":[{"role":"user","name":"bob","content":"hello"}]}"#;
    let check = |model: &str, expected: u64| {
        let run = place.run_with(&["count", "--jsonl", "--model", model], named, &[]).exits(0);
        assert_eq!(run.json(), [json!({"tokens": expected})], "{model}");
    };
    check("gpt-4", 3 + 1 + 1 + (1 + 1) + 3);
    // The name has one token, and one less is charged for having it.
    check("gpt-3.5-turbo-0301", 4 + 1 + 1 + 3);
}

#[test]
fn a_bad_line_ends_the_run_with_its_place() {
    let place = Place::new();
    let check = |line: &[u8], reason: &str| {
        let mut input = b"{\"text\":\"a\"}\n\n".to_vec();
        input.extend(line);
        input.extend(b"\n{\"text\":\"hush\"}\n");
        place.file("in.jsonl", &input);
        let run = place.run(&["count", "--jsonl", "in.jsonl"]).exits(1);
        assert_eq!(run.stdout, "{\"tokens\":1}\n");
        let run = run.says("in.jsonl, line 3: the line cannot be counted").says(reason);
        assert!(!run.stderr.contains("hush"), "{}", run.stderr);
    };
    check(b"{\"text\":\"hush\"", "not valid JSON, at column");
    check(b"{\"words\":\"hush\"}", "neither `text` nor `messages`");
    check(b"{\"text\":7}", "`text` must be a text");
    check(b"{\"messages\":[{\"content\":\"hush\"}]}", "message 1");
    check(b"{\"text\":\"\xff\"}", "not UTF-8 text, from byte 10 of the line on");
}
