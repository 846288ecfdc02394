//! Replaying again: known messages, changed ones, other counters.

use serde_json::json;

use crate::support::{Place, SAMPLE, conversation};

#[test]
fn a_second_run_adds_nothing() {
    let place = Place::new();
    let lines = |run: crate::support::Run| run.exits(0).json();
    let first = lines(place.on_store(&["replay", SAMPLE, "--json"]));
    let second = lines(place.on_store(&["replay", SAMPLE, "--json"]));
    for (before, after) in first[..3].iter().zip(&second) {
        assert_eq!(after["new_messages"], 0);
        assert_eq!(after["messages"], before["messages"]);
        assert_eq!(after["window"], before["window"]);
    }
    let summary = &second[3]["summary"];
    assert_eq!((&summary["messages"], &summary["new_messages"]), (&json!(51), &json!(0)));
    // Comparing is no appending.
    assert_eq!((&summary["seconds"], &summary["appends_per_second"]), (&json!(0.0), &json!(0.0)));
}

#[test]
fn made_ids_are_the_same_from_every_folder() {
    let place = Place::new();
    let nameless = r#"{"messages":[{"role":"user","content":"x"}]}"#;
    place.file("deep/er/nameless.jsonl", format!("{nameless}\n\n{nameless}\n"));
    let absolute = place.path().join("deep/er/nameless.jsonl");
    for (path, new) in [("deep/er/nameless.jsonl", 1), (absolute.to_str().unwrap(), 0)] {
        let lines = place.on_store(&["replay", path, "--json"]).exits(0).json();
        assert_eq!(lines[0]["conversation"], "nameless.jsonl#1");
        assert_eq!(lines[1]["conversation"], "nameless.jsonl#2");
        assert_eq!(lines[0]["new_messages"], new);
    }
    for new in [1, 0] {
        let lines = place.on_store_with(&["replay", "-", "--json"], nameless).exits(0).json();
        assert_eq!(
            (&lines[0]["conversation"], &lines[0]["new_messages"]),
            (&json!("-#1"), &json!(new))
        );
    }
}

#[test]
fn changed_content_is_a_conflict_that_says_where() {
    let place = Place::new();
    let (a, b, c) =
        (conversation("a", &["1"]), conversation("b", &["1", "2"]), conversation("c", &["1"]));
    place.file("first.jsonl", format!("{b}\n"));
    place.on_store(&["replay", "first.jsonl"]).exits(0);
    let changed = conversation("b", &["1", "hush"]);
    place.file("second.jsonl", format!("{a}\n{changed}\n{c}\n"));

    let run = place.on_store(&["replay", "second.jsonl", "--json"]).exits(1);
    let lines = run.json();
    assert_eq!(lines.len(), 2, "what stands before it is done and told: {}", run.stdout);
    assert_eq!((&lines[0]["conversation"], &lines[0]["new_messages"]), (&json!("a"), &json!(1)));
    assert_eq!(lines[1]["summary"]["conversations"], 1);
    let run = run.says("second.jsonl, line 2").says("conflict").says("\"b\"").says("message 2");
    assert!(!run.stderr.contains("hush"), "{}", run.stderr);
    place.on_store(&["totals", "c"]).exits(1);
    let stored = place.on_store(&["export", "b"]).exits(0);
    assert_eq!(stored.stdout.trim_end(), b.replace(": ", ":"), "nothing was overwritten");

    let run = place.on_store(&["replay", "second.jsonl", "--json", "--keep-going"]).exits(1);
    let ids: Vec<_> = run.json()[..2].iter().map(|line| line["conversation"].clone()).collect();
    assert_eq!(ids, ["a", "c"]);
}

#[test]
fn another_spelling_of_the_same_message_is_the_same() {
    let place = Place::new();
    place
        .on_store_with(
            &["replay", "-"],
            r#"{"id":"a","messages":[{"role":"user","content":"é/x"}]}"#,
        )
        .exits(0);
    let spelt = r#"{ "messages" : [ {"role" : "user", "content" : "\u00e9\/x"} ], "id" : "a" }"#;
    let lines = place.on_store_with(&["replay", "-", "--json"], spelt).exits(0).json();
    assert_eq!(lines[0]["new_messages"], 0);
}

#[test]
fn another_encoding_counts_anew_and_back_again() {
    let place = Place::new();
    let run = |encoding: &str| {
        let words = ["replay", SAMPLE, "--json", "--tallies", "--encoding", encoding];
        place.on_store(&words).exits(0).json()
    };
    let check = |encoding: &str, new: u64, tokens: u64| {
        let lines = run(encoding);
        let line = &lines[2];
        assert_eq!(line["counter"], format!("{encoding}/openai-chat-1"));
        assert_eq!((&line["pending"], &line["new_messages"]), (&json!(0), &json!(new)));
        assert_eq!(line["tokens"], tokens);
        let sum: u64 =
            line["tallies"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(sum, tokens);
        assert_eq!(line["window"]["tokens"], tokens + 3);
        // Also where it had nothing to count, the counter is the conversations' own.
        let listed = place.on_store(&["list", "--json"]).exits(0).json();
        assert!(listed.iter().all(|listed| listed["counter"] == line["counter"]), "{listed:?}");
    };
    check("o200k_base", 17, 617);
    check("cl100k_base", 0, 651);
    check("o200k_base", 0, 617);
}

#[test]
fn a_cleared_conversation_is_replayed_anew() {
    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    place.on_store(&["clear", "danube-tour", "--yes"]).exits(0);
    let lines = place.on_store(&["replay", SAMPLE, "--json"]).exits(0).json();
    let new: Vec<_> =
        lines[..3].iter().map(|line| line["new_messages"].as_u64().unwrap()).collect();
    assert_eq!(new, [18, 0, 0]);
}

#[test]
fn messages_of_others_are_counted_and_not_new() {
    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    place.on_store(&["append", "danube-tour", "--role", "user", "--content", "Thanks!"]).exits(0);
    let lines = place.on_store(&["replay", SAMPLE, "--json", "--tallies"]).exits(0).json();
    assert_eq!(lines[0]["messages"], 19);
    assert_eq!(lines[0]["new_messages"], 0);
    assert_eq!(lines[0]["tallies"].as_array().unwrap().len(), 19);
    assert_eq!(lines[3]["summary"]["messages"], 52);
}

#[test]
fn a_longer_file_adds_what_is_new() {
    let place = Place::new();
    place.file("a", conversation("a", &["1", "2"]));
    place.file("b", conversation("a", &["1", "2", "3"]));
    place.on_store(&["replay", "a"]).exits(0);
    let lines = place.on_store(&["replay", "b", "--json"]).exits(0).json();
    assert_eq!((&lines[0]["messages"], &lines[0]["new_messages"]), (&json!(3), &json!(1)));
}

#[test]
fn messages_that_have_no_ids_are_known_by_their_places() {
    let place = Place::new();
    let message = |text: &str| format!(r#"{{"role":"user","content":"{text}"}}"#);
    place.on_store_with(&["append", "a"], &[message("1"), message("2")].join("\n")).exits(0);
    place.on_store(&["append", "a", "--id", "x", "--role", "user", "--content", "3"]).exits(0);
    let export = place.on_store(&["export"]).exits(0).stdout;
    let lines = place.on_store_with(&["replay", "-", "--json"], &export).exits(0).json();
    assert_eq!((&lines[0]["messages"], &lines[0]["new_messages"]), (&json!(3), &json!(0)));
    assert_eq!(lines[0]["pending"], 0);
    assert_eq!(place.on_store(&["export"]).exits(0).stdout, export);

    // What is behind them is appended, and another one at a known place is a conflict.
    let four = export.replace("]}", &format!(",{}]}}", message("4")));
    let lines = place.on_store_with(&["replay", "-", "--json"], &four).exits(0).json();
    assert_eq!((&lines[0]["messages"], &lines[0]["new_messages"]), (&json!(4), &json!(1)));
    let other = four.replace("\"2\"", "\"hush\"");
    let run = place.on_store_with(&["replay", "-"], &other).exits(1);
    let run = run.says("conversation \"a\": message 2: conflict");
    assert!(!run.stderr.contains("hush"), "{}", run.stderr);
    assert_eq!(place.on_store(&["export"]).exits(0).stdout, four);
}

#[test]
fn a_message_that_went_on_otherwise_is_a_conflict_and_not_appended_behind() {
    let place = Place::new();
    place.on_store_with(&["replay", "-"], &conversation("a", &["1"])).exits(0);
    place.on_store(&["append", "a", "--role", "assistant", "--content", "else"]).exits(0);
    let run = place.on_store_with(&["replay", "-"], &conversation("a", &["1", "2"])).exits(1);
    run.says("message 2: conflict");
    assert_eq!(place.on_store(&["list", "--json"]).exits(0).json()[0]["messages"], 2);
}
