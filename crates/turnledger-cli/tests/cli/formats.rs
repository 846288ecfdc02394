//! The forms of input.

use crate::support::{Place, Run, conversation};

/// Every conversation's id and number of messages.
fn found(run: &Run) -> Vec<(String, u64)> {
    let lines = run.json();
    let (_, conversations) = lines.split_last().unwrap();
    conversations
        .iter()
        .map(|line| {
            (line["conversation"].as_str().unwrap().to_owned(), line["messages"].as_u64().unwrap())
        })
        .collect()
}

fn expect(run: &Run, expected: &[(&str, u64)]) {
    let expected: Vec<_> = expected.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect();
    assert_eq!(found(run), expected);
}

#[test]
fn every_format_is_recognised_in_files_and_on_standard_input() {
    let (a, b) = (conversation("a", &["1"]), conversation("b", &["1", "2"]));
    let turns = r#"{"id":"t","conversations":[{"from":"system","value":"s"},{"from":"human","value":"h"},{"from":"gpt","value":"g"}]}"#;
    let nameless = r#"{"conversations":[{"from":"human","value":"h"}]}"#;
    let check = |text: &str, expected: &[(&str, u64)]| {
        let place = Place::new();
        place.file("input", text);
        expect(&place.on_store(&["replay", "--json", "input"]).exits(0), expected);
        let place = Place::new();
        let renamed: Vec<_> =
            expected.iter().map(|(id, n)| (id.replace("input#", "-#"), *n)).collect();
        let run = place.on_store_with(&["replay", "--json", "-"], text).exits(0);
        assert_eq!(found(&run), renamed);
    };
    check(&format!("{a}\n{b}"), &[("a", 1), ("b", 2)]);
    check(&format!("\u{feff}{a}\r\n\r\n{b}\r\n"), &[("a", 1), ("b", 2)]);
    check(&format!("[{a},\n {b}]"), &[("a", 1), ("b", 2)]);
    check(&format!("{turns}\n{nameless}"), &[("t", 3), ("input#2", 1)]);
    check(&format!("[{nameless}, {turns}]"), &[("input#1", 1), ("t", 3)]);
}

#[test]
fn several_files_of_several_formats_are_one_run() {
    let place = Place::new();
    place.file("a.jsonl", conversation("a", &["1"]));
    place.file("b.json", format!("[{}]", conversation("b", &["1"])));
    let run = place
        .on_store_with(&["replay", "--json", "a.jsonl", "-", "b.json"], &conversation("c", &[]));
    expect(&run.exits(0), &[("a", 1), ("c", 0), ("b", 1)]);
}

#[test]
fn speakers_become_roles() {
    let place = Place::new();
    let turns: Vec<_> = ["system", "human", "gpt", "tool", "function", "observation"]
        .iter()
        .map(|from| format!(r#"{{"from":"{from}","value":"x"}}"#))
        .collect();
    let input = format!(r#"{{"id":"t","conversations":[{}]}}"#, turns.join(","));
    place.on_store_with(&["replay", "-"], &input).exits(0);
    let shown = place.on_store(&["show", "t", "--json"]).exits(0).json();
    let roles: Vec<_> =
        shown.iter().map(|line| line["message"]["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "tool"]);
    assert!(shown.iter().all(|line| line["message"]["content"] == "x"));
}

#[test]
fn a_format_can_be_forced() {
    let place = Place::new();
    let both = r#"{"id":"b","messages":[],"conversations":[{"from":"human","value":"h"}]}"#;
    place.file("both", both);
    place.file("array", format!("[{}]", conversation("a", &["1"])));
    place.on_store(&["replay", "both"]).exits(1).says("both, line 1").says("--format");
    expect(
        &place.on_store(&["replay", "both", "--format", "jsonl", "--json"]).exits(0),
        &[("b", 0)],
    );
    expect(
        &place.on_store(&["replay", "both", "--format", "sharegpt", "--json"]).exits(0),
        &[("b", 1)],
    );
    expect(
        &place.on_store(&["replay", "array", "--format", "json", "--json"]).exits(0),
        &[("a", 1)],
    );
    place.on_store(&["replay", "both", "--format", "json"]).exits(1).says("begin with `[`");
    place.on_store(&["replay", "array", "--format", "jsonl"]).exits(1).says("array, line 1");
    place
        .on_store(&["replay", "array", "--format", "sharegpt"])
        .exits(1)
        .says("no `conversations`");
    place.on_store(&["replay", "array", "--format", "yaml"]).exits(2);
}
