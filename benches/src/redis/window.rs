//! Windows: of a long history beside a short one, and beside the bare reads.

use std::hint::black_box;
use std::time::Instant;

use memory_core::{ConversationKey, MemoryStore, Tally, WindowQuery};
use memory_testkit::sample;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use redis_testkit::RedisServer;
use tokio::runtime::Runtime;

use super::counts::Counts;
use super::store::{Served, TOKENS, key, messages};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings, Times, ratios};

const BUDGET: u64 = 4000;
const SHORT: usize = 100;
const TEXT_BYTES: usize = 200;
/// Messages that are appended at a time.
const BATCH: usize = 500;
/// Elements that the bare reads ask for: what the budget holds, and a quarter more, as the store's.
const READ: u64 = BUDGET / TOKENS * 5 / 4 + 8;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    Runtime::new()?.block_on(measure(settings))
}

async fn measure(settings: &Settings) -> Outcome<Section> {
    let served = Served::new().await?;
    let long_history = settings.amount(100_000, 2000);
    let (short, long) = (key("short")?, key("long")?);
    for (key, count) in [(&short, SHORT), (&long, long_history)] {
        fill(&served, key, count).await?;
    }
    let bare = BareReads::new(&served.server, "long").await?;

    let mut reference = Reference::new();
    let history = |count: usize, what: &str| {
        Series::new(&format!("window of 4,000 tokens, history of {count}, {what}"), "µs")
    };
    let (mut short_p50, mut long_p50) = (history(SHORT, "p50"), history(long_history, "p50"));
    let mut long_server = history(long_history, "in the server");
    let mut bare_server = Series::new("bare reads of that history, in the server", "µs");
    let windows = settings.amount(2000, 50);
    for round in 0..=settings.rounds {
        settings.begin_round(&mut reference)?;
        let (mut short_times, mut long_times) = (Times::default(), Times::default());
        for _ in 0..windows {
            window(&served, &short, &mut short_times).await?;
            window(&served, &long, &mut long_times).await?;
        }
        let (mut of_window, mut of_bare) = (0.0, 0.0);
        // In turns of a few, so that both have the same of the machine.
        for _ in 0..windows / 10 {
            let begun = Counts::now(&served.server).await?;
            for _ in 0..10 {
                window(&served, &long, &mut Times::default()).await?;
            }
            let between = Counts::now(&served.server).await?;
            for _ in 0..10 {
                bare.read().await?;
            }
            let ended = Counts::now(&served.server).await?;
            of_window += between.microseconds_since(&begun, &["multi", "exec", "evalsha"]);
            of_bare += ended.microseconds_since(&between, &["multi", "exec", "evalsha"]);
        }
        // The first round brought everything into the caches.
        if round > 0 {
            short_p50.rounds.push(short_times.percentile(50));
            long_p50.rounds.push(long_times.percentile(50));
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let count = (windows / 10 * 10) as f64;
            long_server.rounds.push(of_window / count);
            bare_server.rounds.push(of_bare / count);
        }
    }
    let over_short = ratios("long history over short, p50", &long_p50, &short_p50);
    let over_bare = ratios("window over bare reads, in the server", &long_server, &bare_server);
    Ok(Section {
        name: String::new(),
        title: "A window does not grow with the history".to_owned(),
        method: format!(
            "Messages with 200 B of text and {TOKENS} tokens each. One caller reads the short and \
             the long history in turn. Time in the server is its own count of EXEC and MULTI. \
             Bare is one transaction of the last {READ} tallies, the last {READ} payloads and the \
             numbers of the same conversation."
        ),
        date: String::new(),
        others: 0.0,
        verdicts: vec![
            over_short.verdict(
                "window of 4,000 tokens at a history of 100,000, over that at 100, p50",
                Some(Goal::AtMost(1.2)),
            ),
            over_bare.verdict(
                "the same window over the bare reads, in the server",
                Some(Goal::AtMost(1.25)),
            ),
            long_p50.verdict("window of 4,000 tokens at a history of 100,000, p50", None),
        ],
        series: vec![
            short_p50,
            long_p50,
            over_short,
            long_server,
            bare_server,
            over_bare,
            reference.into_series(),
        ],
    })
}

async fn fill(served: &Served, key: &ConversationKey, count: usize) -> Outcome<()> {
    let all = messages(3, count, TEXT_BYTES, Tally::exact(TOKENS));
    for batch in all.chunks(BATCH) {
        let batch = sample::batch(&served.counter, batch.iter().cloned());
        served.store.append(key, batch).await?;
    }
    Ok(())
}

/// Reads a window, which is as long as the budget allows.
async fn window(served: &Served, key: &ConversationKey, times: &mut Times) -> Outcome<()> {
    let query = WindowQuery { counter: served.counter.clone(), budget: BUDGET };
    let begun = Instant::now();
    let window = served.store.read_window(key, query).await?;
    times.push(begun.elapsed());
    let found = black_box(window).tail.len() as u64;
    if found < BUDGET / TOKENS {
        return Err(format!("a window holds {found} messages only").into());
    }
    Ok(())
}

/// The reads of a window, and nothing else.
struct BareReads {
    connection: MultiplexedConnection,
    pipeline: Pipeline,
}

impl BareReads {
    /// For the store's conversation of this name.
    async fn new(server: &RedisServer, name: &str) -> Outcome<Self> {
        let client = redis::Client::open(server.url())?;
        let connection = client.get_multiplexed_async_connection().await?;
        let found = server.command(&["KEYS", &format!("*{name}")]).await?;
        let keys: Vec<&str> = found.array().iter().filter_map(|key| key.text()).collect();
        // The letter behind the tag in braces tells what a key holds.
        let of = |letter: &str| {
            let key = keys.iter().find(|key| {
                key.split_once('}').is_some_and(|(_, behind)| behind.starts_with(letter))
            });
            key.copied().ok_or_else(|| format!("the store has no key {letter} of {name}"))
        };
        let meta = of("m")?;
        let fields = server.command(&["HKEYS", meta]).await?;
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        for key in [of("t")?, of("p")?] {
            pipeline.cmd("LRANGE").arg(key).arg(format!("-{READ}")).arg(-1);
        }
        pipeline.cmd("HMGET").arg(meta);
        for field in fields.array().iter().filter_map(|field| field.text()) {
            pipeline.arg(field);
        }
        Ok(Self { connection, pipeline })
    }

    async fn read(&self) -> Outcome<()> {
        let mut connection = self.connection.clone();
        black_box(self.pipeline.query_async::<Value>(&mut connection).await?);
        Ok(())
    }
}
