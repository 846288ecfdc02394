//! 256 writers and one, against redb alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memory_core::{ConversationId, Message};
use memory_instance::{Conversation, Memory};
use redb::Database;
use store_embedded::EmbeddedStore;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::free_counter::{FreeCounter, warmed_up};
use super::measure::{Reference, microseconds, per_second, ratios};
use super::outcome::Outcome;
use super::raw::{Raw, bytes_of_an_append};
use super::report::{Goal, Section, Series};
use super::settings::Settings;
use super::sync_count::CountedFile;
use super::texts::Texts;
use super::threads::Worked;

const WRITERS: usize = 256;
/// The wire form of a user message takes 30 bytes beside its text.
const TEXT_BYTES: usize = 370;
/// What the names of the stores' threads begin with, as far as the system keeps them. All of them
/// but the one that writes and the two that sync have nothing to do.
const WRITER_THREAD: &str = "turnledger-embe";
const CACHE_BYTES: usize = 64 << 20;
/// Appends in one transaction while the databases are filled.
const FILL: usize = 1000;

/// A memory on a store of its own.
struct Ledger {
    memory: Memory,
    store: EmbeddedStore,
    conversations: Vec<Conversation>,
    syncs: Arc<AtomicU64>,
}

/// What the rounds found.
struct Found {
    many_rate: Series,
    batched_rate: Series,
    commit_sizes: Series,
    writer_time: Series,
    all_time: Series,
    raw_time: Series,
    one_rate: Series,
    alone_rate: Series,
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let directory = settings.store_directory()?;
    let names: Vec<_> = (0..WRITERS).map(|number| format!("conversation-{number:06}")).collect();
    let messages = Texts::new(2).messages(1024, TEXT_BYTES);
    let payloads: Vec<_> = messages.iter().map(Message::payload).collect();
    let messages = Arc::new(messages);
    let path = |name: &str| directory.path().join(name);
    let mut single = Raw::create(&path("raw-single.redb"), CACHE_BYTES, &names)?;
    let mut batched = Raw::create(&path("raw-batched.redb"), CACHE_BYTES, &names)?;
    let one = runtime.block_on(Ledger::open(&path("one.redb"), &names))?;
    let many = runtime.block_on(Ledger::open(&path("many.redb"), &names))?;

    let fill = settings.amount(64, 2);
    for raw in [&mut single, &mut batched] {
        raw.append(WRITERS * fill, FILL, &payloads)?;
    }
    for ledger in [&one, &many] {
        runtime.block_on(ledger.write_all(fill, &messages))?;
    }

    let mut reference = Reference::new();
    let mut found = Found::new();
    let (few, each) = (settings.amount(1500, 50), settings.amount(150, 4));
    for _ in 0..settings.rounds {
        settings.begin_round(&mut reference)?;
        let syncs = single.syncs();
        found.alone_rate.rounds.push(timed(few, || single.append(few, 1, &payloads))?);
        let syncs_of_a_commit = (single.syncs() - syncs) as f64 / few as f64;
        found.one_rate.rounds.push(timed(few, || runtime.block_on(one.write_one(few, &messages)))?);

        let (syncs, count) = (many.syncs(), WRITERS * each);
        let before = Worked::now()?;
        let writing = || runtime.block_on(many.write_all(each, &messages));
        found.many_rate.rounds.push(timed(count, writing)?);
        let (worked, of_each) =
            (Worked::now()?, |time: Duration| microseconds(time) / count as f64);
        found.writer_time.rounds.push(of_each(worked.since(&before, WRITER_THREAD)));
        found.all_time.rounds.push(of_each(worked.since(&before, "")));
        let commits = (many.syncs() - syncs) as f64 / syncs_of_a_commit;
        let batch = (count as f64 / commits).round().max(1.0);
        found.commit_sizes.rounds.push(batch);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let batch = batch as usize;
        found.batched_rate.rounds.push(timed(count, || batched.append(count, batch, &payloads))?);
        found.raw_time.rounds.push(of_each(Worked::now()?.since(&worked, "")));
    }
    let raw_bytes = batched.bytes_of_an_append()?;
    for ledger in [one, many] {
        runtime.block_on(ledger.close());
    }
    let stored = bytes_of_an_append(&Database::open(path("many.redb"))?)?;
    if (stored / raw_bytes - 1.0).abs() > 0.01 {
        return Err(format!("the store wrote {stored:.1} B an append, redb {raw_bytes:.1}").into());
    }

    let bytes = Series {
        rounds: vec![stored, raw_bytes],
        ..Series::new("stored for an append, by the store and by redb", "B")
    };
    Ok(found.into_section([bytes, reference.into_series()]))
}

impl Found {
    fn new() -> Self {
        let rate = |name: &str| Series::new(name, "appends/s");
        let time = |name: &str| Series::new(&format!("processor time of an append, {name}"), "µs");
        Self {
            many_rate: rate("256 writers"),
            batched_rate: rate("redb, in batches of the same size"),
            commit_sizes: Series::new("appends in a commit of 256 writers", ""),
            writer_time: time("256 writers, the store's writing threads"),
            all_time: time("256 writers, all threads"),
            raw_time: time("redb in batches"),
            one_rate: rate("one writer"),
            alone_rate: rate("redb, committing each append"),
        }
    }

    fn into_section(self, more: [Series; 2]) -> Section {
        let Self { many_rate, batched_rate, one_rate, alone_rate, .. } = &self;
        let of_alone = ratios("256 writers, over redb committing each", many_rate, alone_rate);
        let of_batched = ratios("256 writers, over redb in batches", many_rate, batched_rate);
        let bound = ratios("redb in batches, over redb committing each", batched_rate, alone_rate);
        let one_of_alone = ratios("one writer, over redb committing each", one_rate, alone_rate);
        let verdicts = vec![
            of_alone.verdict(
                "256 writers, over redb committing each append alone",
                Some(Goal::AtLeast(20.0)),
            ),
            bound.verdict("redb itself in those batches, over committing each alone", None),
            of_batched.verdict(
                "256 writers, over redb in batches of the same size",
                Some(Goal::AtLeast(0.7)),
            ),
            one_of_alone.verdict(
                "one writer, over redb committing each append alone",
                Some(Goal::AtLeast(0.7)),
            ),
        ];
        let mut series = vec![
            self.many_rate,
            self.batched_rate,
            self.commit_sizes,
            self.writer_time,
            self.all_time,
            self.raw_time,
            self.one_rate,
            self.alone_rate,
            of_alone,
            bound,
            of_batched,
            one_of_alone,
        ];
        series.extend(more);
        Section {
            name: String::new(),
            title: "256 writers on the embedded store, `Sync`".to_owned(),
            method: "Messages of 400 B, 256 conversations, a counter that costs nothing. redb \
                     alone is one thread that keeps its state in memory and writes the same \
                     tables with values of the same size, to the conversations in a scattered \
                     order, as writers come, and reads nothing back; the bytes stored for an \
                     append are compared at the end. The store syncs one commit on another \
                     thread while it fills the next; redb alone does one after the other. The \
                     batch size is that of the store in the same round, from its count of syncs. How much redb itself gains by \
                     committing in those batches is what the machine's disk allows. All \
                     databases lie on the same disk and hold the same 16,384 messages at the \
                     start."
                .to_owned(),
            date: String::new(),
            others: 0.0,
            verdicts,
            series,
        }
    }
}

fn timed(count: usize, work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let start = Instant::now();
    work()?;
    Ok(per_second(count, start.elapsed()))
}

impl Ledger {
    async fn open(path: &Path, names: &[String]) -> Outcome<Self> {
        let (file, syncs) = CountedFile::create(path)?;
        let store = EmbeddedStore::builder().backend(file).cache_bytes(CACHE_BYTES);
        let store = store.open_async().await?;
        let memory = Memory::builder().store(store.clone()).counter(FreeCounter::new()?);
        let memory = memory.build().await?;
        warmed_up(&memory).await?;
        let conversation = |name: &String| Ok(memory.conversation(ConversationId::new(name)?));
        let conversations = names.iter().map(conversation).collect::<Outcome<_>>()?;
        Ok(Self { memory, store, conversations, syncs })
    }

    /// One writer goes through the conversations in turn.
    async fn write_one(&self, count: usize, messages: &[Message]) -> Outcome<()> {
        for (place, conversation) in (0..count).zip(self.conversations.iter().cycle()) {
            conversation.append(messages[place % messages.len()].clone()).await?;
        }
        Ok(())
    }

    /// A writer for each conversation, all at the same time.
    async fn write_all(&self, each: usize, messages: &Arc<Vec<Message>>) -> Outcome<()> {
        let mut writers = JoinSet::new();
        for (number, conversation) in self.conversations.iter().cloned().enumerate() {
            let messages = Arc::clone(messages);
            writers.spawn(async move {
                for place in number * each..(number + 1) * each {
                    conversation.append(messages[place % messages.len()].clone()).await?;
                }
                Outcome::Ok(())
            });
        }
        while let Some(ended) = writers.join_next().await {
            ended??;
        }
        Ok(())
    }

    fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    async fn close(self) {
        self.memory.shutdown(Duration::from_secs(10)).await;
        drop(self.conversations);
        drop(self.memory);
        self.store.close().await;
    }
}
