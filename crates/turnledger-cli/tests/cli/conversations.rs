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
    let run = run.says("the newest group takes 70 tokens").says("raise --budget");
    // It names no way out that the command line does not have.
    assert!(!run.stderr.contains("empty run"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
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
    run.says(
        "2 of 16 messages shown; go on with: turnledger --store file:memory.redb show --after 2 \
         --limit 2 silent-cron-job",
    );
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
    // What turns the direction of writing is shown, and not obeyed.
    let turned =
        "{\"id\":\"a\u{202e}b\",\"messages\":[{\"role\":\"user\",\"content\":\"c\u{2066}d\"}]}";
    place.on_store_with(&["replay", "-"], turned).exits(0).prints("a\\u{202e}b");
    let shown = place.on_store(&["show", "a\u{202e}b"]).exits(0);
    assert_eq!(shown.prints("c\\u{2066}d").stdout.matches('\u{2066}').count(), 0);
    let missing = place.on_store(&["totals", "b\u{1b}[2J"]).exits(1);
    assert!(!missing.stderr.contains('\u{1b}'), "{:?}", missing.stderr);
}

#[test]
fn totals_under_every_counter() {
    let place = with_sample();
    let run = place.on_store(&["totals", "harbour-street-library", "--json"]).exits(0);
    let under_o200k = json!({"counter": "o200k_base/openai-chat-1", "messages": 17, "tokens": 617, "pending": 0, "fallback": 0, "complete": true});
    assert_eq!(
        run.json()[0],
        json!({
            "conversation": "harbour-street-library", "counter": "o200k_base/openai-chat-1",
            "messages": 17, "tokens": 617, "pending": 0, "fallback": 0, "complete": true, "counters": [under_o200k],
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
    place.on_store(&["drop-newest", "danube-tour", "many"]).exits(2);
}

#[test]
fn a_conversation_of_which_everything_was_dropped_is_there_and_empty() {
    let place = Place::new();
    place.on_store_with(&["replay", "-"], &conversation("a", &["1", "2"])).exits(0);
    place.on_store(&["drop-newest", "a", "2"]).exits(0).prints("a: 2 messages dropped, 0 left");
    assert_eq!(place.on_store(&["list", "--json"]).exits(0).json()[0]["messages"], 0);
    let exported = "{\"id\":\"a\",\"messages\":[]}\n";
    assert_eq!(place.on_store(&["export"]).exits(0).stdout, exported);
    assert_eq!(place.on_store(&["export", "a"]).exits(0).stdout, exported);
    assert_eq!(place.on_store(&["show", "a"]).exits(0).stdout, "");
    place.on_store(&["totals", "a"]).exits(0).prints("a: 0 messages");
    assert_eq!(place.on_store(&["totals", "a", "--json"]).exits(0).json()[0]["tokens"], 0);
    place.on_store(&["window", "a"]).exits(0).prints("3 of 4096 tokens, 0 messages");
    place.on_store(&["drop-newest", "a", "1"]).exits(0).prints("0 messages dropped, 0 left");
    place.on_store(&["copy", "--to", "file:copy.redb", "a"]).exits(0).prints("0 messages (0 new)");
    // It goes on at the first place.
    let run = place.on_store_with(&["replay", "-", "--json"], &conversation("a", &["3"])).exits(0);
    assert_eq!(
        (&run.json()[0]["messages"], &run.json()[0]["new_messages"]),
        (&json!(1), &json!(1))
    );
    place.on_store(&["drop-newest", "a", "1"]).exits(0);
    place.on_store(&["clear", "a", "--yes"]).exits(0).prints("a: 0 messages removed");
    place.on_store(&["show", "a"]).exits(1).says("there is no conversation");
    assert_eq!(place.on_store(&["list"]).exits(0).stdout, "");
}

#[cfg(unix)]
#[test]
fn the_command_that_goes_on_is_one_for_a_shell() {
    let place = Place::new();
    let ids = ["it's $(here)", "-x"];
    let lines = ids.map(|id| conversation(id, &["1", "2"]));
    let given = ["--store", "file:a b.redb", "--namespace", "t n"];
    let run = |words: &[&str], input: &str| place.run_with(&[&given, words].concat(), input, &[]);
    run(&["replay", "-"], &lines.join("\n")).exits(0);
    for id in ids {
        let shown = run(&["show", "--limit", "1", "--", id], "").exits(0);
        let (_, command) = shown.stderr.trim_end().split_once("go on with: turnledger").unwrap();
        // A shell splits the words, and the program finds what it was pointed to.
        let program = env!("CARGO_BIN_EXE_turnledger");
        let shown = place.in_shell(&format!("'{program}' {command}")).exits(0);
        shown.prints("#2 assistant").says("store: file:a b.redb");
    }
}

#[test]
fn clearing_is_confirmed() {
    let place = with_sample();
    let run = place.on_store_with(&["clear", "danube-tour"], "y\n").exits(2).says("--yes");
    assert_eq!(run.stdout, "");
    place.on_store(&["totals", "danube-tour"]).exits(0);
    let run = place.on_store(&["clear", "danube-tour", "--yes", "--json"]).exits(0);
    assert_eq!(run.json()[0], json!({"conversation": "danube-tour", "removed": 18}));
    place.on_store(&["clear", "danube-tour", "--yes"]).exits(1).says("there is no conversation");
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
        &["clear", "nobody"],
        &["clear", "nobody", "--yes"],
    ] {
        let run = place.on_store(words).exits(1);
        run.says("there is no conversation \"nobody\" in namespace \"default\"");
    }
}

#[test]
fn a_sweep_says_what_it_did() {
    let place = with_sample();
    let run = place.on_store(&["sweep", "--json"]).exits(0);
    let nothing = json!({"settled": 0, "left": 0, "other_counters": 0, "counted_otherwise": 0});
    assert_eq!(run.json()[0], nothing);
    assert_eq!(place.on_store(&["sweep"]).exits(0).stdout, "0 messages settled, 0 left\n");
}

#[test]
fn a_sweep_tells_what_another_counter_has_counted() {
    let place = with_sample();
    let under = ["--encoding", "cl100k_base"];
    let pending = |id: &str| {
        let run = place.on_store(&[&["totals", id, "--json"], &under[..]].concat()).exits(0);
        run.json()[0]["pending"].as_u64().unwrap()
    };
    let ids = ["danube-tour", "harbour-street-library", "silent-cron-job"];
    let not_counted: u64 = ids.into_iter().map(pending).sum();
    assert_eq!(not_counted, 51);
    let run = place.on_store(&[&["sweep", "--json"], &under[..]].concat()).exits(0);
    let found = &run.json()[0];
    assert_eq!((&found["left"], &found["other_counters"]), (&json!(0), &json!(0)));
    assert_eq!(found["counted_otherwise"], not_counted);
    let human = place.on_store(&[&["sweep"], &under[..]].concat()).exits(0);
    human.prints("51 messages not counted by cl100k_base/openai-chat-1");
    // What it names does it.
    place.on_store(&[&["replay", SAMPLE], &under[..]].concat()).exits(0);
    let run = place.on_store(&[&["sweep", "--json"], &under[..]].concat()).exits(0);
    assert_eq!(run.json()[0]["counted_otherwise"], 0);
    assert_eq!(ids.into_iter().map(pending).sum::<u64>(), 0);
}
