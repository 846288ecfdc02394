//! A ticker on the runtime stays on time while every core counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use memory_core::{ConversationId, Message};
use memory_instance::{CountPolicy, Memory, Settling};
use serde::Serialize;
use store_embedded::EmbeddedStore;
use tokens::BpeCounter;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::budget::lanes;
use super::error::{ChaosError, Outcome, ensure};

/// How late 99 of 100 ticks may be at the most.
const BOUND: Duration = Duration::from_millis(10);
const TICK: Duration = Duration::from_millis(1);
/// The size of each message.
const BYTES: usize = 32 << 10;
/// The ticker runs so often without load and under it, turn by turn; medians count.
const ROUNDS: u32 = 5;
/// Other programs can only make ticks late, so the bound may be met in any of so many attempts.
const ATTEMPTS: usize = 3;
/// How much of their time the threads must count, so that it is a load. Between two counts they take
/// and deliver jobs, and the store settles on the same cores: the faster the counter, the larger is
/// that share.
const LOAD_PERCENT: u128 = 70;
/// Messages that wait to be counted at the most.
const QUEUE: usize = 64;

/// How late ticks were.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Lateness {
    ticks: usize,
    p50_us: u128,
    p99_us: u128,
    most_us: u128,
}

/// What was measured.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Responsiveness {
    reference: Lateness,
    counting: Lateness,
    messages_counted: u64,
    kilobytes_a_second: u128,
    /// How many threads were counting at a time, on average, in hundredths.
    threads_counting_percent: u128,
    bound_us: u128,
    /// The 99th percentiles of the attempts that were late, with what they were without counting.
    late_attempts_us: Vec<[u128; 2]>,
}

impl Responsiveness {
    const fn is_on_time(&self) -> bool {
        self.counting.p99_us < self.bound_us
    }
}

/// Measures for so long under load, and for a part of that without.
pub(super) fn run(time: Duration) -> Outcome<Responsiveness> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(lanes())
        .enable_time()
        .build()
        .map_err(ChaosError::system("no runtime can be started"))?;
    let mut measured = runtime.block_on(measure(time))?;
    let mut late_attempts_us = Vec::new();
    while !measured.is_on_time() && late_attempts_us.len() < ATTEMPTS - 1 {
        late_attempts_us.push([measured.counting.p99_us, measured.reference.p99_us]);
        measured = runtime.block_on(measure(time))?;
    }
    ensure!(
        measured.is_on_time(),
        "1 in 100 ticks is {} us late while all cores count, more than {} us; without counting it \
         is {} us",
        measured.counting.p99_us,
        measured.bound_us,
        measured.reference.p99_us
    );
    Ok(Responsiveness { late_attempts_us, ..measured })
}

async fn measure(time: Duration) -> Outcome<Responsiveness> {
    let memory = Memory::builder()
        .store(EmbeddedStore::builder().in_memory().open_async().await?)
        .counter(BpeCounter::o200k_base())
        .count_policy(CountPolicy::Background)
        .queue_capacity(QUEUE)
        .workers(lanes())
        .build()
        .await?;
    // The vocabulary is read before the time counts.
    let warm = memory.conversation(ConversationId::new("warm")?);
    warm.append(Message::user("warm")).await?;
    memory.settled(Duration::from_mins(1)).await;
    let (mut reference, mut counting) = (Vec::new(), Vec::new());
    let (mut loaded, mut busy) = (Duration::ZERO, Duration::ZERO);
    let (mut messages_counted, mut bytes) = (0, 0);
    for _ in 0..ROUNDS {
        reference.push(tick(time / 4 / ROUNDS).await?);
        let (start, before) = (Instant::now(), memory.counting().metrics().snapshot());
        let ends = Arc::new(AtomicBool::new(false));
        let feeder = tokio::spawn(feed(memory.clone(), Arc::clone(&ends)));
        counting.push(tick(time / ROUNDS).await?);
        loaded += start.elapsed();
        let after = memory.counting().metrics().snapshot();
        busy += after.total_duration.saturating_sub(before.total_duration);
        messages_counted += after.succeeded - before.succeeded;
        bytes += after.bytes - before.bytes;
        ends.store(true, Ordering::Relaxed);
        feeder.await.map_err(|_| ChaosError::Panicked)??;
        // What is left in the queue must not disturb the reference.
        memory.settled(Duration::from_mins(1)).await;
    }
    memory.shutdown(Duration::from_mins(1)).await;
    let threads_counting_percent = busy.as_millis() * 100 / loaded.as_millis().max(1);
    ensure!(
        threads_counting_percent >= lanes() as u128 * LOAD_PERCENT,
        "the load is none: of {} threads only {threads_counting_percent} hundredths counted",
        lanes()
    );
    Ok(Responsiveness {
        reference: median(reference),
        counting: median(counting),
        messages_counted,
        kilobytes_a_second: u128::from(bytes) / loaded.as_millis().max(1),
        threads_counting_percent,
        bound_us: BOUND.as_micros(),
        late_attempts_us: Vec::new(),
    })
}

/// The round in the middle, by its 99th percentile.
fn median(mut rounds: Vec<Lateness>) -> Lateness {
    rounds.sort_unstable_by_key(|round| round.p99_us);
    rounds[rounds.len() / 2]
}

/// Ticks on a task of its own, and measures each tick against the moment that it was due.
async fn tick(time: Duration) -> Outcome<Lateness> {
    let ticker = tokio::spawn(async move {
        let start = Instant::now() + TICK;
        let mut ticks = interval_at(start, TICK);
        // Every tick that was missed counts, with all of its lateness.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut late = Vec::new();
        while start.elapsed() < time {
            let due = ticks.tick().await;
            late.push(due.elapsed());
        }
        late
    });
    let mut late = ticker.await.map_err(|_| ChaosError::Panicked)?;
    late.sort_unstable();
    let at = |percent: usize| late[(late.len() - 1) * percent / 100].as_micros();
    Ok(Lateness { ticks: late.len(), p50_us: at(50), p99_us: at(99), most_us: at(100) })
}

/// Keeps the queue full, with texts that no cache knows.
async fn feed(memory: Memory, ends: Arc<AtomicBool>) -> Outcome<()> {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let conversation = memory.conversation(ConversationId::new("load")?);
    let mut pause = tokio::time::interval(TICK);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut appended = 0;
    while !ends.load(Ordering::Relaxed) {
        let metrics = memory.counting().metrics().snapshot();
        if metrics.queue_depth + 2 >= QUEUE as u64 {
            pause.tick().await;
            continue;
        }
        let text = text(SERIAL.fetch_add(1, Ordering::Relaxed));
        let receipt = conversation.append(Message::user(text)).await?;
        appended += 1;
        if appended % 512 == 0 || receipt.settling == Settling::LeftToSweep {
            // What was counted is not needed any more.
            conversation.clear().await?;
        }
    }
    Ok(())
}

/// Words of random letters and of plain English.
fn text(serial: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(serial);
    let mut text = String::with_capacity(BYTES + 16);
    while text.len() < BYTES {
        if rng.u8(..4) == 0 {
            text.extend((0..rng.usize(2..10)).map(|_| rng.lowercase()));
        } else {
            text.push_str(
                ["the", "harbour", "was", "closed", "because", "of", "ice"][rng.usize(..7)],
            );
        }
        text.push(' ');
    }
    text.truncate(BYTES);
    text
}
