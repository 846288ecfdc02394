//! What an append costs over a store that does nothing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use alloc_tracker::Session;
use memory_core::{ConversationId, Message};
use memory_instance::{Conversation, CountPolicy, Memory, MemoryBuilder};
use tokens::{BpeCounter, Estimator};
use tokio::runtime::Runtime;

use super::free_counter::warmed_up;
use super::measure::{Reference, Times, microseconds};
use super::null_store::NullStore;
use super::outcome::Outcome;
use super::report::{Goal, Section, Series};
use super::settings::Settings;
use super::texts::Texts;

const SHORT: usize = 200;
const LONG: usize = 32 << 10;
/// Appends between two waits for the background: fewer than the queue has places, so that every
/// append hands its message over.
const SHORT_BURST: usize = 400;
const LONG_BURST: usize = 100;

/// One policy over the store that does nothing, and what was found out about it.
struct Subject {
    memory: Memory,
    conversation: Conversation,
    bytes: usize,
    burst: usize,
    median: Series,
    tail: Series,
    allocations: Series,
    allocated: Series,
}

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let mut subjects = runtime.block_on(async {
        Outcome::Ok([
            Subject::new("200 B, Background", background(), SHORT, SHORT_BURST).await?,
            Subject::new("200 B, Adaptive", Memory::builder(), SHORT, SHORT_BURST).await?,
            Subject::new("200 B, all counted at once", at_once(), SHORT, SHORT_BURST).await?,
            Subject::new("32 KiB, Background", background(), LONG, LONG_BURST).await?,
        ])
    })?;
    let mut reference = Reference::new();
    let mut clock = Series::new("reading the clock twice", "µs");
    let mut estimator = Series::new("estimating 32 KiB, p50", "µs");
    let mut inline = Series::new("200 B, Adaptive: counted at once", "%");
    let mut texts = Texts::new(1);
    let bursts = settings.amount(8, 2);
    for round in 0..=settings.rounds {
        settings.begin_round(&mut reference)?;
        for subject in &mut subjects {
            subject.round(&runtime, &mut texts, bursts)?;
        }
        estimator.rounds.push(estimate(&mut texts, bursts * LONG_BURST));
        clock.rounds.push(read_clock());
        inline.rounds.push(inline_share(&subjects[1], bursts * SHORT_BURST * (round + 1)));
    }
    // The first round warmed everything up.
    let warm = |series: &mut Series| {
        series.rounds.remove(0);
    };
    [&mut estimator, &mut clock, &mut inline].into_iter().for_each(warm);
    let mut reference = reference.into_series();
    warm(&mut reference);
    for Subject { median, tail, allocations, allocated, .. } in &mut subjects {
        [median, tail, allocations, allocated].into_iter().for_each(warm);
    }
    for subject in &subjects {
        runtime.block_on(subject.memory.shutdown(Duration::from_secs(10)));
    }
    let [background, adaptive, at_once, long] = subjects;
    let beyond = long.median.rounds.iter().zip(&estimator.rounds).map(|(all, own)| all - own);
    let beyond = Series {
        name: "32 KiB, Background, p50 without the estimator".to_owned(),
        unit: "µs".to_owned(),
        rounds: beyond.collect(),
    };
    let verdicts = vec![
        background.median.verdict("200 B, `Background`, p50", Some(Goal::AtMost(5.0))),
        adaptive.median.verdict("200 B, `Adaptive`, p50", Some(Goal::AtMost(25.0))),
        at_once.median.verdict(
            "200 B, `Adaptive`, p50 if every message is counted at once",
            Some(Goal::AtMost(25.0)),
        ),
        beyond.verdict(
            "32 KiB, `Background`, p50 beyond the estimator's own time",
            Some(Goal::AtMost(30.0)),
        ),
        background.allocations.verdict("200 B, `Background`, allocations of a call", None),
        adaptive.allocations.verdict("200 B, `Adaptive`, allocations of a call", None),
        at_once.allocations.verdict("200 B, counted at once, allocations of a call", None),
        long.allocations.verdict("32 KiB, `Background`, allocations of a call", None),
    ];
    let mut series = Vec::new();
    for Subject { median, tail, allocations, allocated, .. } in
        [background, adaptive, at_once, long]
    {
        series.extend([median, tail, allocations, allocated]);
    }
    series.extend([inline, estimator, beyond, clock, reference]);
    Ok(Section {
        name: String::new(),
        title: "Append overhead over a store that does nothing".to_owned(),
        method: "`Adaptive` counts at once where the machine's recent timings promise to keep its \
                 budget of 20 µs; how often it did is told below, and the same with a budget \
                 that all messages are within. One writer, o200k_base, on a runtime with a thread for each core; the pool \
                 counts meanwhile and is waited for between bursts that fit its queue. \
                 Allocations are those of the calling thread, counted by the global allocator, \
                 whose own cost is in the times. The reference loop shows the machine's speed in \
                 the same rounds."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}

fn background() -> MemoryBuilder {
    Memory::builder().count_policy(CountPolicy::Background)
}

/// `Adaptive` with a budget that every short message is within, however unsteady the machine.
fn at_once() -> MemoryBuilder {
    Memory::builder().inline_budget(Duration::from_millis(100))
}

impl Subject {
    async fn new(name: &str, memory: MemoryBuilder, bytes: usize, burst: usize) -> Outcome<Self> {
        let memory = memory.store(NullStore::default()).counter(BpeCounter::o200k_base());
        let memory = memory.build().await?;
        warmed_up(&memory).await?;
        let conversation = memory.conversation(ConversationId::new("conversation-000017")?);
        let series = |what: &str, unit: &str| Series::new(&format!("{name}, {what}"), unit);
        Ok(Self {
            memory,
            conversation,
            bytes,
            burst,
            median: series("p50", "µs"),
            tail: series("p99", "µs"),
            allocations: series("allocations of a call", ""),
            allocated: series("allocated by a call", "B"),
        })
    }

    fn round(&mut self, runtime: &Runtime, texts: &mut Texts, bursts: usize) -> Outcome<()> {
        let session = Session::new().no_stdout().no_file();
        let operation = session.operation("append");
        let mut times = Times::default();
        runtime.block_on(async {
            for _ in 0..bursts {
                let messages = texts.messages(self.burst, self.bytes);
                let mut spent = Vec::with_capacity(self.burst);
                let span = operation.measure_thread().iterations(self.burst as u64);
                append_all(&self.conversation, messages, &mut spent).await?;
                drop(span);
                for time in spent {
                    times.push(time);
                }
                if !self.memory.settled(Duration::from_mins(1)).await {
                    return Err("the background work did not end within a minute".into());
                }
            }
            Outcome::Ok(())
        })?;
        self.median.rounds.push(times.percentile(50));
        self.tail.rounds.push(times.percentile(99));
        let report = session.to_report();
        let (_, found) = report.operations().next().ok_or("no allocations were counted")?;
        self.allocations.rounds.push(found.allocations().unwrap_or(f64::NAN));
        self.allocated.rounds.push(found.bytes().unwrap_or(f64::NAN));
        Ok(())
    }
}

/// Appends one message after the other, and takes the time of each.
async fn append_all(
    conversation: &Conversation,
    messages: Vec<Message>,
    spent: &mut Vec<Duration>,
) -> Outcome<()> {
    for message in messages {
        let start = Instant::now();
        let receipt = conversation.append(message).await?;
        spent.push(start.elapsed());
        black_box(receipt);
    }
    Ok(())
}

/// The median time of an estimate of a long text.
fn estimate(texts: &mut Texts, count: usize) -> f64 {
    let mut times = Times::default();
    for _ in 0..count {
        let text = texts.text(LONG);
        let start = Instant::now();
        black_box(Estimator::o200k_base().estimate(black_box(&text)));
        times.push(start.elapsed());
    }
    times.percentile(50)
}

/// What of an append's time is the clock's.
fn read_clock() -> f64 {
    const READINGS: u32 = 10_000;
    let start = Instant::now();
    for _ in 0..READINGS {
        black_box(Instant::now());
        black_box(Instant::now());
    }
    microseconds(start.elapsed() / READINGS)
}

/// How much of all appends so far was counted at once, in percent.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn inline_share(subject: &Subject, appended: usize) -> f64 {
    let counted = subject.memory.counting().metrics().snapshot().inline;
    counted as f64 * 100.0 / appended as f64
}
