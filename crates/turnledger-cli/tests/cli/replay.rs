//! `replay`: what it prints.

use serde_json::{Value, json};

use crate::support::{Place, SAMPLE, conversation};

#[test]
fn the_sample_is_replayed_with_exact_numbers() {
    let place = Place::new();
    let run = place.on_store(&["replay", SAMPLE, "--json"]).exits(0);
    // The order of the keys is part of what is promised.
    let first = run.stdout.lines().next().unwrap();
    let expected = concat!(
        r#"{"conversation":"danube-tour","messages":18,"new_messages":18,"tokens":1242,"#,
        r#""pending":0,"counter":"o200k_base/openai-chat-1","window":{"budget":4096,"#,
        r#""tokens":1245,"messages":18,"pinned":1,"first_seq":2,"last_seq":18}}"#,
    );
    assert_eq!(first, expected);
    let lines = run.json();
    assert_eq!(lines.len(), 4);
    // Two system messages lead the last one, and a call of it waits for a result.
    let window = json!({"budget": 4096, "tokens": 620, "messages": 17, "pinned": 2, "first_seq": 3, "last_seq": 17});
    assert_eq!(lines[2]["window"], window);
    assert_eq!(lines[2]["tokens"], 617);

    let summary = run.stdout.lines().last().unwrap();
    let start = r#"{"summary":{"conversations":3,"messages":51,"new_messages":51,"tokens":2855,"pending":0,"seconds":"#;
    assert!(summary.starts_with(start), "{summary}");
    let keys = ["\"seconds\":", "\"seconds_to_exact\":", "\"appends_per_second\":"];
    let places = keys.map(|key| summary.find(key).unwrap());
    assert!(places.is_sorted(), "{summary}");
    let numbers = &lines[3]["summary"];
    for key in ["seconds", "seconds_to_exact", "appends_per_second"] {
        assert!(numbers[key].as_f64().unwrap() >= 0.0, "{key}");
    }
    let (seconds, rate) = (&numbers["seconds"], &numbers["appends_per_second"]);
    let appends = seconds.as_f64().unwrap() * rate.as_f64().unwrap();
    assert!((appends - 51.0).abs() < 0.001, "{appends}");
}

#[test]
fn every_policy_and_order_of_counting_gives_the_same_tallies() {
    for policy in ["background", "adaptive", "inline"] {
        let place = Place::new();
        let words = ["replay", SAMPLE, "--json", "--tallies", "--count-policy", policy];
        let lines = place.on_store(&words).exits(0).json();
        let tallies = lines[2]["tallies"].as_array().unwrap();
        assert_eq!(tallies.len(), 17);
        assert_eq!(tallies[..4], [json!(20), json!(52), json!(34), json!(24)], "{policy}");
        let sum: u64 = tallies.iter().map(|tally| tally.as_u64().unwrap()).sum();
        assert_eq!(json!(sum), lines[2]["tokens"]);
        assert!(lines[3]["summary"].get("tallies").is_none());
    }
}

#[test]
fn a_smaller_window_holds_whole_groups_only() {
    let place = Place::new();
    let window = |budget: &str| {
        let run = place.on_store(&["replay", SAMPLE, "--json", "--budget", budget]).exits(0);
        run.json()[0]["window"].clone()
    };
    // The newest answer alone; the call before it with both its results; the user before that.
    let check = |budget: &str, tokens: u64, messages: u64, first_seq: u64| {
        let expected = json!({
            "budget": budget.parse::<u64>().unwrap(), "tokens": tokens, "messages": messages,
            "pinned": 1, "first_seq": first_seq, "last_seq": 18,
        });
        assert_eq!(window(budget), expected);
    };
    check("123", 123, 2, 18);
    check("262", 123, 2, 18);
    check("263", 263, 5, 15);
    check("283", 263, 5, 15);
    check("284", 284, 6, 14);
}

#[test]
fn a_window_that_cannot_hold_the_newest_group_is_no_failure() {
    let place = Place::new();
    let run = place.on_store(&["replay", SAMPLE, "--json", "--budget", "122"]).exits(0);
    let first = run.stdout.lines().next().unwrap();
    assert!(
        first.contains(r#""window":null,"window_error":"the newest group takes 70 tokens"#),
        "{first}"
    );
    let line = &run.json()[0];
    assert_eq!(line["tokens"], 1242);

    let human = place.on_store(&["replay", SAMPLE, "--budget", "122"]).exits(0);
    human.prints("none of 122 tokens").prints("the newest group takes 70 tokens");

    let head = place.on_store(&["replay", SAMPLE, "--json", "--budget", "0"]).exits(0);
    let error = head.json()[0]["window_error"].as_str().unwrap().to_owned();
    assert!(error.contains("53 tokens"), "{error}");
}

#[test]
fn people_get_a_table_and_a_summary() {
    let place = Place::new();
    let run = place.on_store(&["replay", SAMPLE]).exits(0).says("store: file:memory.redb");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 6, "{}", run.stdout);
    for word in ["messages", "tokens", "window", "conversation"] {
        assert!(lines[0].contains(word), "{}", lines[0]);
    }
    for text in ["18", "1242", "1245 of 4096 tokens, 18 messages", "danube-tour"] {
        assert!(lines[1].contains(text), "{}", lines[1]);
    }
    assert!(
        lines[4].contains("3 conversations, 51 messages (51 new), 2855 tokens"),
        "{}",
        lines[4]
    );
    assert!(lines[5].contains("a second; all exact"), "{}", lines[5]);
}

#[test]
fn nothing_but_results_goes_to_standard_output_and_no_progress_to_a_file() {
    let place = Place::new();
    let run = place.on_store(&["replay", SAMPLE, "--json"]).exits(0);
    assert!(run.json().iter().all(Value::is_object));
    assert_eq!(run.stderr, "store: file:memory.redb\n");
}

#[test]
fn a_store_in_memory_and_the_default_one_are_named_at_the_start() {
    let place = Place::new();
    let run = place.run(&["replay", SAMPLE, "--store", "memory:", "--json"]).exits(0);
    assert_eq!(run.json().len(), 4);
    run.says("store: memory:");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left on the disk");

    let run = place.run(&["replay", SAMPLE, "--json"]).exits(0);
    let file = place.path().join("home/data/turnledger/memory.redb");
    run.says(&format!("store: file:{}", file.display()));
    assert!(file.exists());
}

#[test]
fn nothing_to_replay_is_nothing_to_complain_of() {
    let place = Place::new();
    let check = |name: &str, text: &str| {
        let run = place.on_store(&["replay", place.file("input", text), "--json"]).exits(0);
        let lines = run.json();
        assert_eq!(lines.len(), 1, "{name}");
        let start = r#"{"summary":{"conversations":0,"messages":0,"new_messages":0,"tokens":0,"pending":0,"seconds":0.0,"seconds_to_exact":"#;
        assert!(run.stdout.starts_with(start), "{}", run.stdout);
        assert_eq!(lines[0]["summary"]["appends_per_second"], 0.0);
    };
    check("an empty file", "");
    check("blank lines", "\n \r\n\n");
    check("an empty array", "[ ]\n");
}

#[test]
fn a_conversation_without_messages_is_told_as_such() {
    let place = Place::new();
    place.file("input", format!("{}\n", conversation("empty", &[])));
    let run = place.on_store(&["replay", "input", "--json"]).exits(0);
    let expected = concat!(
        r#"{"conversation":"empty","messages":0,"new_messages":0,"tokens":0,"pending":0,"#,
        r#""counter":"o200k_base/openai-chat-1","window":{"budget":4096,"tokens":3,"messages":0,"#,
        r#""pinned":0,"first_seq":null,"last_seq":null}}"#,
    );
    assert_eq!(run.stdout.lines().next().unwrap(), expected);
}

#[test]
fn many_conversations_keep_the_order_of_the_input() {
    let place = Place::new();
    let ids: Vec<_> = (0..300).map(|number| format!("c{}", number * 7919 % 300)).collect();
    let lines: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(place, id)| conversation(id, &vec!["a short message"; place % 5 + 1]))
        .collect();
    place.file("many.jsonl", lines.join("\n"));
    let run = place.on_store(&["replay", "many.jsonl", "--json"]).exits(0);
    let found = run.json();
    let shown: Vec<_> =
        found[..300].iter().map(|line| line["conversation"].as_str().unwrap()).collect();
    assert_eq!(shown, ids);
    assert_eq!(found[300]["summary"]["new_messages"], 900);
}
