//! The reply to an operation is cut at every byte.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use memory_core::{ConversationId, WindowQuery};
use memory_instance::{CountPolicy, Memory};
use redis_testkit::{End, FaultProxy, Happened, RedisServer};
use serde::Serialize;

use super::load::{BOUND, COUNTING, settled};
use super::servers::{emptied, runtime, start};
use crate::chaos::budget::{self, Enough, case_seed};
use crate::chaos::content::{Contents, Gate, Item};
use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::expect::{Counts, Expected, Faults, Lost, observe, settle};
use crate::chaos::place::{Opened, Server};
use crate::chaos::record::{Action, Answer, Operation, Record};
use crate::chaos::session::{Layout, Session, Sweeping, key};
use crate::chaos::writer::Writer;

const PART: &str = "cuts";
/// The one conversation, and its writer.
const ONE: u16 = 0;
/// A reply that was cut without a word is waited for so long.
const PATIENCE: Duration = Duration::from_millis(400);
/// More bytes than any of these replies has.
const MOST: u64 = 20_000;
/// Replies that came whole, one after the other, before a kind is through: they grow with the
/// numbers in them.
const WHOLE: u32 = 8;
/// No reply is shorter: a clear's is a number of one digit, with a byte before and two behind it.
const LEAST: u64 = 4;
/// Between two tries until a connection answers.
const PAUSE: Duration = Duration::from_millis(1);
/// Messages that stand before an operation that removes some.
const BEFORE: usize = 3;
/// So many cuts are made to one life of the conversation: it is looked at after most of them.
const CUTS_OF_A_LIFE: u64 = 16;
/// A payload of more bytes has the same power of two above it as the largest here.
const LARGE: usize = 4096;

/// What a reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WithIds(usize),
    WithoutIds(usize),
    /// One of two messages has an id.
    Mixed,
    /// The first append of a life.
    First,
    Drop,
    Trim,
    Clear,
    Settle,
    Window,
}

const KINDS: [Kind; 11] = [
    Kind::WithIds(1),
    Kind::WithIds(4),
    Kind::WithoutIds(1),
    Kind::WithoutIds(4),
    Kind::Mixed,
    Kind::First,
    Kind::Drop,
    Kind::Trim,
    Kind::Clear,
    Kind::Settle,
    Kind::Window,
];

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct CutFigures {
    /// How often all replies were cut at all their bytes.
    passes: u64,
    cuts: u64,
    /// Cuts after which the other end said nothing more and stayed open.
    silent: u64,
    /// Appends that were answered as done although their first reply was cut.
    done_once: u64,
    counts: Counts,
}

impl CutFigures {
    fn add(&mut self, other: Self) {
        self.passes += other.passes;
        self.cuts += other.cuts;
        self.silent += other.silent;
        self.done_once += other.done_once;
        self.counts.add(other.counts);
    }
}

/// Cuts every reply at every byte, so often.
pub(crate) fn run(seed: u64, enough: Enough) -> Outcome<(CutFigures, u64)> {
    budget::run(enough, CutFigures::add, |case, budget| {
        budget.spend(1);
        let seed = case_seed(seed, 13, case);
        let pass = async {
            let mut done = CutFigures { passes: 1, ..CutFigures::default() };
            let server = start().await?;
            for (number, kind) in (0..).zip(KINDS) {
                let cut = cut_every_byte(&server, kind, seed ^ number, &mut done).await;
                cut.map_err(|error| error.within(PART, case, format!("{kind:?}, from {seed}")))?;
            }
            Ok(done)
        };
        runtime()?.block_on(pass)
    })
}

/// Cuts the replies to one kind of operation, later and later, until one is shorter than that.
async fn cut_every_byte(
    server: &RedisServer,
    kind: Kind,
    seed: u64,
    done: &mut CutFigures,
) -> Outcome<()> {
    server.command(&["FLUSHALL"]).await?;
    let proxy = FaultProxy::start(server.address())?;
    let direct = Server::new(server.url()).open().await?;
    let place = Server::new(format!("redis://{}", proxy.address())).patience(PATIENCE).sockets(1);
    let opened = place.open().await?;
    let mut rng = Rng::with_seed(seed);
    let session = Session {
        policy: match kind {
            Kind::Settle => CountPolicy::Background,
            _ => CountPolicy::Inline,
        }
        .as_str()
        .to_owned(),
        queue: 1000,
        // Nobody else must be answered meanwhile.
        sweeping: Some(Sweeping { interval: 3_600_000, lease: 100, grace: 0 }),
        layout: Layout::Own { own: 1, sharing: 0 },
        ..Session::draw(seed, 1, COUNTING, &mut rng)
    };
    let gate = Gate::default();
    let counter = gate.before(COUNTING.counter());
    let memory = session.memory(Arc::clone(&opened.store), counter).await?;
    let contents = Contents::new(seed, COUNTING);
    let handle = memory.conversation(ConversationId::new(format!("conversation {ONE}"))?);
    let mut cutting = Cutting {
        kind,
        proxy,
        direct,
        memory: &memory,
        gate: &gate,
        writer: Writer::new(&session, ONE, ONE, handle, &memory, &contents),
        contents: &contents,
        expected: Expected::new(seed, COUNTING, Faults::Passing, &[ONE]),
        serial: 0,
    };
    let (mut cuts, mut whole) = (0, 0);
    for after in 0..MOST {
        if after.is_multiple_of(CUTS_OF_A_LIFE) {
            cutting.begin_anew().await?;
        }
        let end = match after % 32 {
            31 => End::Silence,
            even if even.is_multiple_of(2) => End::Close,
            _ => End::Reset,
        };
        if cutting.cut(after, end, done).await? {
            (cuts, whole) = (cuts + 1, 0);
            done.silent += u64::from(end == End::Silence);
            continue;
        }
        whole += 1;
        if whole == WHOLE {
            break;
        }
    }
    // One that never came whole has no end, and one that always did was not cut, or was repeated.
    ensure!(whole == WHOLE && cuts >= LEAST, "{cuts} replies were cut, {whole} came whole then");
    done.cuts += cuts;
    let Cutting { proxy, direct, mut expected, .. } = cutting;
    proxy.spare_reply();
    memory.shutdown(BOUND).await;
    opened.close().await?;
    let counter = COUNTING.tally_id();
    expected.resolve(&observe(&*direct.store, &counter, &[ONE]).await?, Lost::Nothing)?;
    settle(&direct.store, COUNTING, &contents, &[ONE]).await?;
    direct.close().await?;
    emptied([server]).await?;
    done.counts.add(expected.counts());
    Ok(())
}

/// One conversation whose replies are cut.
struct Cutting<'a> {
    kind: Kind,
    proxy: FaultProxy,
    /// The same store without the proxy.
    direct: Opened,
    memory: &'a Memory,
    gate: &'a Gate,
    writer: Writer<'a>,
    contents: &'a Contents,
    expected: Expected,
    serial: u64,
}

impl Cutting<'_> {
    /// Begins another life of the conversation, with one message. The first append of a process
    /// makes its counter known, too.
    async fn begin_anew(&mut self) -> Outcome<()> {
        self.surely(Action::Clear).await?;
        let mut items = self.items(1, false);
        if let Kind::WithoutIds(_) = self.kind {
            // What is larger than all before it is looked for a place first: it has another reply.
            while self.contents.stored(items[0]).0.len() <= LARGE {
                items = self.items(1, false);
            }
        }
        self.surely(Action::Append(items)).await?;
        settled(self.memory).await
    }

    /// Cuts the reply to one operation; false where it came whole.
    async fn cut(&mut self, after: u64, end: End, done: &mut CutFigures) -> Outcome<bool> {
        let action = self.prepare().await?;
        let before = self.proxy.log().count(Happened::Cut);
        self.proxy.cut_reply(after, end);
        let answer = match action {
            Some(action) => Some(self.act(action).await?),
            None if self.kind == Kind::Settle => {
                self.gate.open();
                settled(self.memory).await?;
                None
            }
            None => {
                self.look().await?;
                None
            }
        };
        self.proxy.spare_reply();
        // Whoever has gone on, or gave up, has seen the end of a connection, which is noted before.
        let was_cut = self.proxy.log().count(Happened::Cut) > before;
        let is_repeatable = matches!(self.kind, Kind::WithIds(_));
        let is_cut = match &answer {
            None => was_cut,
            Some(Answer::Unknown { .. }) if !is_repeatable => {
                let counter = COUNTING.tally_id();
                let observed = observe(&*self.direct.store, &counter, &[ONE]).await?;
                self.expected.resolve(&observed, Lost::Nothing)?;
                true
            }
            Some(answer) => {
                ensure!(
                    answer.is_acknowledgement(),
                    "the reply to {:?} was cut after {after} bytes; it is answered {answer:?}",
                    self.kind
                );
                // Else the cut came behind the reply: what was done a second time is answered
                // otherwise.
                was_cut && is_repeatable
            }
        };
        done.done_once += u64::from(is_cut && is_repeatable);
        // What comes next needs a connection: this one may have had its end behind the reply.
        self.connect().await?;
        Ok(is_cut)
    }

    /// Returns when there is a connection that answers, and the store has looked at the schema
    /// with it: what is cut next is the reply to the operation, and not to that look.
    async fn connect(&self) -> Outcome<()> {
        let (key, counter, start) = (key(ONE)?, COUNTING.tally_id(), Instant::now());
        // It is the counter that the conversation has, so that nothing changes.
        while let Err(error) = self.memory.store().set_counter(&key, &counter).await {
            ensure!(
                start.elapsed() < BOUND,
                "no connection answers {} s after one was cut: {error}",
                BOUND.as_secs()
            );
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    fn items(&mut self, count: usize, with_id: bool) -> Vec<Item> {
        let mut item = || {
            self.serial += 1;
            Item { serial: self.serial, with_id, altered: false }
        };
        (0..count).map(|_| item()).collect()
    }

    /// Does what has to come before, and gives the operation, unless it is none of a writer.
    async fn prepare(&mut self) -> Outcome<Option<Action>> {
        Ok(Some(match self.kind {
            Kind::WithIds(count) => Action::Append(self.items(count, true)),
            Kind::WithoutIds(count) => Action::Append(self.items(count, false)),
            Kind::Mixed => {
                let mut items = self.items(1, true);
                items.extend(self.items(1, false));
                Action::Append(items)
            }
            Kind::First => {
                self.surely(Action::Clear).await?;
                Action::Append(self.items(1, false))
            }
            Kind::Drop | Kind::Clear => {
                let items = self.items(BEFORE, false);
                self.surely(Action::Append(items)).await?;
                if self.kind == Kind::Clear { Action::Clear } else { Action::DropNewest(2) }
            }
            Kind::Trim => {
                let items = self.items(BEFORE, false);
                let answer = self.surely(Action::Append(items)).await?;
                let Answer::Appended(appended) = answer else {
                    return Err(ChaosError::violation(
                        "an append is answered as another operation",
                    ));
                };
                let before = appended.places.first().map_or(1, |(seq, _)| *seq);
                Action::Trim { epoch: appended.epoch, before }
            }
            Kind::Settle => {
                self.gate.shut();
                let items = self.items(1, false);
                self.surely(Action::Append(items)).await?;
                return Ok(None);
            }
            Kind::Window => {
                let items = self.items(1, false);
                self.surely(Action::Append(items)).await?;
                return Ok(None);
            }
        }))
    }

    async fn act(&mut self, action: Action) -> Outcome<Answer> {
        let operation = Operation { conversation: ONE, action };
        self.expected.note(Record::Begun { writer: ONE, operation: operation.clone() })?;
        let answer = self.writer.act(&operation.action).await?;
        self.expected.note(Record::Done { writer: ONE, answer: answer.clone() })?;
        Ok(answer)
    }

    /// Does something whose reply is not cut.
    async fn surely(&mut self, action: Action) -> Outcome<Answer> {
        let answer = self.act(action).await?;
        ensure!(answer.is_acknowledgement(), "nothing was cut, and it is answered {answer:?}");
        Ok(answer)
    }

    /// Reads a window: it is right, or says that it could not be read.
    async fn look(&mut self) -> Outcome<()> {
        let key = key(ONE)?;
        let counter = COUNTING.tally_id();
        let query = WindowQuery { counter, budget: 300 };
        let direct = self.direct.store.read_window(&key, query.clone()).await?;
        match self.memory.store().read_window(&key, query).await {
            Ok(window) => {
                ensure!(window == direct, "a window whose reply was cut is another one");
            }
            Err(error) => ensure!(error.is_retryable(), "a window cannot be read: {error}"),
        }
        Ok(())
    }
}
