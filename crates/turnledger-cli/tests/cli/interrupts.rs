//! Ctrl-C, and the request to terminate.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use turnledger::{
    Backlog, ConversationId, ConversationKey, CounterId, EmbeddedStore, MemoryStore, Namespace,
};

use crate::support::{Place, conversation, terminal};

/// Bytes that are surely more than the program can hold unread: pipe, buffers, the conversations
/// that are read ahead and those that are being appended.
const ENOUGH: usize = 4 << 20;

/// Starts a replay and feeds it until a part of its input is surely appended.
///
/// Returns the child, its standard input, which is still open, and what was written.
fn feed(place: &Place, options: &[&str]) -> (Child, ChildStdin, Vec<String>) {
    let store = ["--store", "file:memory.redb"];
    let mut child = place.start(&[&store, options, &["replay", "-", "--json"]].concat());
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

/// What an interrupted replay has told.
struct Told {
    whole: Vec<Value>,
    sums: Value,
    /// Messages that are not counted, as the end says.
    left: u64,
    stderr: String,
}

/// Interrupts a replay whose standard input stays open: the end must not wait for it.
fn interrupted(mut child: Child, signal: Signal) -> Told {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
    let left = stderr.lines().find_map(|line| {
        let (_, left) = line.strip_suffix(" left pending")?.rsplit_once(", ")?;
        left.parse::<u64>().ok()
    });
    let left = left.unwrap_or_else(|| panic!("nothing says what is left:\n{stderr}"));
    let mut whole: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sums = whole.pop().unwrap()["summary"].take();
    Told { whole, sums, left, stderr }
}

/// Looks into the store itself: each run of the program would count what is pending there.
fn look<T>(place: &Place, look: impl AsyncFnOnce(&EmbeddedStore) -> T) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let path = place.path().join("memory.redb");
        let store = EmbeddedStore::builder().path(path).open_async().await.unwrap();
        let seen = look(&store).await;
        store.close().await;
        seen
    })
}

/// The messages of a namespace that their conversations' own counters have not counted.
async fn pending(store: &EmbeddedStore, namespace: &str) -> u64 {
    let namespace = Namespace::new(namespace).unwrap();
    let found = store.pending(&namespace, Backlog::Pending, usize::MAX).await.unwrap();
    found.iter().map(|conversation| conversation.pending).sum()
}

fn interrupt_with(signal: Signal) {
    let place = Place::new();
    let (child, stdin, lines) = feed(&place, &["--count-policy", "adaptive"]);
    let Told { whole, sums, left, stderr } = interrupted(child, signal);
    drop(stdin);
    assert_eq!(sums["pending"], left, "{stderr}\n{sums}");
    assert_eq!(look(&place, async |store| pending(store, "default").await), left);

    let stored = place.on_store(&["list", "--json"]).exits(0).json();
    assert!(
        !stored.is_empty() && stored.len() < lines.len(),
        "{} of {}",
        stored.len(),
        lines.len()
    );
    // What was done is told: a line for each conversation that is whole, and the sums of all.
    let messages: u64 = stored.iter().map(|line| line["messages"].as_u64().unwrap()).sum();
    assert_eq!((&sums["messages"], &sums["new_messages"]), (&json!(messages), &json!(messages)));
    assert_eq!(sums["conversations"], whole.len());
    assert!(whole.iter().all(|line| line["messages"] == 30), "{whole:?}");
    let no_window = |line: &Value| line["window_error"] == "the run was interrupted";
    assert!(whole.iter().all(no_window), "{whole:?}");
    let all = stored.iter().filter(|line| line["messages"] == 30).count();
    assert_eq!(all, whole.len());
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
fn what_another_encoding_has_not_counted_is_told_as_left() {
    let place = Place::new();
    let (mut child, stdin, lines) = feed(&place, &[]);
    drop(stdin);
    // What it prints must be read, or it would wait for that.
    std::io::copy(&mut child.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success());
    let (child, stdin, _) = feed(&place, &["--encoding", "cl100k_base"]);
    let Told { whole, sums, left, stderr } = interrupted(child, Signal::INT);
    drop(stdin);
    // Everything was stored already, and counting begins behind the last comparison only.
    assert!(whole.len() > 1, "{stderr}");
    assert_eq!((&sums["pending"], &sums["new_messages"]), (&json!(left), &json!(0)), "{stderr}");
    assert_eq!(sums["messages"], left);
    assert!(stderr.contains("the same replay again counts what is left"), "{stderr}");
    let counter = CounterId::new("cl100k_base/openai-chat-1").unwrap();
    let found = look(&place, async |store| {
        let mut pending = 0;
        for line in &whole {
            let id = ConversationId::new(line["conversation"].as_str().unwrap()).unwrap();
            let key = ConversationKey::new(Namespace::new("default").unwrap(), id);
            pending += store.totals(&key).await.unwrap().under(&counter).pending;
        }
        pending
    });
    let told: u64 = whole.iter().map(|line| line["pending"].as_u64().unwrap()).sum();
    assert_eq!(found, told);
    // The advice is true.
    place.file("all.jsonl", lines.join("\n"));
    let again = ["--encoding", "cl100k_base", "replay", "all.jsonl", "--json"];
    let run = place.on_store(&again).exits(0).json();
    assert_eq!(run[lines.len()]["summary"]["pending"], 0);
}

#[test]
fn waiting_for_input_can_be_interrupted() {
    let place = Place::new();
    for words in [&["replay", "-"][..], &["append", "a"]] {
        let mut child = place.start(&[&["--store", "file:memory.redb"], words].concat());
        // The store's line comes when signals are received already.
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut String::new()).unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");
        assert!(rest.contains("interrupted"), "{rest}");
    }
}

/// Reads lines until one holds a text; returns all of them.
fn read_until(stderr: &mut impl BufRead, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        assert!(stderr.read_line(&mut read).unwrap() > 0, "{text:?} is not in:\n{read}");
    }
    read
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let place = Place::new();
    // Far more is queued than can be counted in the time that the end takes to read a signal.
    place.file("turnledger.toml", "[memory]\nshutdown_deadline = \"10m\"\n");
    let words = ["--store", "memory:", "--count-policy", "background", "replay", "-"];
    let mut child = place.start(&words);
    let mut stdin = child.stdin.take().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let text = "some words of a longer message ".repeat(30_000);
    for number in 0..60 {
        // The pipe takes the last of these only when most of the others are appended.
        writeln!(stdin, "{}", conversation(&format!("c{number}"), &[text.as_str()])).unwrap();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    read_until(&mut stderr, "once more ends at once");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    read_until(&mut stderr, "ended at once");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// A child whose terminal is the other end of what is returned.
fn on_a_terminal(place: &Place, words: &[&str]) -> (Child, std::fs::File) {
    let (terminal, stdin) = terminal();
    let mut process = place.process(&[&["--store", "file:memory.redb"], words].concat());
    let process = process.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    (process.spawn().unwrap(), terminal)
}

#[test]
fn a_question_is_answered_or_interrupted() {
    let place = Place::new();
    let stored = conversation("a", &["1", "2"]);
    place.on_store_with(&["replay", "-"], &stored).exits(0);
    let check = |answer: Option<&str>, code: i32, said: &str, left: usize| {
        let (mut child, mut terminal) = on_a_terminal(&place, &["clear", "a"]);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut question = Vec::new();
        // The question has no end of line: its last character is the bracket before a blank.
        while !question.ends_with(b"[y/N]") {
            let mut byte = [0];
            stderr.read_exact(&mut byte).unwrap();
            question.push(byte[0]);
        }
        let question = String::from_utf8(question).unwrap();
        assert!(question.contains("Remove all 2 messages of a?"), "{question}");
        match answer {
            Some(answer) => terminal.write_all(answer.as_bytes()).unwrap(),
            None => kill_process(Pid::from_child(&child), Signal::INT).unwrap(),
        }
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{rest}");
        assert!(rest.contains(said) && !rest.contains("counted"), "{rest}");
        assert_eq!(place.on_store(&["list"]).exits(0).stdout.lines().count(), left);
    };
    // The answer stands below the question, not behind it.
    check(None, 1, " \nnothing was removed\n", 1);
    check(Some("n\n"), 1, "nothing was removed\n", 1);
    check(Some("y\n"), 0, "", 0);
}

#[test]
fn a_sweep_counts_what_a_killed_process_left() {
    let place = Place::new();
    place.file("turnledger.toml", "[queue]\ncapacity = 1\n");
    // With one place in the queue, most messages are left uncounted.
    for namespace in ["near", "far"] {
        let options = ["--count-policy", "background", "--namespace", namespace];
        let (mut child, _stdin, _) = feed(&place, &options);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let pendings =
        async |store: &EmbeddedStore| (pending(store, "near").await, pending(store, "far").await);
    let before = look(&place, pendings);
    assert!(before.0 > 0 && before.1 > 0, "{before:?}");
    let sweep = ["--namespace", "near", "sweep", "--json"];
    let swept = place.on_store(&sweep).exits(0).json().remove(0);
    let after = look(&place, pendings);
    assert_eq!((&swept["left"], after.0), (&json!(0), 0), "{swept}");
    // In both namespaces everything was counted, and is told.
    assert_eq!(after.1, 0, "{before:?}, {swept}");
    assert_eq!(swept["settled"], before.0 + before.1, "{swept}");
}
