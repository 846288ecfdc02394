//! A window at a short and at a long history.

use std::hint::black_box;
use std::time::{Duration, Instant};

use memory_core::ConversationId;
use memory_instance::{Conversation, Memory};
use store_embedded::EmbeddedStore;
use tokio::runtime::Runtime;

use super::free_counter::{FreeCounter, warmed_up};
use super::measure::{Reference, Times, ratios};
use super::outcome::Outcome;
use super::report::{Goal, Section, Series};
use super::settings::Settings;
use super::texts::Texts;

const BUDGET: u64 = 4000;
const TEXT_BYTES: usize = 200;
const SHORT: usize = 100;
/// Messages that are appended in one transaction.
const BATCH: usize = 500;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let directory = settings.store_directory()?;
    let store = EmbeddedStore::builder().path(directory.path().join("memory.redb")).open()?;
    let memory = runtime.block_on(async {
        let building = Memory::builder().store(store).counter(FreeCounter::new()?).build();
        let memory = building.await?;
        warmed_up(&memory).await?;
        Outcome::Ok(memory)
    })?;
    let long_history = settings.amount(100_000, 2000);
    let conversation = |name: &str| Outcome::Ok(memory.conversation(ConversationId::new(name)?));
    let (short, long) = (conversation("short")?, conversation("long")?);
    for (conversation, messages) in [(&long, long_history), (&short, SHORT)] {
        runtime.block_on(fill(conversation, messages))?;
    }

    let mut reference = Reference::new();
    let series = |history: usize, what: &str| {
        Series::new(&format!("window of 4,000 tokens, history of {history}, {what}"), "µs")
    };
    let (mut short_p50, mut long_p50) = (series(SHORT, "p50"), series(long_history, "p50"));
    let (mut short_p99, mut long_p99) = (series(SHORT, "p99"), series(long_history, "p99"));
    let mut messages = Series::new("messages in the window of the long history", "");
    let windows = settings.amount(1000, 20);
    for round in 0..=settings.rounds {
        settings.begin_round(&mut reference)?;
        let (mut short_times, mut long_times) = (Times::default(), Times::default());
        let mut found = 0;
        runtime.block_on(async {
            for _ in 0..windows {
                window(&short, &mut short_times).await?;
                found = window(&long, &mut long_times).await?;
            }
            Outcome::Ok(())
        })?;
        // The first round brought everything into the caches.
        if round > 0 {
            short_p50.rounds.push(short_times.percentile(50));
            long_p50.rounds.push(long_times.percentile(50));
            short_p99.rounds.push(short_times.percentile(99));
            long_p99.rounds.push(long_times.percentile(99));
            #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 messages")]
            messages.rounds.push(found as f64);
        }
    }
    runtime.block_on(memory.shutdown(Duration::from_secs(10)));
    let mut reference = reference.into_series();
    reference.rounds.remove(0);
    let ratio = ratios("long history over short, p50", &long_p50, &short_p50);
    let claim = "window of 4,000 tokens at a history of 100,000, over that at 100, p50";
    Ok(Section {
        name: String::new(),
        title: "A window does not grow with the history".to_owned(),
        method: "Messages with 200 B of text, all counted, in one store on the disk whose pages \
                 the cache holds; a window of the short and one of the long history in turn."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: vec![
            ratio.verdict(claim, Some(Goal::AtMost(1.3))),
            long_p50.verdict("window of 4,000 tokens at a history of 100,000, p50", None),
        ],
        series: vec![short_p50, long_p50, short_p99, long_p99, ratio, messages, reference],
    })
}

async fn fill(conversation: &Conversation, messages: usize) -> Outcome<()> {
    let mut texts = Texts::new(3);
    let mut left = messages;
    while left > 0 {
        let now = left.min(BATCH);
        conversation.append_many(texts.messages(now, TEXT_BYTES)).await?;
        left -= now;
    }
    let totals = conversation.settle(Duration::from_mins(2)).await?;
    if totals.is_settled() { Ok(()) } else { Err("the history was not counted in time".into()) }
}

/// Reads a window; how many messages it holds.
async fn window(conversation: &Conversation, times: &mut Times) -> Outcome<usize> {
    let start = Instant::now();
    let window = conversation.window(BUDGET).await?;
    times.push(start.elapsed());
    Ok(black_box(window).len())
}
