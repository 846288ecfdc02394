//! How many messages of real conversations are not counted at their append.

use std::path::PathBuf;
use std::time::Duration;

use memory_core::{ConversationId, Limits, Message};
use memory_instance::Settling;
use serde_json::Value;
use tokens::BpeCounter;
use tokio::runtime::Runtime;

use super::conversations::memory;
use super::store::Served;
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings};

/// The variable that names the folder of real conversations, and their file there.
const VARIABLE: &str = "TURNLEDGER_TEST_DATA";
const FILE: &str = "airline-conversations.jsonl";

/// What counting is taken to cost: so much for a message, and so much for each byte of it.
const MESSAGE_NANOSECONDS: usize = 1000;
const BYTE_NANOSECONDS: usize = 8;
/// What an append may spend on counting by default, and the longest text that it counts at all.
const BUDGET_NANOSECONDS: usize = 20_000;
const LONGEST: usize = tokens::pool::INLINE_MAX_BYTES;

/// A conversation's id, and its messages.
type Conversation = (ConversationId, Vec<Message>);

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let conversations = read()?;
    let runtime = Runtime::new()?;
    let mut reference = Reference::new();
    let messages = || conversations.iter().flat_map(|(_, messages)| messages);
    let count = messages().count();
    let mut by_model =
        Series::new("messages that wait, where counting costs 1 µs and 8 ns a byte", "%");
    by_model.rounds.push(percent(messages().filter(|message| waits(message)).count(), count));
    let mut found = Series::new("messages that wait with o200k_base on this machine", "%");
    for _ in 0..settings.amount(settings.rounds, 1) {
        settings.begin_round(&mut reference)?;
        let waiting = runtime.block_on(append(&conversations))?;
        found.rounds.push(percent(waiting, count));
    }
    Ok(Section {
        name: String::new(),
        title: "What is left to settle of real conversations".to_owned(),
        method: format!(
            "{count} messages of {} conversations between customers, an airline's agent and its \
             tools. `Adaptive` counts a message at its append where that is expected to take at \
             most 20 µs, and never one of more than 2 KiB of text; the others wait for a count in \
             the background, and are settled. The first figure takes the named costs for what is \
             expected. The second is found by appending all of them, one after the other, to a \
             memory with its defaults on a server, which learns the costs meanwhile.",
            conversations.len()
        ),
        date: String::new(),
        others: 0.0,
        verdicts: vec![by_model.to_verdict(Some(Goal::AtMost(5.0))), found.to_verdict(None)],
        series: vec![by_model, found, reference.into_series()],
    })
}

/// Whether a message is not counted at once by what counting is taken to cost.
fn waits(message: &Message) -> bool {
    let bytes = message.text_bytes();
    bytes > LONGEST || MESSAGE_NANOSECONDS + BYTE_NANOSECONDS * bytes > BUDGET_NANOSECONDS
}

#[expect(clippy::cast_precision_loss, reason = "some thousand messages")]
fn percent(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64 * 100.0
}

/// Appends everything, and tells how many messages wait for their count.
async fn append(conversations: &[Conversation]) -> Outcome<usize> {
    let served = Served::new().await?;
    let memory = memory(&served, BpeCounter::o200k_base()).await?;
    let mut waiting = 0;
    for (id, messages) in conversations {
        let conversation = memory.conversation(id.clone());
        for message in messages {
            let receipt = conversation.append(message.clone()).await?;
            waiting += usize::from(receipt.settling != Settling::NotNeeded);
        }
    }
    memory.shutdown(Duration::from_secs(30)).await;
    Ok(waiting)
}

fn read() -> Outcome<Vec<Conversation>> {
    let folder = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    let folder = folder.ok_or_else(|| format!("{VARIABLE} names no folder with {FILE}"))?;
    let path = PathBuf::from(folder).join(FILE);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    text.lines().map(conversation).collect()
}

fn conversation(line: &str) -> Outcome<Conversation> {
    let line: Value = serde_json::from_str(line)?;
    let id = line["id"].as_str().ok_or("a conversation has no id")?;
    let messages = line["messages"].as_array().ok_or("a conversation has no messages")?;
    let limits = Limits::default();
    let messages =
        messages.iter().map(|message| Ok(Message::from_json(&message.to_string(), &limits)?));
    Ok((ConversationId::new(id)?, messages.collect::<Outcome<_>>()?))
}
