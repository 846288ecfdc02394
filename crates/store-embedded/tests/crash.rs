//! A process that is killed loses nothing that it acknowledged.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use memory_core::{
    ConversationId, ConversationKey, CounterId, MemoryStore, MemoryStoreExt, Namespace, Repair,
    Tally,
};
use memory_testkit::sample;
use store_embedded::{Durability, EmbeddedStore};

const PATH: &str = "TURNLEDGER_TEST_CRASH_PATH";
const DURABILITY: &str = "TURNLEDGER_TEST_CRASH_DURABILITY";
const CONVERSATIONS: u32 = 5;

fn words() -> CounterId {
    CounterId::new("words").unwrap()
}

fn key(conversation: u32) -> ConversationKey {
    let id = ConversationId::new(conversation.to_string()).unwrap();
    ConversationKey::new(Namespace::default(), id)
}

fn durability(name: &str) -> Durability {
    if name == "relaxed" { Durability::Relaxed } else { Durability::Sync }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "another test runs it as a process of its own"]
async fn child_appends_until_it_is_killed() {
    let durability = durability(&std::env::var(DURABILITY).unwrap());
    let path = std::env::var_os(PATH).unwrap();
    let store =
        EmbeddedStore::builder().path(path).durability(durability).open_async().await.unwrap();
    let counter = words();
    let writers: Vec<_> = (0..CONVERSATIONS)
        .map(|conversation| {
            let (store, counter) = (store.clone(), counter.clone());
            tokio::spawn(async move {
                for index in 0.. {
                    let text = format!("{conversation} {index}");
                    let message = sample::with_id(sample::user(&text, Tally::exact(3)), &text);
                    let append = sample::batch(&counter, [message]);
                    let seq =
                        store.append(&key(conversation), append).await.unwrap().messages[0].seq;
                    // One write for the line, so that a kill leaves no half of one.
                    let line = format!("ack {conversation} {seq}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Kills a writing process after so many acknowledgements; the newest acknowledged seqs.
fn kill_after(path: &Path, durability: &str, acknowledgements: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_appends_until_it_is_killed", "--ignored", "--nocapture"])
        .env(PATH, path)
        .env(DURABILITY, durability)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut newest = vec![0; usize::try_from(CONVERSATIONS).unwrap()];
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let ["ack", conversation, seq] = words[..] else { continue };
        newest[conversation.parse::<usize>().unwrap()] = seq.parse().unwrap();
        seen += 1;
        if seen == acknowledgements {
            // What it wrote before it died is still read.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= acknowledgements, "the child ended by itself after {seen}");
    newest
}

async fn survives_kills(name: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    for acknowledgements in [1, 60, 300] {
        // Each child finds what the one before it left, and repeats it by its ids.
        let newest = kill_after(&path, name, acknowledgements);
        let builder = EmbeddedStore::builder().path(&path).durability(durability(name));
        let store = builder.open_async().await.unwrap();
        for (conversation, newest) in (0..).zip(newest) {
            let (_, messages) = store.read_all(&key(conversation), &words()).await.unwrap();
            assert!(messages.len() as u64 >= newest, "{} of {newest}", messages.len());
            for (index, message) in messages.iter().enumerate() {
                assert_eq!(message.seq.get(), index as u64 + 1);
                let text = format!("{conversation} {index}");
                assert!(message.payload.contains(&text), "{text}");
            }
            let totals = store.totals(&key(conversation)).await.unwrap();
            assert_eq!(totals.messages, messages.len() as u64);
            assert_eq!(
                totals.counters.iter().map(|entry| entry.totals.tokens).sum::<u64>(),
                3 * messages.len() as u64
            );
            let report = store.repair(&key(conversation), Repair::Check).await.unwrap();
            assert_eq!(report.differences, []);
        }
        store.close().await;
    }
}

#[tokio::test]
async fn promise_1_a_synced_store_survives_kill_9() {
    survives_kills("sync").await;
}

#[tokio::test]
async fn promise_1_a_relaxed_store_survives_kill_9() {
    survives_kills("relaxed").await;
}
