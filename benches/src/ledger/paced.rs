//! Appends that come at a given rate, whatever becomes of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{ConversationId, Message, Seq};
use memory_instance::Conversation;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::measure::Times;
use super::outcome::Outcome;

/// Tasks that append, each at its share of the rate.
pub(super) const WRITERS: usize = 4;
/// How often a writer looks how many appends are due.
const TICK: Duration = Duration::from_millis(1);

/// What appends at a rate found.
#[derive(Debug, Default)]
pub(super) struct Paced {
    /// The time of each append.
    pub(super) latencies: Times,
    /// When each append began, and what it became.
    pub(super) begun: Vec<(ConversationId, Seq, Instant)>,
    /// How long all of it took.
    pub(super) took: Duration,
}

/// Appends at a rate, for some time, to conversations that the writers share out.
pub(super) async fn append_at(
    rate: f64,
    time: Duration,
    conversations: &[Conversation],
    messages: &Arc<Vec<Message>>,
) -> Outcome<Paced> {
    let start = Instant::now();
    let mut writers = JoinSet::new();
    for share in conversations.chunks(conversations.len().div_ceil(WRITERS)) {
        let (share, messages) = (share.to_vec(), Arc::clone(messages));
        #[expect(clippy::cast_precision_loss, reason = "a handful of writers")]
        let rate = rate / WRITERS as f64;
        writers.spawn(write(rate, time, share, messages));
    }
    let mut all = Paced::default();
    while let Some(ended) = writers.join_next().await {
        let paced = ended??;
        all.latencies.extend(paced.latencies);
        all.begun.extend(paced.begun);
    }
    all.took = start.elapsed();
    Ok(all)
}

async fn write(
    rate: f64,
    time: Duration,
    conversations: Vec<Conversation>,
    messages: Arc<Vec<Message>>,
) -> Outcome<Paced> {
    let mut paced = Paced::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let start = Instant::now();
    let total = due(rate, time);
    let mut sent = 0;
    while sent < total {
        ticks.tick().await;
        let now_due = due(rate, start.elapsed()).min(total);
        while sent < now_due {
            let conversation = &conversations[sent % conversations.len()];
            let message = messages[sent % messages.len()].clone();
            let begun = Instant::now();
            let receipt = conversation.append(message).await?;
            paced.latencies.push(begun.elapsed());
            paced.begun.push((conversation.key().id.clone(), receipt.seq, begun));
            sent += 1;
        }
    }
    Ok(paced)
}

/// How many appends are due after some time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are thousands a second, for seconds"
)]
fn due(rate: f64, elapsed: Duration) -> usize {
    (rate * elapsed.as_secs_f64()) as usize
}
