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
    place.on_store(&copy).exits(0).prints("1 conversation, 18 messages (18 new)");
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
    let before = place.run(&["--store", "file:copy.redb", "export"]).exits(0).stdout;
    let run = place.on_store(&["copy", "--to", "file:copy.redb", "--json"]).exits(1);
    let run = run
        .says("conversation \"danube-tour\" was not copied")
        .says("its message 18 is another one in the other store")
        .says("conversation \"silent-cron-job\" was not copied")
        .says("a message 17 that is not here");
    let lines = run.json();
    assert_eq!(lines[0]["conversation"], "harbour-street-library");
    assert_eq!((lines.len(), &lines[1]["summary"]["conversations"]), (2, &json!(1)));
    let after = place.run(&["--store", "file:copy.redb", "export"]).exits(0).stdout;
    assert_eq!(after, before, "nothing was written");
}

/// Messages that were appended without ids, or with ids of their own, in both stores.
#[test]
fn a_copy_compares_messages_that_have_no_ids_before_it_writes() {
    let place = Place::new();
    let there = |words: &[&str]| place.run(&[&["--store", "file:copy.redb"], words].concat());
    let message = |text: &str| format!(r#"{{"role":"user","content":"{text}"}}"#);
    let append = |id: &str, texts: &[&str], elsewhere: bool| {
        let lines: Vec<_> = texts.iter().map(|text| message(text)).collect();
        let store = if elsewhere { "file:copy.redb" } else { "file:memory.redb" };
        place.run_with(&["--store", store, "append", id], &lines.join("\n"), &[]).exits(0);
    };
    append("equal", &["1", "2"], false);
    append("equal", &["1", "2"], true);
    append("longer", &["1", "2", "3"], false);
    append("longer", &["1"], true);
    append("other", &["1", "2", "3"], false);
    append("other", &["1", "hush"], true);
    append("shorter", &["1"], false);
    append("shorter", &["1", "2"], true);
    for new in [2, 0] {
        let run = place.on_store(&["copy", "--to", "file:copy.redb", "--json"]).exits(1);
        let run = run.says("\"other\" was not copied").says("its message 2 is another one");
        let run = run.says("\"shorter\" was not copied").says("a message 2 that is not here");
        assert!(!run.stderr.contains("hush"), "{}", run.stderr);
        let summary = run.json().remove(2);
        let new_messages = &summary["summary"]["new_messages"];
        assert_eq!((&summary["summary"]["messages"], new_messages), (&json!(5), &json!(new)));
    }
    let stored = there(&["export"]).exits(0).json();
    let texts: Vec<Vec<_>> = stored
        .iter()
        .map(|line| {
            let messages = line["messages"].as_array().unwrap().iter();
            messages.map(|message| message["content"].as_str().unwrap()).collect()
        })
        .collect();
    assert_eq!(texts, [vec!["1", "2"], vec!["1", "2", "3"], vec!["1", "hush"], vec!["1", "2"]]);
}

#[test]
fn a_store_is_not_copied_onto_itself() {
    let place = Place::new();
    place.on_store(&["list"]).exits(0);
    let absolute = format!("file:{}", place.path().join("memory.redb").display());
    std::fs::create_dir(place.path().join("folder")).unwrap();
    let mut ways = vec!["file:memory.redb", "file:./memory.redb", "file:folder/../memory.redb"];
    ways.push(&absolute);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("memory.redb", place.path().join("link")).unwrap();
        ways.push("file:link");
    }
    for to in ways {
        place.on_store(&["copy", "--to", to]).exits(2).says("--to names the store itself");
    }
    // Stores in memory have one name and are two.
    place.run(&["--store", "memory:", "copy", "--to", "memory:"]).exits(0);
}

#[test]
fn a_store_to_copy_to_that_makes_no_sense_is_blamed_on_the_option() {
    let place = Place::new();
    for (to, reason) in [
        ("bogus", "file:PATH"),
        ("sqlite:x", "file:PATH"),
        ("file:", "the path is missing"),
        ("redis://u:hunter2@h/x", "redis://user:password@host"),
    ] {
        let run = place.on_store(&["copy", "--to", to]).exits(2).says("--to").says(reason);
        assert!(!run.stderr.contains("store.url"), "{}", run.stderr);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
    std::fs::create_dir(place.path().join("folder")).unwrap();
    place.on_store(&["copy", "--to", "file:folder"]).exits(1).says("the store of --to");
}

#[test]
fn a_namespace_sees_nothing_of_another() {
    let place = Place::new();
    place.on_store(&["--namespace", "a", "replay", SAMPLE]).exits(0);
    assert_eq!(place.on_store(&["list"]).exits(0).stdout, "");
    assert_eq!(place.on_store(&["list", "--namespace", "a", "--json"]).exits(0).json().len(), 3);
    place.on_store(&["totals", "danube-tour"]).exits(1);
    place.on_store(&["clear", "danube-tour", "--yes"]).exits(1).says("there is no conversation");
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
