//! What a message takes of the server's memory.

use memory_core::{MemoryStore, Message, Tally};
use memory_testkit::sample;
use tokio::runtime::Runtime;

use super::counts::field;
use super::store::{Served, TOKENS, key, message_id};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings, Texts};

/// Bytes of a stored payload.
const PAYLOAD_BYTES: usize = 200;
/// Messages of the conversation, in a quick run too: fewer would have another share of the rest.
const MESSAGES: usize = 10_000;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let mut reference = Reference::new();
    let mut plain = Series::new("memory of a message", "B");
    let mut with_ids = Series::new("memory of a message with a caller's id of 16 bytes", "B");
    for _ in 0..settings.amount(settings.rounds, 1) {
        settings.begin_round(&mut reference)?;
        plain.rounds.push(runtime.block_on(bytes_of_a_message(false))?);
        with_ids.rounds.push(runtime.block_on(bytes_of_a_message(true))?);
    }
    Ok(Section {
        name: String::new(),
        title: "The server's memory".to_owned(),
        method: "One conversation of 10,000 messages whose stored payloads have 200 B, without a \
                 time to live, each appended for itself to a server of its own. The memory is all \
                 that the server's allocator has handed out, without buffers of connections, less \
                 what it was before."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: vec![
            plain.verdict("a message without a caller's id", Some(Goal::AtMost(230.0))),
            with_ids.verdict("a message with a caller's id of 16 B", Some(Goal::AtMost(330.0))),
        ],
        series: vec![plain, with_ids, reference.into_series()],
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
async fn bytes_of_a_message(has_ids: bool) -> Outcome<f64> {
    let served = Served::new().await?;
    let mut texts = Texts::new(7);
    let messages: Vec<_> = (0..MESSAGES).map(|_| message(&mut texts)).collect();
    // Makes the scripts known, and the connection.
    append(&served, "first", &messages[..1], has_ids).await?;
    let before = used(&served).await?;
    append(&served, "measured", &messages, has_ids).await?;
    let after = used(&served).await?;
    Ok((after - before) as f64 / MESSAGES as f64)
}

/// A message whose payload has just so many bytes.
fn message(texts: &mut Texts) -> Message {
    let mut text = texts.text(PAYLOAD_BYTES);
    // What JSON writes around a text, and before some characters of it.
    while Message::user(text.as_str()).payload().len() > PAYLOAD_BYTES {
        text.pop();
    }
    let missing = PAYLOAD_BYTES - Message::user(text.as_str()).payload().len();
    text.push_str(&"a".repeat(missing));
    Message::user(text)
}

async fn append(served: &Served, name: &str, messages: &[Message], has_ids: bool) -> Outcome<()> {
    let key = key(name)?;
    for (number, message) in (0..).zip(messages) {
        let mut message = sample::message(message, Tally::exact(TOKENS));
        if message.payload.len() != PAYLOAD_BYTES {
            return Err(format!("a payload has {} bytes", message.payload.len()).into());
        }
        message.id = if has_ids { Some(message_id(number)?) } else { None };
        served.store.append(&key, sample::batch(&served.counter, [message])).await?;
    }
    Ok(())
}

/// What the server uses, without the buffers of its clients.
async fn used(served: &Served) -> Outcome<i64> {
    let all = field(&served.server, "memory", "used_memory").await?;
    let clients = field(&served.server, "memory", "mem_clients_normal").await?;
    Ok(i64::try_from(all)? - i64::try_from(clients)?)
}
