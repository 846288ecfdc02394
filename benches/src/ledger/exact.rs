//! How long it takes until a message's tally is exact, below and above what the workers can do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{ConversationId, Message};
use memory_instance::{Conversation, CountPolicy, Memory};
use store_embedded::{Durability, EmbeddedStore};
use tokens::BpeCounter;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::free_counter::warmed_up;
use super::measure::{Reference, Times, per_second, ratios};
use super::outcome::Outcome;
use super::paced::{Paced, append_at};
use super::recording::Recording;
use super::report::{Goal, Section, Series};
use super::settings::Settings;
use super::texts::Texts;

const TEXT_BYTES: usize = 4 << 10;
const CONVERSATIONS: usize = 64;
/// Messages that wait while the workers' rate is taken: enough to keep them busy, and fewer than
/// the queue has places.
const WAITING: u64 = 500;
/// Shares of the workers' rate, in percent.
const LEVELS: [u32; 3] = [50, 90, 120];
/// How long a backlog may take to drain.
const PATIENCE: Duration = Duration::from_mins(2);

/// A memory on a store of its own that notes when tallies became exact.
struct Scene {
    memory: Memory,
    store: Arc<Recording>,
    conversations: Vec<Conversation>,
    _directory: tempfile::TempDir,
}

/// What was found out about one level.
struct Level {
    percent: u32,
    rate: Series,
    append_p50: Series,
    append_p99: Series,
    exact_p50: Series,
    exact_p99: Series,
    drained: Series,
}

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let messages = Arc::new(Texts::new(6).messages(2048, TEXT_BYTES));
    let time = Duration::from_millis(if settings.quick { 200 } else { 4000 });
    let mut reference = Reference::new();
    let mut capacity = Series::new("messages that the workers count while appends go on", "1/s");
    let mut levels = LEVELS.map(Level::new);
    for _ in 0..settings.rounds {
        settings.begin_round(&mut reference)?;
        // The machine's speed drifts: every round has its own measure of it.
        let rate = runtime.block_on(calibrate(settings, time / 2, &messages))?;
        capacity.rounds.push(rate);
        for level in &mut levels {
            runtime.block_on(level.round(settings, rate, time, &messages))?;
        }
    }
    let [half, _, over] = &levels;
    let ratio =
        ratios("append p50 at 120 %, over that at 50 %", &over.append_p50, &half.append_p50);
    let mut verdicts =
        vec![ratio.verdict("append p50 at 120 %, over that at 50 %", Some(Goal::AtMost(2.0)))];
    for level in &levels {
        let name = |what: &str| format!("{what} at {} %", level.percent);
        verdicts.push(level.exact_p50.verdict(&name("time to exact, p50,"), None));
        verdicts.push(level.exact_p99.verdict(&name("time to exact, p99,"), None));
    }
    verdicts.push(over.append_p99.verdict("append p99 at 120 %", None));
    verdicts.push(over.drained.verdict("backlog after 120 %: all exact after", None));
    let mut series = vec![capacity];
    for level in levels {
        let Level { rate, append_p50, append_p99, exact_p50, exact_p99, drained, .. } = level;
        series.extend([rate, append_p50, append_p99, exact_p50, exact_p99, drained]);
    }
    series.extend([ratio, reference.into_series()]);
    Ok(Section {
        name: String::new(),
        title: "Time to exact".to_owned(),
        method: "Messages with 4 KiB of text, o200k_base, `Background`, embedded store, \
                 `Relaxed`, 64 conversations, a worker for each core. The rate that counts as \
                 100 % is taken anew in each round, with 500 messages waiting all the time; the \
                 appends, the counting and the settling share the cores. Appends then come at \
                 their rate for 4 s from 4 tasks that wait for nobody. A time to exact runs from \
                 the begin of the append to the store's answer to the settling. What the queue \
                 has no place for is left to the sweep. Each level ends when every message is \
                 exact, and fails if one is not."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}

/// How many messages a second become exact while there is always something to count.
async fn calibrate(
    settings: &Settings,
    time: Duration,
    messages: &Arc<Vec<Message>>,
) -> Outcome<f64> {
    let scene = Scene::open(settings).await?;
    let start = Instant::now();
    let turns = scene.conversations.iter().cycle().zip(messages.iter().cycle());
    for (appended, (conversation, message)) in (0_u64..).zip(turns) {
        while appended - scene.store.settled() >= WAITING {
            sleep(Duration::from_millis(1)).await;
        }
        if start.elapsed() >= time {
            break;
        }
        conversation.append(message.clone()).await?;
    }
    let settled = usize::try_from(scene.store.settled())?;
    let rate = per_second(settled, start.elapsed());
    scene.drain(start).await?;
    scene.end().await;
    Ok(rate)
}

impl Level {
    fn new(percent: u32) -> Self {
        let series = |what: &str, unit| Series::new(&format!("{percent} %: {what}"), unit);
        Self {
            percent,
            rate: series("appends", "1/s"),
            append_p50: series("append p50", "µs"),
            append_p99: series("append p99", "µs"),
            exact_p50: series("time to exact p50", "ms"),
            exact_p99: series("time to exact p99", "ms"),
            drained: series("all exact after the last append", "ms"),
        }
    }

    async fn round(
        &mut self,
        settings: &Settings,
        capacity: f64,
        time: Duration,
        messages: &Arc<Vec<Message>>,
    ) -> Outcome<()> {
        let scene = Scene::open(settings).await?;
        let rate = capacity * f64::from(self.percent) / 100.0;
        let mut paced = append_at(rate, time, &scene.conversations, messages).await?;
        let drained = scene.drain(Instant::now()).await?;
        let mut exact = scene.times_to_exact(&paced)?;
        self.rate.rounds.push(per_second(paced.begun.len(), paced.took));
        self.append_p50.rounds.push(paced.latencies.percentile(50));
        self.append_p99.rounds.push(paced.latencies.percentile(99));
        self.exact_p50.rounds.push(exact.percentile(50) / 1000.0);
        self.exact_p99.rounds.push(exact.percentile(99) / 1000.0);
        self.drained.rounds.push(drained.as_secs_f64() * 1000.0);
        scene.end().await;
        Ok(())
    }
}

impl Scene {
    async fn open(settings: &Settings) -> Outcome<Self> {
        let directory = settings.store_directory()?;
        let path = directory.path().join("memory.redb");
        let store = EmbeddedStore::builder().path(path).durability(Durability::Relaxed);
        let store = Arc::new(Recording::new(store.open_async().await?));
        let memory = Memory::builder()
            .store(Arc::clone(&store))
            .counter(BpeCounter::o200k_base())
            .count_policy(CountPolicy::Background)
            .build()
            .await?;
        warmed_up(&memory).await?;
        let conversation = |number: usize| {
            let id = ConversationId::new(format!("conversation-{number:06}"))?;
            Ok(memory.conversation(id))
        };
        let conversations = (0..CONVERSATIONS).map(conversation).collect::<Outcome<_>>()?;
        Ok(Self { memory, store, conversations, _directory: directory })
    }

    /// Waits until everything is exact; how long that took since `start`.
    async fn drain(&self, start: Instant) -> Outcome<Duration> {
        self.memory.settled(PATIENCE).await;
        loop {
            let mut pending = 0;
            for conversation in &self.conversations {
                pending += conversation.totals().await?.pending;
            }
            if pending == 0 {
                return Ok(start.elapsed());
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{pending} messages are not exact after two minutes").into());
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// From the begin of each append to the answer of its settling.
    fn times_to_exact(&self, paced: &Paced) -> Outcome<Times> {
        let mut settled: HashMap<_, Instant> = HashMap::new();
        for (id, seq, at) in self.store.take() {
            settled.entry((id, seq)).or_insert(at);
        }
        let mut times = Times::default();
        for (id, seq, begun) in &paced.begun {
            let key: (ConversationId, _) = (id.clone(), *seq);
            let at = settled.get(&key).ok_or("a message was never settled")?;
            times.push(at.saturating_duration_since(*begun));
        }
        if times.is_empty() { Err("nothing was appended".into()) } else { Ok(times) }
    }

    async fn end(self) {
        self.memory.shutdown(Duration::from_secs(10)).await;
    }
}
