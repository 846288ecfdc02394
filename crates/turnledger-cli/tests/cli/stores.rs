//! Stores: copies, namespaces, and who may open one.

use std::io::{BufRead, BufReader, Write};

use serde_json::json;

use crate::support::{Place, SAMPLE};

#[test]
fn a_copy_has_the_same_sums_and_a_second_one_adds_nothing() {
    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    for new in [51, 0] {
        let run = place.on_store(&["copy", "--to", "file:copy.redb", "--json"]).exits(0);
        let run = run.says("store: file:memory.redb").says("copying to: file:copy.redb");
        let lines = run.json();
        assert_eq!(lines.len(), 4);
        let summary =
            json!({"conversations": 3, "messages": 51, "new_messages": new, "tokens": 2855});
        assert_eq!(lines[3]["summary"], summary);
    }
    let copied =
        place.run(&["--store", "file:copy.redb", "totals", "danube-tour", "--json"]).exits(0);
    let original = place.on_store(&["totals", "danube-tour", "--json"]).exits(0);
    assert_eq!(copied.stdout, original.stdout);
    // The messages have the ids that a replay would have given them.
    let lines =
        place.run(&["--store", "file:copy.redb", "replay", SAMPLE, "--json"]).exits(0).json();
    assert_eq!(lines[3]["summary"]["new_messages"], 0);
}

#[test]
fn a_copy_of_some_goes_on_where_the_first_one_ended() {
    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    let copy = ["copy", "--to", "file:copy.redb", "danube-tour"];
    place.on_store(&copy).exits(0).prints("1 conversations, 18 messages (18 new)");
    place.on_store(&["append", "danube-tour", "--role", "user", "--content", "Thanks!"]).exits(0);
    place.on_store(&copy).exits(0).prints("19 messages (1 new)");
    let listed = place.run(&["--store", "file:copy.redb", "list", "--json"]).exits(0);
    assert_eq!(listed.json().len(), 1);
}

#[test]
fn a_copy_that_contradicts_the_other_store_is_told_and_the_others_follow() {
    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    place.on_store(&["copy", "--to", "file:copy.redb"]).exits(0);
    // One conversation goes on otherwise here, another one has more messages there.
    place.on_store(&["drop-newest", "danube-tour", "1"]).exits(0);
    place.on_store(&["append", "danube-tour", "--role", "assistant", "--content", "No."]).exits(0);
    let there = [
        "--store",
        "file:copy.redb",
        "append",
        "silent-cron-job",
        "--role",
        "user",
        "--content",
        "More",
    ];
    place.run(&there).exits(0);
    let run = place.on_store(&["copy", "--to", "file:copy.redb", "--json"]).exits(1);
    let run = run.says("conversation \"danube-tour\" was not copied").says("other content");
    let run = run.says("\"silent-cron-job\" was copied, and its sums differ");
    assert_eq!(run.json()[0]["conversation"], "harbour-street-library");
}

#[test]
fn a_store_is_not_copied_onto_itself() {
    let place = Place::new();
    place.on_store(&["copy", "--to", "file:memory.redb"]).exits(2).says("names the store itself");
    place.on_store(&["copy", "--to", "file:./memory.redb"]).exits(1).says("in use");
}

#[test]
fn a_namespace_sees_nothing_of_another() {
    let place = Place::new();
    place.on_store(&["--namespace", "a", "replay", SAMPLE]).exits(0);
    assert_eq!(place.on_store(&["list"]).exits(0).stdout, "");
    assert_eq!(place.on_store(&["list", "--namespace", "a", "--json"]).exits(0).json().len(), 3);
    place.on_store(&["totals", "danube-tour"]).exits(1);
    place.on_store(&["clear", "danube-tour", "--yes"]).exits(0).prints("0 messages");
    place.on_store(&["totals", "danube-tour", "--namespace", "a"]).exits(0);
    place.on_store(&["list", "--namespace", ""]).exits(2).says("memory.namespace");
}

#[test]
fn a_second_process_is_told_who_is_in_its_way() {
    let place = Place::new();
    let mut first = place.start(&["--store", "file:memory.redb", "replay", "-"]);
    let mut stderr = BufReader::new(first.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "store: file:memory.redb\n");
    place.on_store(&["list"]).exits(1).says("file:memory.redb").says("in use by another process");
    // The end of its input ends the first one.
    first.stdin.take().unwrap().flush().unwrap();
    assert!(first.wait().unwrap().success());
    place.on_store(&["list"]).exits(0);
}

#[test]
fn a_store_that_cannot_be_opened_is_named() {
    let place = Place::new();
    place.file(
        "text",
        "this is no store, but a text that is long enough to be read as one ".repeat(100),
    );
    place.run(&["--store", "file:text", "list"]).exits(1).says("file:text");
    place.run(&["--store", "file:text/x.redb", "list"]).exits(1).says("text/x.redb");
    place.run(&["--store", "file:.", "list"]).exits(1);
}

#[cfg(unix)]
#[test]
fn a_store_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    let mode = std::fs::metadata(place.path().join("memory.redb")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
