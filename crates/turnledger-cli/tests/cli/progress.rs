//! What a person sees of a long count.

#![cfg(unix)]

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};

use crate::support::{Place, terminal};

/// A text that is large enough for a bar, and how many tokens it has.
const LARGE: (&str, usize, usize) = ("one two three\n", 1_200_000, 4_800_000);

/// Starts the program with its messages on a terminal, and returns what shows on it.
fn start(place: &Place, words: &[&str], stdin: Stdio) -> (Child, File) {
    let (person, program) = terminal();
    let mut process = place.process(words);
    process.env("TERM", "xterm").stdin(stdin).stdout(Stdio::piped()).stderr(program);
    (process.spawn().unwrap(), person)
}

/// Reads what shows until it has `text`, and returns all of it.
fn watch(terminal: &mut File, text: &str) -> String {
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    loop {
        let shown = String::from_utf8_lossy(&seen).into_owned();
        if shown.contains(text) {
            return shown;
        }
        // It ends with an error when the program is gone.
        let read = terminal.read(&mut part).unwrap_or_else(|_| panic!("{text:?} not in {shown:?}"));
        seen.extend(&part[..read]);
    }
}

/// Reads what shows until the program is gone.
fn watch_to_the_end(mut terminal: File) -> String {
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    while let Ok(read) = terminal.read(&mut part) {
        seen.extend(&part[..read]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn a_count_of_large_files_shows_a_bar_and_takes_it_away() {
    let place = Place::new();
    let (line, lines, tokens) = LARGE;
    place.file("large.txt", line.repeat(lines));
    let (child, mut terminal) = start(&place, &["count", "large.txt"], Stdio::null());
    watch(&mut terminal, "/16.02 MiB");
    let rest = watch_to_the_end(terminal);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let expected = format!("{tokens} {} {lines} large.txt\n", line.len() * lines);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(rest.ends_with("\u{1b}[2K"), "the line is left: {rest:?}");
}

#[test]
fn a_count_of_a_pipe_shows_how_much_was_read() {
    let place = Place::new();
    let (mut child, mut terminal) = start(&place, &["count"], Stdio::piped());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(LARGE.0.repeat(100).as_bytes()).unwrap();
    // The input goes on: the line is drawn while the program waits for more.
    watch(&mut terminal, " B, ");
    drop(stdin);
    watch_to_the_end(terminal);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "400 1400 100\n");
}

#[test]
fn a_count_of_small_files_shows_nothing() {
    let place = Place::new();
    place.file("small.txt", LARGE.0);
    let (child, terminal) = start(&place, &["count", "small.txt"], Stdio::null());
    assert_eq!(watch_to_the_end(terminal), "");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}
