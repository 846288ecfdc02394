//! Against counting every message before it is appended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memory_core::{
    Append, ConversationId, ConversationKey, CountError, CounterId, Epoch, Fingerprint, Framing,
    MemoryStore, Message, Namespace, NewMessage, TokenCounter,
};
use memory_instance::{Conversation, Memory};
use store_embedded::{Durability, EmbeddedStore};
use tokens::BpeCounter;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::free_counter::warmed_up;
use super::measure::{Reference, Times, per_second, ratios};
use super::outcome::Outcome;
use super::report::{Section, Series, Verdict};
use super::settings::Settings;
use super::texts::Texts;
use super::tokenizer_file;

/// Tasks that append at the same time while the rate is taken.
const WRITERS: usize = 8;
/// Two sizes of messages, each with how many are appended in a round: fewer than the queue holds.
const SIZES: [(&str, usize, usize); 2] = [("2 KiB", 2 << 10, 800), ("32 KiB", 32 << 10, 160)];

/// The tokenizers crate as a counter.
#[derive(Debug)]
struct HuggingFace {
    id: CounterId,
    tokenizer: tokenizers::Tokenizer,
}

/// The bpe-openai crate as a counter.
#[derive(Debug)]
struct BpeOpenAi(CounterId);

/// Counts on the caller's thread, then writes: what the ledger replaces.
#[derive(Debug, Clone)]
struct CountFirst {
    counter: Arc<dyn TokenCounter>,
    store: EmbeddedStore,
    key: ConversationKey,
    nonce: Arc<AtomicU64>,
}

/// A way to append.
enum Way {
    Ledger(Memory, Conversation),
    First(CountFirst),
}

/// What was found out about one way and one size.
struct Found {
    p50: Series,
    p99: Series,
    rate: Series,
    exact: Series,
}

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let directory = settings.store_directory()?;
    let json = tokenizer_file::o200k_base()?;
    let tokenizer = tokenizers::Tokenizer::from_bytes(json.as_bytes())?;
    let slow = HuggingFace { id: CounterId::new("tokenizers")?, tokenizer };
    let quick = BpeOpenAi(CounterId::new("bpe-openai")?);
    check_counts(&[&quick, &slow])?;
    let open = |name: &str| {
        let path = directory.path().join(name);
        EmbeddedStore::builder().path(path).durability(Durability::Relaxed).open()
    };
    let ledger = runtime.block_on(async {
        let memory =
            Memory::builder().store(open("ledger.redb")?).counter(BpeCounter::o200k_base());
        let memory = memory.build().await?;
        warmed_up(&memory).await?;
        let conversation = memory.conversation(ConversationId::new("conversation")?);
        Outcome::Ok(Way::Ledger(memory, conversation))
    })?;
    let first = |counter: Arc<dyn TokenCounter>, store| {
        let key = ConversationKey::new(Namespace::default(), ConversationId::new("conversation")?);
        Outcome::Ok(Way::First(CountFirst { counter, store, key, nonce: Arc::default() }))
    };
    let ways = [
        ("ledger", ledger),
        ("bpe-openai first", first(Arc::new(quick), open("bpe.redb")?)?),
        ("tokenizers first", first(Arc::new(slow), open("tokenizers.redb")?)?),
    ];

    let mut reference = Reference::new();
    let mut texts = Texts::new(4);
    let (mut verdicts, mut series) = (Vec::new(), Vec::new());
    for (size, bytes, count) in SIZES {
        let count = settings.amount(count, WRITERS * 2);
        let mut found: Vec<Found> = ways.iter().map(|(name, _)| Found::new(name, size)).collect();
        for round in 0..=settings.rounds {
            settings.begin_round(&mut reference)?;
            for ((_, way), found) in ways.iter().zip(&mut found) {
                let one = texts.messages(count / 4, bytes);
                let all = texts.messages(count, bytes);
                runtime.block_on(found.round(way, one, all))?;
            }
            if round == 0 {
                found.iter_mut().for_each(Found::forget);
            }
        }
        let [ledger, others @ ..] = &found[..] else { return Err("there is no way".into()) };
        for ((name, _), other) in ways[1..].iter().zip(others) {
            verdicts.extend(against(size, name, ledger, other));
        }
        for Found { p50, p99, rate, exact } in found {
            series.extend([p50, p99, rate, exact]);
        }
    }
    if let (_, Way::Ledger(memory, _)) = &ways[0] {
        runtime.block_on(memory.shutdown(Duration::from_secs(30)));
    }
    series.push(reference.into_series());
    Ok(Section {
        name: String::new(),
        title: "Against counting before each append".to_owned(),
        method: "o200k_base, embedded store, `Relaxed`, no text twice. `ledger` is a memory with \
                 its defaults; `… first` counts on the writer's own thread and then writes to the \
                 same store, without a memory. Latencies with one writer, rates with 8 tasks on a \
                 thread for each core. `until all exact` includes the counting in the background \
                 and its settling: everything is counted with the same two cores in the end. \
                 tokenizers 0.23 reads a `tokenizer.json` made of bpe-openai's vocabulary. All \
                 three counters are checked to count the same."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}

fn against(size: &str, name: &str, ledger: &Found, other: &Found) -> [Verdict; 3] {
    let ratio = |above: &Series, below: &Series, claim: &str| {
        ratios("", above, below).verdict(&format!("{size}, {name}: {claim}"), None)
    };
    [
        ratio(&other.p50, &ledger.p50, "append p50 over the ledger's"),
        ratio(&ledger.rate, &other.rate, "appends/s of the ledger over it"),
        ratio(&ledger.exact, &other.exact, "appends/s until all exact of the ledger over it"),
    ]
}

impl Found {
    fn new(way: &str, size: &str) -> Self {
        let series = |what: &str, unit| Series::new(&format!("{size}, {way}, {what}"), unit);
        Self {
            p50: series("append p50", "µs"),
            p99: series("append p99", "µs"),
            rate: series("appends/s", "1/s"),
            exact: series("appends/s until all exact", "1/s"),
        }
    }

    async fn round(&mut self, way: &Way, one: Vec<Message>, all: Vec<Message>) -> Outcome<()> {
        let mut times = Times::default();
        for message in one {
            let start = Instant::now();
            way.append(message).await?;
            times.push(start.elapsed());
        }
        way.settled().await?;
        self.p50.rounds.push(times.percentile(50));
        self.p99.rounds.push(times.percentile(99));

        let count = all.len();
        let mut shares: Vec<Vec<Message>> = (0..WRITERS).map(|_| Vec::new()).collect();
        for (place, message) in all.into_iter().enumerate() {
            shares[place % WRITERS].push(message);
        }
        let start = Instant::now();
        let mut writers = JoinSet::new();
        for share in shares {
            let way = way.clone();
            writers.spawn(async move {
                for message in share {
                    way.append(message).await?;
                }
                Outcome::Ok(())
            });
        }
        while let Some(ended) = writers.join_next().await {
            ended??;
        }
        self.rate.rounds.push(per_second(count, start.elapsed()));
        way.settled().await?;
        self.exact.rounds.push(per_second(count, start.elapsed()));
        Ok(())
    }

    /// Forgets the round that warmed everything up.
    fn forget(&mut self) {
        for series in [&mut self.p50, &mut self.p99, &mut self.rate, &mut self.exact] {
            series.rounds.clear();
        }
    }
}

impl Clone for Way {
    fn clone(&self) -> Self {
        match self {
            Self::Ledger(memory, conversation) => {
                Self::Ledger(memory.clone(), conversation.clone())
            }
            Self::First(first) => Self::First(first.clone()),
        }
    }
}

impl Way {
    async fn append(&self, message: Message) -> Outcome<()> {
        match self {
            Self::Ledger(_, conversation) => drop(conversation.append(message).await?),
            Self::First(first) => first.append(&message).await?,
        }
        Ok(())
    }

    /// Waits until everything is exact.
    async fn settled(&self) -> Outcome<()> {
        let Self::Ledger(memory, conversation) = self else { return Ok(()) };
        memory.settled(Duration::from_mins(2)).await;
        let totals = conversation.settle(Duration::from_mins(2)).await?;
        if totals.is_settled() { Ok(()) } else { Err("not everything was counted".into()) }
    }
}

impl CountFirst {
    async fn append(&self, message: &Message) -> Outcome<()> {
        let framing = Framing::openai_chat_1();
        let tally = framing.tally(message, |text| Ok(self.counter.count(text)? as u64));
        let tally = tally.map_err(|error: CountError| error)?;
        let nonce = u128::from(self.nonce.fetch_add(1, Ordering::Relaxed));
        let append = Append {
            counter: self.counter.id().framed(&framing),
            new_epoch: Epoch::from_random(nonce),
            messages: vec![NewMessage::new(message, Fingerprint::from_random(nonce), tally)],
            grace: Duration::ZERO,
        };
        self.store.append(&self.key, append).await?;
        Ok(())
    }
}

impl TokenCounter for BpeOpenAi {
    fn id(&self) -> &CounterId {
        &self.0
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(bpe_openai::o200k_base().count(text))
    }
}

impl TokenCounter for HuggingFace {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let encoded = self.tokenizer.encode_fast(text, false);
        let failed = |source| CountError::Failed { counter: self.id.clone(), source };
        Ok(encoded.map_err(failed)?.len())
    }
}

/// All counters must do the same work for their times to be compared.
fn check_counts(others: &[&dyn TokenCounter]) -> Outcome<()> {
    let counter = BpeCounter::o200k_base();
    let mut texts = Texts::new(5);
    for _ in 0..200 {
        let text = texts.text(3000);
        let expected = counter.count(&text)?;
        for other in others {
            let found = other.count(&text)?;
            if expected != found {
                return Err(format!("{} counts {found} tokens, not {expected}", other.id()).into());
            }
        }
    }
    Ok(())
}
