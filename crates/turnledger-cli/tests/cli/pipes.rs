//! Readers that go away.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;

use crate::support::{Place, SAMPLE, conversation};

/// Reads `lines` lines, closes the pipe, and waits for the end.
fn read_and_leave(mut child: Child, input: Option<&str>, lines: usize) -> (Option<i32>, String) {
    let mut stdin = child.stdin.take().unwrap();
    if let Some(input) = input {
        stdin.write_all(input.as_bytes()).unwrap();
    }
    drop(stdin);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..lines {
        let mut line = String::new();
        assert!(stdout.read_line(&mut line).unwrap() > 0);
    }
    drop(stdout);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn a_closed_pipe_ends_nothing_halfway_and_is_no_error() {
    let place = Place::new();
    // The output is far larger than a pipe holds.
    let lines: Vec<_> =
        (0..2000).map(|n| conversation(&format!("{n}-{}", "x".repeat(100)), &["x"])).collect();
    place.file("many.jsonl", lines.join("\n"));
    for lines in [0, 1] {
        let child = place.start(&["--store", "file:memory.redb", "replay", "many.jsonl", "--json"]);
        let (code, stderr) = read_and_leave(child, None, lines);
        assert_eq!((code, stderr.as_str()), (Some(0), "store: file:memory.redb\n"));
    }
    assert_eq!(place.on_store(&["list"]).exits(0).stdout.lines().count(), 2000, "all was stored");
    for words in [&["list"][..], &["list", "--json"], &["export"]] {
        let child = place.start(&[&["--store", "file:memory.redb"], words].concat());
        let (code, stderr) = read_and_leave(child, None, 1);
        assert_eq!((code, stderr.as_str()), (Some(0), "store: file:memory.redb\n"), "{words:?}");
    }
}

#[test]
fn every_command_stands_a_closed_pipe() {
    let place = Place::new();
    place.on_store(&["replay", SAMPLE]).exits(0);
    let message = r#"{"role":"user","content":"x"}"#;
    for words in [
        &["--help"][..],
        &["--version"],
        &["completions", "bash"],
        &["config", "show"],
        &["config", "show", "--json"],
        &["replay", SAMPLE],
        &["append", "a"],
        &["window", "danube-tour"],
        &["show", "danube-tour"],
        &["totals", "danube-tour"],
        &["copy", "--to", "memory:"],
        &["drop-newest", "danube-tour", "1"],
        &["clear", "danube-tour", "--yes"],
        &["sweep"],
    ] {
        let mut child = place.start(&[&["--store", "file:memory.redb"], words].concat());
        drop(child.stdout.take());
        child.stdout = Some(closed());
        let input = (words[0] == "append").then_some(message);
        let (code, stderr) = read_and_leave(child, input, 0);
        assert_eq!(code, Some(0), "{words:?}: {stderr}");
        assert!(!stderr.contains("error") && !stderr.contains("panic"), "{words:?}: {stderr}");
    }
}

/// A stream that is closed already, in the place of the one that was given away.
fn closed() -> std::process::ChildStdout {
    let (reader, _) = std::io::pipe().unwrap();
    std::os::fd::OwnedFd::from(reader).into()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let place = Place::new();
    for words in [&["config", "show"][..], &["--store", "memory:", "replay", SAMPLE, "--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = place.process(words).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("standard output cannot be written"), "{stderr}");
    }
}
