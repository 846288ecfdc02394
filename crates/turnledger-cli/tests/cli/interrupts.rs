//! Ctrl-C, and the request to terminate.

#![cfg(unix)]

use std::io::{Read, Write};
use std::process::{Child, ChildStdin};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Place, conversation};

/// Bytes that are surely more than the program can hold unread: pipe, buffers, the conversations
/// that are read ahead and those that are being appended.
const ENOUGH: usize = 4 << 20;

/// Starts a replay and feeds it until a part of its input is surely appended.
///
/// Returns the child, its standard input, which is still open, and what was written.
fn feed(place: &Place, policy: &str) -> (Child, ChildStdin, Vec<String>) {
    let words = ["--store", "file:memory.redb", "--count-policy", policy, "replay", "-", "--json"];
    let mut child = place.start(&words);
    let mut stdin = child.stdin.take().unwrap();
    let text = "some words of a longer message ".repeat(20);
    let mut lines = Vec::new();
    let mut written = 0;
    while written < ENOUGH {
        // When all of this has gone through the pipe, some of it was appended: the input does not
        // end, and the program holds less than that.
        let line = conversation(&format!("c{}", lines.len()), &[text.as_str(); 30]);
        writeln!(stdin, "{line}").unwrap();
        written += line.len();
        lines.push(line);
    }
    (child, stdin, lines)
}

fn interrupt_with(signal: Signal) {
    let place = Place::new();
    let (mut child, stdin, lines) = feed(&place, "adaptive");
    kill_process(Pid::from_child(&child), signal).unwrap();
    // Standard input stays open: the end must not wait for it.
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{stderr}");
    assert!(stderr.contains("interrupted") && stderr.contains("left pending"), "{stderr}");
    assert_eq!(stdout, "");
    drop(stdin);

    let stored = place.on_store(&["list", "--json"]).exits(0).json();
    assert!(
        !stored.is_empty() && stored.len() < lines.len(),
        "{} of {}",
        stored.len(),
        lines.len()
    );
    // What is left is done by the same command.
    place.file("all.jsonl", lines.join("\n"));
    let run = place.on_store(&["replay", "all.jsonl", "--json"]).exits(0).json();
    let summary = &run[lines.len()]["summary"];
    assert_eq!(summary["messages"], 30 * lines.len());
    assert_eq!(summary["pending"], 0);
    assert!(summary["new_messages"].as_u64().unwrap() < 30 * lines.len() as u64);
}

#[test]
fn ctrl_c_drains_and_says_what_is_left() {
    interrupt_with(Signal::INT);
}

#[test]
fn a_request_to_terminate_does_the_same() {
    interrupt_with(Signal::TERM);
}

#[test]
fn waiting_for_input_can_be_interrupted() {
    let place = Place::new();
    for words in [&["replay", "-"][..], &["append", "a"]] {
        let mut child = place.start(&[&["--store", "file:memory.redb"], words].concat());
        // The store's line comes when signals are received already.
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        std::io::BufRead::read_line(&mut stderr, &mut String::new()).unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");
        assert!(rest.contains("interrupted"), "{rest}");
    }
}

#[test]
fn a_sweep_counts_what_a_killed_process_left() {
    let place = Place::new();
    place.file("turnledger.toml", "[queue]\ncapacity = 1\n");
    // With one place in the queue, most messages are left uncounted.
    let (mut child, _stdin, _) = feed(&place, "background");
    child.kill().unwrap();
    child.wait().unwrap();
    let swept = place.on_store(&["sweep", "--json"]).exits(0).json().remove(0);
    assert!(swept["settled"].as_u64().unwrap() > 0, "{swept}");
    assert_eq!(swept["left"], 0);
    for conversation in place.on_store(&["list", "--json"]).exits(0).json().iter().take(20) {
        let id = conversation["conversation"].as_str().unwrap();
        let totals = place.on_store(&["totals", "--json", id]).exits(0).json().remove(0);
        assert_eq!(totals["pending"], 0, "{id}");
    }
}
