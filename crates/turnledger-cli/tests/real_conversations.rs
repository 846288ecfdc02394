//! Real conversations, replayed: every tally equals what the reference implementation counted.
//!
//! `TURNLEDGER_TEST_DATA` names the folder of `airline-conversations.jsonl` and
//! `airline-conversations.expected.jsonl`. Where it is not set, this test is left out and says so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

#[test]
fn every_tally_of_the_airline_conversations_is_exact() {
    let named = env::var_os("TURNLEDGER_TEST_DATA").filter(|name| !name.is_empty());
    let Some(data) = named.map(PathBuf::from) else {
        let told = "left out: TURNLEDGER_TEST_DATA names no folder of airline conversations";
        writeln!(std::io::stderr(), "{told}").unwrap();
        return;
    };
    let expected =
        parse(&fs::read_to_string(data.join("airline-conversations.expected.jsonl")).unwrap());
    assert!(!expected.is_empty());
    for policy in ["background", "adaptive", "inline"] {
        // The second encoding counts the same store anew.
        let folder = tempfile::tempdir().unwrap();
        for (encoding, new) in [("o200k_base", true), ("cl100k_base", false)] {
            let mut found = replay(&data, folder.path(), encoding, policy);
            let summary = found.pop().unwrap();
            assert_eq!(found.len(), expected.len());
            let (mut messages, mut tokens) = (0, 0);
            for (expected, found) in expected.iter().zip(&found) {
                let id = &expected["id"];
                assert_eq!(&found["conversation"], id);
                assert_eq!(found["tallies"], expected[encoding], "{id}, {encoding}, {policy}");
                assert_eq!(found["messages"], expected["messages"], "{id}");
                assert_eq!(found["pending"], 0);
                let sum: u64 =
                    expected[encoding].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
                assert_eq!(found["tokens"], sum, "{id}");
                assert!(found["window"]["tokens"].as_u64().unwrap() <= 4096, "{id}");
                messages += found["messages"].as_u64().unwrap();
                tokens += sum;
            }
            let summary = &summary["summary"];
            assert_eq!(summary["messages"], messages);
            assert_eq!(summary["new_messages"], if new { messages } else { 0 });
            assert_eq!((&summary["tokens"], &summary["pending"]), (&tokens.into(), &0.into()));
        }
    }
}

fn replay(data: &Path, folder: &Path, encoding: &str, policy: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_turnledger"))
        .args(["--store", "file:memory.redb", "--encoding", encoding, "--count-policy", policy])
        .args(["replay", "--json", "--tallies"])
        .arg(fs::canonicalize(data.join("airline-conversations.jsonl")).unwrap())
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&String::from_utf8(output.stdout).unwrap())
}

fn parse(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
