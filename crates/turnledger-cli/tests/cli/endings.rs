//! Replays that do not come to their end: what was done is told all the same.

use serde_json::{Value, json};

use crate::support::{Place, conversation};

/// More than a counter gets through in a millisecond, whatever the machine.
fn long_text() -> String {
    "some words of a longer message ".repeat(30_000)
}

/// The lines of the conversations, and the summary behind them.
fn told(lines: &[Value]) -> (&[Value], &Value) {
    let (summary, conversations) = lines.split_last().unwrap();
    assert!(conversations.iter().all(|line| line["conversation"].is_string()));
    (conversations, &summary["summary"])
}

#[test]
fn a_message_that_cannot_be_counted_costs_its_conversation_where_the_run_goes_on() {
    let place = Place::new();
    let ids = ["a", "b", "c"];
    let lines = ids.map(|id| conversation(id, &[&long_text()]));
    place.file("input.jsonl", lines.join("\n"));
    let words = ["--count-policy", "inline", "replay", "input.jsonl", "--json", "--store"];
    let slow = [("TURNLEDGER__COUNTER__DEADLINE", "1ms")];
    let run = |more: &[&str]| place.run_with(&[&words[..], more].concat(), "", &slow).exits(1);

    let all = run(&["file:all.redb", "--keep-going"]);
    for id in ids {
        assert!(all.stderr.contains(&format!("conversation {id:?}: message 1 was not stored")));
    }
    let lines = all.says("the message was not counted").json();
    let (conversations, summary) = told(&lines);
    assert!(conversations.is_empty());
    assert_eq!((&summary["conversations"], &summary["new_messages"]), (&json!(0), &json!(0)));

    let some = run(&["file:some.redb"]).says("message 1 was not stored").json();
    assert_eq!(told(&some).1["messages"], 0);
}

/// The largest size of a file stands for a disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn a_store_that_fails_ends_the_run_and_what_was_done_is_told() {
    let text = "some words of a longer message ".repeat(1000);
    let lines: Vec<_> =
        (0..400).map(|number| conversation(&format!("c{number}"), &[&text, "2"])).collect();
    for words in ["--json", "--json --keep-going"] {
        let place = Place::new();
        place.file("input.jsonl", lines.join("\n"));
        let program = env!("CARGO_BIN_EXE_turnledger");
        let command = format!(
            "trap '' XFSZ; ulimit -f 8000; \
             exec '{program}' --store file:memory.redb replay input.jsonl {words}"
        );
        let run = place.in_shell(&command).exits(1);
        let run = run.says("was not stored").says("File too large");
        let lines = run.json();
        let (conversations, summary) = told(&lines);
        assert_eq!(summary["conversations"], conversations.len());
        assert!(conversations.iter().all(|line| line["new_messages"] == 2));
        // Everything that was acknowledged is told, and nothing else.
        let new = summary["new_messages"].as_u64().unwrap();
        assert!(new > 0 && new < 800, "{new}");
        let stored = place.on_store(&["list", "--json"]).exits(0).json();
        let messages: u64 = stored.iter().map(|line| line["messages"].as_u64().unwrap()).sum();
        assert_eq!((summary["messages"].as_u64().unwrap(), new), (messages, messages));
        // The same command goes on.
        let again = place.on_store(&["replay", "input.jsonl", "--json"]).exits(0).json();
        assert_eq!(told(&again).1["messages"], 800);
        assert_eq!(told(&again).1["new_messages"], 800 - messages);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn people_get_the_summary_of_a_run_that_failed_too() {
    let place = Place::new();
    let text = "some words of a longer message ".repeat(1000);
    let lines: Vec<_> =
        (0..400).map(|number| conversation(&format!("c{number}"), &[&text])).collect();
    place.file("input.jsonl", lines.join("\n"));
    let program = env!("CARGO_BIN_EXE_turnledger");
    let command = format!(
        "trap '' XFSZ; ulimit -f 8000; exec '{program}' --store file:memory.redb replay input.jsonl"
    );
    let run = place.in_shell(&command).exits(1).says("File too large");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert!(lines[0].contains("conversation"), "{}", lines[0]);
    assert!(lines[lines.len() - 2].contains(" new), "), "{}", run.stdout);
    assert!(lines[lines.len() - 1].contains("not all exact"), "{}", run.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn a_copy_that_fails_tells_what_it_has_copied() {
    let place = Place::new();
    let text = "some words of a longer message ".repeat(1000);
    let lines: Vec<_> =
        (0..400).map(|number| conversation(&format!("c{number}"), &[&text])).collect();
    place.on_store_with(&["replay", "-"], &lines.join("\n")).exits(0);
    let program = env!("CARGO_BIN_EXE_turnledger");
    let command = format!(
        "trap '' XFSZ; ulimit -f 8000; \
         exec '{program}' --store file:memory.redb copy --to file:copy.redb --json"
    );
    let run = place.in_shell(&command).exits(1).says("was not copied").says("File too large");
    let lines = run.json();
    let (conversations, summary) = told(&lines);
    assert!(!conversations.is_empty() && conversations.len() < 400, "{}", conversations.len());
    assert_eq!(summary["conversations"], conversations.len());
    let there = place.run(&["--store", "file:copy.redb", "list"]).exits(0);
    assert_eq!(there.stdout.lines().count(), conversations.len());
    let again = place.on_store(&["copy", "--to", "file:copy.redb", "--json"]).exits(0).json();
    assert_eq!(told(&again).1["new_messages"], 400 - conversations.len());
}
