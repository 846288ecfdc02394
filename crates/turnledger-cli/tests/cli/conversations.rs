//! Looking at conversations, and changing them.

use serde_json::json;

use crate::support::{Place, SAMPLE, conversation};

fn with_sample() -> Place {
    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    place
}

#[test]
fn a_window_is_fit_to_be_sent() {
    let place = with_sample();
    let run = place.on_store(&["window", "danube-tour", "--budget", "263", "--json"]).exits(0);
    let found = &run.json()[0];
    assert_eq!(found["conversation"], "danube-tour");
    let shape = json!({"budget": 263, "tokens": 263, "messages": 5, "pinned": 1, "first_seq": 15, "last_seq": 18});
    assert_eq!(found["window"], shape);
    let messages = found["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "assistant", "tool", "tool", "assistant"]);
    assert_eq!(messages[1]["tool_calls"][0]["function"]["name"], "ferry_times");

    let human = place.on_store(&["window", "danube-tour", "--budget", "263"]).exits(0);
    human
        .prints("#18 assistant · 70 tokens, exact")
        .prints("-> ferry_times(")
        .prints("263 of 263 tokens, 5 messages");
}

#[test]
fn a_window_that_does_not_fit_is_a_failure_here() {
    let place = with_sample();
    let run = place.on_store(&["window", "danube-tour", "--budget", "122", "--json"]).exits(1);
    assert_eq!(run.says("the newest group takes 70 tokens").stdout, "");
}

#[test]
fn showing_pages_through() {
    let place = with_sample();
    let seqs = |words: &[&str]| -> Vec<u64> {
        let run = place.on_store(&[&["show", "danube-tour", "--json"], words].concat()).exits(0);
        run.json().iter().map(|line| line["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs(&[]), (1..=18).collect::<Vec<_>>());
    assert_eq!(seqs(&["--limit", "5"]), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&["--limit", "5", "--after", "5"]), [6, 7, 8, 9, 10]);
    assert_eq!(seqs(&["--after", "16"]), [17, 18]);
    assert_eq!(seqs(&["--after", "18"]), [0; 0]);
    assert_eq!(seqs(&["--after", "0", "--limit", "1"]), [1]);

    let line =
        &place.on_store(&["show", "silent-cron-job", "--limit", "1", "--json"]).exits(0).json()[0];
    assert_eq!((&line["tokens"], &line["state"]), (&json!(45), &json!("exact")));
    assert_eq!(line["message"]["role"], "developer");

    let run = place.on_store(&["show", "silent-cron-job", "--limit", "2"]).exits(0);
    let run = run
        .prints("#1 developer · 45 tokens, exact")
        .prints("    30 2 * * * /opt/reports/bin/nightly");
    run.says("show silent-cron-job --after 2");
    let named =
        place.on_store(&["show", "silent-cron-job", "--after", "7", "--limit", "1"]).exits(0);
    named.prints("#8 user (mira)").prints("Oh no.");
    place.on_store(&["show", "danube-tour", "--limit", "0"]).exits(2);
}

#[test]
fn a_terminal_obeys_no_message() {
    let place = Place::new();
    let evil = "{\"id\":\"a\\u001b[2J\",\"messages\":[{\"role\":\"user\",\"content\":\"\\u001b]0;x\\u0007\"}]}";
    let run = place.on_store_with(&["replay", "-"], evil).exits(0);
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    for words in [
        &["list"][..],
        &["show", "a\u{1b}[2J"],
        &["window", "a\u{1b}[2J"],
        &["totals", "a\u{1b}[2J"],
    ] {
        let run = place.on_store(words).exits(0);
        assert!(!run.stdout.contains(['\u{1b}', '\u{7}']), "{:?}", run.stdout);
    }
    let missing = place.on_store(&["totals", "b\u{1b}[2J"]).exits(1);
    assert!(!missing.stderr.contains('\u{1b}'), "{:?}", missing.stderr);
}

#[test]
fn totals_under_every_counter() {
    let place = with_sample();
    let run = place.on_store(&["totals", "harbour-street-library", "--json"]).exits(0);
    let under_o200k = json!({"counter": "o200k_base/openai-chat-1", "messages": 17, "tokens": 617, "pending": 0, "complete": true});
    assert_eq!(
        run.json()[0],
        json!({
            "conversation": "harbour-street-library", "counter": "o200k_base/openai-chat-1",
            "messages": 17, "tokens": 617, "pending": 0, "complete": true, "counters": [under_o200k],
        })
    );
    // Looking under another counter counts nothing.
    let words = ["totals", "harbour-street-library", "--encoding", "cl100k_base"];
    let run = place.on_store(&[&words[..], &["--json"]].concat()).exits(0);
    let line = &run.json()[0];
    assert_eq!(
        (&line["tokens"], &line["pending"], &line["complete"]),
        (&json!(0), &json!(17), &json!(false))
    );
    place
        .on_store(&words)
        .exits(0)
        .prints("o200k_base/openai-chat-1   617")
        .prints("cl100k_base/openai-chat-1  0");

    place.on_store(&["replay", SAMPLE, "--encoding", "cl100k_base"]).exits(0);
    let line =
        place.on_store(&["totals", "harbour-street-library", "--json"]).exits(0).json().remove(0);
    let sums: Vec<_> =
        line["counters"].as_array().unwrap().iter().map(|sums| &sums["tokens"]).collect();
    assert_eq!(sums, [&json!(617), &json!(651)]);
}

#[test]
fn a_list_has_every_conversation() {
    let place = with_sample();
    let lines = place.on_store(&["list", "--json"]).exits(0).json();
    let mut found: Vec<_> = lines
        .iter()
        .map(|line| (line["conversation"].as_str().unwrap(), line["messages"].as_u64().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [("danube-tour", 18), ("harbour-street-library", 17), ("silent-cron-job", 16)]
    );
    assert!(lines.iter().all(|line| line["counter"] == "o200k_base/openai-chat-1"));
    place.on_store(&["list"]).exits(0).prints("18 messages").prints("danube-tour");
    assert_eq!(Place::new().on_store(&["list"]).exits(0).stdout, "");
}

#[test]
fn a_list_is_longer_than_a_page() {
    let place = Place::new();
    let lines: Vec<_> = (0..600).map(|n| conversation(&format!("c{n}"), &["x"])).collect();
    place.on_store_with(&["replay", "-"], &lines.join("\n")).exits(0);
    assert_eq!(place.on_store(&["list", "--json"]).exits(0).json().len(), 600);
    assert_eq!(place.on_store(&["export"]).exits(0).stdout.lines().count(), 600);
}

#[test]
fn an_export_is_read_back() {
    let place = with_sample();
    let export = place.on_store(&["export"]).exits(0).stdout;
    let other = Place::new();
    other.file("export.jsonl", &export);
    let lines = other.on_store(&["replay", "export.jsonl", "--json"]).exits(0).json();
    let summary = &lines[3]["summary"];
    assert_eq!((&summary["new_messages"], &summary["tokens"]), (&json!(51), &json!(2855)));
    let mut again: Vec<_> =
        other.on_store(&["export"]).exits(0).stdout.lines().map(str::to_owned).collect();
    let mut first: Vec<_> = export.lines().map(str::to_owned).collect();
    again.sort_unstable();
    first.sort_unstable();
    assert_eq!(again, first);
    // It is known where it came from, too: places are the same.
    place.file("export.jsonl", &export);
    let lines = place.on_store(&["replay", "export.jsonl", "--json"]).exits(0).json();
    assert_eq!(lines[3]["summary"]["new_messages"], 0);

    let words = ["export", "silent-cron-job", "danube-tour", "silent-cron-job"];
    let two = place.on_store(&words).exits(0).json();
    let ids: Vec<_> = two.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["silent-cron-job", "danube-tour"]);
    let unknown = place.on_store(&["export", "danube-tour", "nobody"]).exits(1);
    assert_eq!(unknown.says("there is no conversation \"nobody\"").stdout, "");
}

#[test]
fn the_newest_messages_are_dropped() {
    let place = with_sample();
    let run = place.on_store(&["drop-newest", "danube-tour", "2", "--json"]).exits(0);
    let expected =
        json!({"conversation": "danube-tour", "dropped": 2, "messages": 16, "next_seq": 17});
    assert_eq!(run.json()[0], expected);
    // A replay appends them again, at the same places.
    let lines = place.on_store(&["replay", SAMPLE, "--json"]).exits(0).json();
    assert_eq!((&lines[0]["messages"], &lines[0]["new_messages"]), (&json!(18), &json!(2)));
    place
        .on_store(&["drop-newest", "danube-tour", "100"])
        .exits(0)
        .prints("18 messages dropped, 0 left");
    place.on_store(&["drop-newest", "danube-tour", "1"]).exits(1).says("there is no conversation");
    place.on_store(&["drop-newest", "danube-tour", "many"]).exits(2);
}

#[test]
fn clearing_is_confirmed() {
    let place = with_sample();
    let run = place.on_store_with(&["clear", "danube-tour"], "y\n").exits(2).says("--yes");
    assert_eq!(run.stdout, "");
    place.on_store(&["totals", "danube-tour"]).exits(0);
    let run = place.on_store(&["clear", "danube-tour", "--yes", "--json"]).exits(0);
    assert_eq!(run.json()[0], json!({"conversation": "danube-tour", "removed": 18}));
    place.on_store(&["clear", "danube-tour", "--yes"]).exits(0).prints("0 messages removed");
    place.on_store(&["totals", "danube-tour"]).exits(1);
    place.on_store(&["totals", "silent-cron-job"]).exits(0);
}

#[test]
fn what_is_not_there_is_named() {
    let place = Place::new();
    for words in [
        &["window", "nobody"][..],
        &["show", "nobody"],
        &["totals", "nobody"],
        &["export", "nobody"],
        &["copy", "--to", "memory:", "nobody"],
        &["drop-newest", "nobody", "1"],
    ] {
        let run = place.on_store(words).exits(1);
        run.says("there is no conversation \"nobody\" in namespace \"default\"");
    }
}

#[test]
fn a_sweep_says_what_it_did() {
    let place = with_sample();
    let run = place.on_store(&["sweep", "--json"]).exits(0);
    assert_eq!(run.json()[0], json!({"settled": 0, "left": 0, "other_counters": 0}));
    place.on_store(&["sweep"]).exits(0).prints("0 messages settled, 0 left");
}
