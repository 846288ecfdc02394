//! Appends of a memory on the store against the same commands without either.

use std::sync::Arc;

use memory_core::Message;
use memory_instance::Memory;
use tokio::runtime::Runtime;

use super::bare::Bare;
use super::conversations::{Conversations, memory_that_counts_at_once};
use super::counts::Counts;
use super::generator::Generator;
use super::load::{CONVERSATIONS, SIZES, rate};
use super::store::{Appends, Served};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings, Texts, Verdict, ratios};

/// Appends in flight, with how many are made in a round, and what ours shall reach.
const IN_FLIGHT: [(usize, usize, Option<Goal>); 3] =
    [(1, 1500, None), (64, 8000, Some(Goal::AtLeast(0.9))), (512, 8000, Some(Goal::AtLeast(0.9)))];

/// Appends whose commands are compared with those that are sent bare.
const COMPARED: usize = 100;

/// How often they are compared, since a memory's sweeps come in between now and then.
const TRIES: usize = 5;

/// Different messages that a memory appends in turn.
const MESSAGES: usize = 1024;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let mut reference = Reference::new();
    let (mut verdicts, mut series) = (Vec::new(), Vec::new());
    for (size, bytes) in SIZES {
        for (in_flight, count, goal) in IN_FLIGHT {
            // Larger messages are fewer, so that the server's memory stays small.
            let count = settings.amount(if bytes > 1000 { count / 2 } else { count }, 200);
            let case = Case { what: format!("{size}, {in_flight} in flight"), in_flight, count };
            let (found, figures) =
                runtime.block_on(case.measure(bytes, goal, settings, &mut reference))?;
            verdicts.extend(found);
            series.extend(figures);
        }
    }
    series.push(reference.into_series());
    Ok(Section {
        name: String::new(),
        title: "Appends, over the same commands sent bare".to_owned(),
        method: "Each append is one message to one of 1,000 conversations, by so many callers. A \
                 memory's append is that of `Conversation::append` with a counter that takes no time \
                 and leave to count every message at once, defaults otherwise; the store's append \
                 is what that calls. Bare are the same commands as one transaction, over as many of \
                 the redis crate's multiplexed connections as the store's pool has opened: the \
                 server's counts of commands and of received bytes are checked to be the same. The \
                 generator writes the same bytes, made beforehand, on as many sockets, and only \
                 counts the lines of the answers. With caller's ids of 16 bytes an append is a \
                 script, which looks for the id."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}

/// One size with so many in flight.
struct Case {
    what: String,
    in_flight: usize,
    count: usize,
}

/// The ways to append that are compared, on one server.
struct Ways {
    served: Served,
    by_memory: Conversations,
    by_store: Appends,
    with_ids: Conversations,
    bare: Bare,
    generator: Generator,
    /// Sweeps while it lives, as memories do.
    _memory: Memory,
}

impl Ways {
    /// With all conversations made, and checked to do the same.
    async fn new(bytes: usize, in_flight: usize) -> Outcome<Self> {
        let served = Served::new().await?;
        let memory = memory_that_counts_at_once(&served).await?;
        let messages: Arc<[Message]> = Texts::new(1).messages(MESSAGES, bytes).into();
        let conversations =
            |name: &str| Conversations::new(&memory, name, CONVERSATIONS, Arc::clone(&messages));
        let (by_memory, with_ids) = (conversations("ours")?, conversations("ids")?.with_ids());
        let by_store = Appends::new(&served, "less", bytes)?;
        // Each conversation once, so that none is new afterwards.
        rate(&by_memory, in_flight, CONVERSATIONS).await?;
        rate(&with_ids, in_flight, CONVERSATIONS).await?;
        rate(&by_store, in_flight, CONVERSATIONS).await?;

        let begun = Counts::now(&served.server).await?;
        rate(&by_store, 1, COMPARED).await?;
        let of_store = Counts::now(&served.server).await?.since(&begun);
        let mut bare = Bare::new("bare", bytes, of_store.calls.contains_key("time"));
        bare.connect(&served.server, 1).await?;
        rate(&bare, in_flight, CONVERSATIONS).await?;
        let generator = Generator::new(&served.server, &bare).await?;
        let mut ways =
            Self { served, by_memory, by_store, with_ids, bare, generator, _memory: memory };
        let mut checked = ways.check().await;
        for _ in 1..TRIES {
            if checked.is_ok() {
                break;
            }
            checked = ways.check().await;
        }
        checked.map(|()| ways)
    }

    /// Fails where the server sees other commands of one way than of another, or other bytes.
    async fn check(&mut self) -> Outcome<()> {
        let Self { served: Served { server, .. }, by_memory, by_store, bare, generator, .. } = self;
        let begun = Counts::now(server).await?;
        rate(by_store, 1, COMPARED).await?;
        let of_store = Counts::now(server).await?.since(&begun);
        let begun = Counts::now(server).await?;
        rate(by_memory, 1, COMPARED).await?;
        let of_memory = Counts::now(server).await?.since(&begun);
        let begun = Counts::now(server).await?;
        rate(bare, 1, COMPARED).await?;
        let of_bare = Counts::now(server).await?.since(&begun);
        let begun = Counts::now(server).await?;
        generator.rate(1, COMPARED).await?;
        let of_generator = Counts::now(server).await?.since(&begun);
        of_store.check_same("a memory", &of_memory)?;
        of_store.check_same("bare appends", &of_bare)?;
        of_store.check_same("the generator", &of_generator)
    }
}

impl Case {
    async fn measure(
        &self,
        bytes: usize,
        goal: Option<Goal>,
        settings: &Settings,
        reference: &mut Reference,
    ) -> Outcome<(Vec<Verdict>, Vec<Series>)> {
        let Self { what, in_flight, count } = self;
        let mut ways = Ways::new(bytes, *in_flight).await?;
        let rates = |way: &str| Series::new(&format!("{what}, {way}"), "appends/s");
        let mut found =
            ["memory", "store", "bare commands", "generator", "memory, with caller's ids"]
                .map(rates);
        let mut lanes = Series::new(&format!("{what}, connections"), "");
        for round in 0..=settings.rounds {
            settings.begin_round(reference)?;
            let by_memory = rate(&ways.by_memory, *in_flight, *count).await?;
            let by_store = rate(&ways.by_store, *in_flight, *count).await?;
            let open = ways.served.lanes();
            ways.bare.connect(&ways.served.server, open).await?;
            let by_bare = rate(&ways.bare, *in_flight, *count).await?;
            ways.generator.connect(open).await?;
            let by_generator = ways.generator.rate(*in_flight, *count).await?;
            let with_ids = rate(&ways.with_ids, *in_flight, *count).await?;
            // The first round opens connections.
            if round > 0 {
                let rates = [by_memory, by_store, by_bare, by_generator, with_ids];
                found.iter_mut().zip(rates).for_each(|(series, rate)| series.rounds.push(rate));
                #[expect(clippy::cast_precision_loss, reason = "a pool's size")]
                lanes.rounds.push(open as f64);
            }
        }
        let [by_memory, by_store, bare, generator, with_ids] = &found;
        let over = |name: &str, above, below| ratios(&format!("{what}, {name}"), above, below);
        let ratio = over("memory over the same commands bare", by_memory, bare);
        let of_store = over("store over the same commands bare", by_store, bare);
        let verdicts = vec![
            ratio.to_verdict(goal),
            of_store.to_verdict(goal),
            over("generator over bare commands", generator, bare).to_verdict(None),
            over("generator over memory", generator, by_memory).to_verdict(None),
            over("memory with caller's ids over bare without", with_ids, bare).to_verdict(None),
            by_memory.to_verdict(None),
            with_ids.to_verdict(None),
        ];
        Ok((verdicts, found.into_iter().chain([ratio, of_store, lanes]).collect()))
    }
}
