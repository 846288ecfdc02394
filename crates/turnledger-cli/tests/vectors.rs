//! The tallies of conversations that were written for this project.
//!
//! The expected numbers were counted with the reference implementation, Python tiktoken 0.14.0,
//! by a script that applies `openai-chat-1` to each message by itself. tiktoken checked the
//! vocabularies by its own hashes: 446a9538… for `o200k_base` and 223921b7… for `cl100k_base`. The
//! same script gave exactly the published numbers of the airline conversations.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

const POLICIES: [&str; 3] = ["background", "adaptive", "inline"];
const ENCODINGS: [&str; 2] = ["o200k_base", "cl100k_base"];

#[test]
fn the_sample_is_counted_as_the_reference_counts_it() {
    check("sample/conversations", 3);
}

#[test]
fn odd_messages_are_counted_as_the_reference_counts_them() {
    // Content parts, developer messages, parallel and pending calls, names, odd texts.
    check("tests/data/vectors", 5);
}

/// By hand, so that script and program are not wrong together: 3 for the message, 1 for the role,
/// 4 for `Use`, ` your`, ` tools`, `.`; and 3 + 1 + 0 where there is no content. This looks at the
/// expected numbers only; the tests above compare them with the program's.
#[test]
fn some_numbers_are_plain_to_see() {
    let expected = read("tests/data/vectors.expected.jsonl");
    assert_eq!(expected[2]["id"], "pending-call");
    assert_eq!(expected[2]["o200k_base"][0], 3 + 1 + 4);
    assert_eq!(expected[4]["o200k_base"][0], 3 + 1);
    assert_eq!(expected[4]["o200k_base"][1], 3 + 1);
    // The call: 3, and the tokens of `noop` (1 or 2) and of `{}` (1).
    assert_eq!(expected[3]["o200k_base"][0], 3 + 1 + 3 + 1 + 1);
}

fn check(name: &str, conversations: usize) {
    let expected = read(&format!("{name}.expected.jsonl"));
    assert_eq!(expected.len(), conversations);
    for encoding in ENCODINGS {
        for policy in POLICIES {
            let found = replay(&format!("{name}.jsonl"), encoding, policy);
            assert_eq!(found.len(), conversations + 1);
            for (expected, found) in expected.iter().zip(&found) {
                let id = &expected["id"];
                assert_eq!(&found["conversation"], id);
                assert_eq!(found["messages"], expected["messages"]);
                assert_eq!(found["tallies"], expected[encoding], "{id}, {encoding}, {policy}");
            }
        }
    }
}

fn replay(file: &str, encoding: &str, policy: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_turnledger"))
        .args(["--store", "memory:", "--encoding", encoding, "--count-policy", policy])
        .args(["replay", "--json", "--tallies"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&String::from_utf8(output.stdout).unwrap())
}

fn read(file: &str) -> Vec<Value> {
    parse(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap())
}

fn parse(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
