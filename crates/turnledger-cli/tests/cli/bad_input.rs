//! Input that cannot be replayed.

use crate::support::{Place, conversation};

#[test]
fn a_bad_line_ends_the_run_and_nothing_of_it_is_stored() {
    let check = |bad: &str, reasons: &[&str]| {
        let place = Place::new();
        let (a, c) = (conversation("a", &["1"]), conversation("c", &["1"]));
        place.file("input.jsonl", format!("{a}\n{bad}\n{c}\n"));
        let run = place.on_store(&["replay", "input.jsonl", "--json"]).exits(1);
        let run =
            reasons.iter().fold(run.says("input.jsonl, line 2"), |run, reason| run.says(reason));
        assert!(!run.stderr.contains("hush"), "{}", run.stderr);
        let lines = run.json();
        assert_eq!((lines.len(), &lines[0]["conversation"]), (2, &"a".into()), "{}", run.stdout);
        assert_eq!(lines[1]["summary"]["conversations"], 1);
        let stored = place.on_store(&["list", "--json"]).exits(0).json();
        assert_eq!(stored.len(), 1, "{stored:?}");

        let run = place.on_store(&["replay", "input.jsonl", "--json", "--keep-going"]).exits(1);
        let run = run.says("input.jsonl, line 2");
        let lines = run.json();
        let ids: Vec<_> =
            lines[..2].iter().map(|line| line["conversation"].as_str().unwrap()).collect();
        assert_eq!((lines.len(), ids), (3, vec!["a", "c"]), "{bad}");
        assert_eq!(lines[2]["summary"]["conversations"], 2);
        let stored = place.on_store(&["list", "--json"]).exits(0).json();
        assert_eq!(stored.len(), 2, "{bad}: {stored:?}");
    };
    check("hush", &["not valid JSON"]);
    check(r#"{"id":"b","messages":[{"role":"user","content":"hush"}"#, &["not valid JSON"]);
    check(r#"["hush"]"#, &["JSON object"]);
    check(r#"{"id":"b"}"#, &["`messages`"]);
    check(r#"{"id":"b","messages":{"hush":1}}"#, &["`messages` must be an array"]);
    check(r#"{"id":7,"messages":[]}"#, &["`id`"]);
    check(r#"{"id":"","messages":[]}"#, &["`id`", "empty"]);
    check(&format!(r#"{{"id":"{}","messages":[]}}"#, "i".repeat(257)), &["`id`", "256"]);
    check(&conversation("a", &["hush"]), &["\"a\" comes twice", "input.jsonl, line 1"]);
    // The first message is good, and must not be stored either.
    let after_good = |bad: &str| {
        format!(r#"{{"id":"b","messages":[{{"role":"user","content":"good"}},{bad}]}}"#)
    };
    check(&after_good(r#"{"content":"hush"}"#), &["message 2", "role"]);
    check(&after_good(r#"{"role":"hero","content":"hush"}"#), &["message 2", "`hero`"]);
    check(&after_good(r#"{"role":"user","content":{"hush":1}}"#), &["message 2", "`content`"]);
    check(&after_good(r#""hush""#), &["message 2", "JSON object"]);
    check(
        &after_good(&format!(r#"{{"role":"user","x":{}}}"#, "[".repeat(200) + &"]".repeat(200))),
        &["message 2", "128"],
    );
    check(
        &after_good(&format!(r#"{{"role":"user","content":"{}"}}"#, "x".repeat(1 << 20))),
        &["message 2", "1048576"],
    );
    let turn = r#"{"id":"b","conversations":[{"from":"human","value":"good"},{"from":"robot","value":"hush"}]}"#;
    check(turn, &["message 2", "\"robot\""]);
    check(r#"{"id":"b","conversations":[{"from":"human"}]}"#, &["message 1", "`value`"]);
}

#[test]
fn text_that_is_not_utf8_is_told() {
    let place = Place::new();
    place.file("latin1", b"{\"id\":\"a\",\"messages\":[]}\n{\"id\":\"caf\xe9\",\"messages\":[]}\n");
    place
        .on_store(&["replay", "latin1"])
        .exits(1)
        .says("latin1, line 2")
        .says("not UTF-8")
        .says("byte 11");
    place.file("utf16", b"\xff\xfe{\0}\0");
    place.on_store(&["replay", "utf16"]).exits(1).says("utf16").says("UTF-16");
}

#[test]
fn a_file_that_is_missing_or_no_file_is_named() {
    let place = Place::new();
    place.file("good", conversation("a", &["1"]));
    std::fs::create_dir(place.path().join("folder")).unwrap();
    let run = place.on_store(&["replay", "missing.jsonl", "good", "--json"]).exits(1);
    let run = run.says("missing.jsonl cannot be read").says("No such file");
    assert_eq!(run.json().len(), 1, "only the summary: {}", run.stdout);
    place.on_store(&["replay", "folder"]).exits(1).says("folder cannot be read").says("directory");
    let run =
        place.on_store(&["replay", "missing.jsonl", "good", "--json", "--keep-going"]).exits(1);
    assert_eq!(run.json()[0]["conversation"], "a");
}

#[test]
fn an_array_that_breaks_off_says_where() {
    let place = Place::new();
    let (a, b) = (conversation("a", &["1"]), conversation("b", &["1"]));
    place.file("cut", format!("[\n{a},\n{}", &b[..20]));
    place.file("next", conversation("c", &["1"]));
    let run = place.on_store(&["replay", "cut", "next", "--keep-going", "--json"]).exits(1);
    let run = run.says("cut, line 3");
    let ids: Vec<_> = run.json()[..2].iter().map(|line| line["conversation"].clone()).collect();
    assert_eq!(ids, ["a", "c"]);
    place.file("bad", format!("[{a},\n{{\"id\":\nhush}},\n{b}]"));
    let run =
        place.on_store(&["replay", "bad", "--keep-going", "--json"]).exits(1).says("bad, line 3");
    assert_eq!(run.json().len(), 3);
}

#[test]
fn ids_come_once_in_a_run_whatever_file_they_are_in() {
    let place = Place::new();
    place.file("one", conversation("a", &["1"]));
    place.file("two", conversation("a", &["1"]));
    let run = place.on_store(&["replay", "one", "two"]).exits(1);
    run.says("two, line 1").says("\"a\" comes twice").says("one, line 1");
    // The same file twice is the same case.
    place.on_store(&["replay", "one", "one"]).exits(1).says("comes twice");
}

#[test]
fn a_name_that_two_files_share_or_that_is_too_long_is_told_with_a_way_out() {
    let place = Place::new();
    let nameless = r#"{"messages":[{"role":"user","content":"x"}]}"#;
    place.file("one/day.jsonl", nameless);
    place.file("two/day.jsonl", nameless);
    let run = place.on_store(&["replay", "one/day.jsonl", "two/day.jsonl"]).exits(1);
    run.says("two/day.jsonl, line 1").says("one/day.jsonl, line 1").says("rename one");
    let long = "n".repeat(255);
    place.file(&long, nameless);
    let run = place.on_store(&["replay", &long]).exits(1);
    let run = run.says("rename the file").says("give the conversations an `id`").says("256");
    // Each cause is said once.
    assert_eq!(run.stderr.matches("the limit is 256").count(), 1, "{}", run.stderr);
}

#[test]
fn an_object_over_several_lines_is_told_in_which_form_to_write_it() {
    let place = Place::new();
    let pretty = conversation("a", &["1"]).replace(',', ",\n  ");
    place.file("pretty.json", &pretty);
    let run = place.on_store(&["replay", "pretty.json"]).exits(1);
    run.says("pretty.json, line 1").says("each conversation on one line").says("one array");
    place.file("pretty.json", format!("[\n{pretty}\n]"));
    place.on_store(&["replay", "pretty.json"]).exits(0);
}

#[test]
fn a_limit_that_is_lowered_is_named() {
    let place = Place::new();
    place.file("input", conversation("a", &["longer than twenty bytes"]));
    let words = ["--store", "memory:", "replay", "input"];
    let run = place.run_with(&words, "", &[("TURNLEDGER__LIMITS__MESSAGE_BYTES", "20")]);
    run.exits(1).says("message 1").says("20");
}
