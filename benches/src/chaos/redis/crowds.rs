//! Two processes with many writers each, on one conversation and on many.

use std::sync::Mutex;
use std::thread;

use fastrand::Rng;
use redis_testkit::RedisServer;
use serde::Serialize;

use super::load::COUNTING;
use super::progress::lock;
use super::servers::{emptied, runtime, start};
use crate::chaos::budget::{self, Budget, Enough, case_seed};
use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::expect::{
    Counts, Crowd, CrowdCounts, Expected, Faults, Lost, Observed, observe, settle,
};
use crate::chaos::kills::{Order, Process};
use crate::chaos::place::{Place, Server};
use crate::chaos::record::Record;
use crate::chaos::session::{Layout, Session, Sweeping};

const PART: &str = "crowds";
const PROCESSES: u16 = 2;
const WRITERS: u16 = 32;
/// The one conversation that all come to, with everything that can be done.
const ONE: u16 = 1;

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct CrowdFigures {
    rounds_on_one: u64,
    one: CrowdCounts,
    rounds_on_many: u64,
    many: Counts,
}

/// Lets processes write until they wrote often enough.
pub(crate) fn run(seed: u64, enough: Enough) -> Outcome<(CrowdFigures, u64)> {
    let add = |sum: &mut CrowdFigures, other: CrowdFigures| {
        sum.rounds_on_one += other.rounds_on_one;
        sum.one.add(other.one);
        sum.rounds_on_many += other.rounds_on_many;
        sum.many.add(other.many);
    };
    budget::run(enough, add, |case, budget| {
        let seed = case_seed(seed, 10, case);
        let done = runtime()?.block_on(round(seed, case, budget));
        done.map_err(|error| error.within(PART, case, format!("drawn from {seed}")))
    })
}

async fn round(seed: u64, case: u64, budget: &Budget) -> Outcome<CrowdFigures> {
    let mut rng = Rng::with_seed(seed);
    let server = start().await?;
    let place = Server::new(server.url());
    let mut done = CrowdFigures::default();
    if case.is_multiple_of(2) {
        let crowd = Mutex::new(Crowd::new(seed, COUNTING, false));
        let layout = Layout::Crowd { writers: WRITERS, conversations: vec![ONE] };
        write(seed, &layout, &place, &mut rng, |record| lock(&crowd).note(record))?;
        let mut crowd = crowd.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        crowd.finish(&look(&server, &place, &[ONE]).await?)?;
        exact(&place, crowd.contents(), &[ONE]).await?;
        done.rounds_on_one = 1;
        done.one = crowd.counts();
    } else {
        let conversations: Vec<u16> = (0..PROCESSES * WRITERS).collect();
        let expected = Mutex::new(Expected::new(seed, COUNTING, Faults::None, &conversations));
        let layout = Layout::Own { own: WRITERS, sharing: 0 };
        write(seed, &layout, &place, &mut rng, |record| lock(&expected).note(record))?;
        let observed = look(&server, &place, &conversations).await?;
        lock(&expected).resolve(&observed, Lost::Nothing)?;
        let contents = crate::chaos::content::Contents::new(seed, COUNTING);
        exact(&place, &contents, &conversations).await?;
        done.rounds_on_many = 1;
        done.many = lock(&expected).counts();
    }
    budget.spend(1);
    Ok(done)
}

/// Lets the processes write, and notes what they say as they say it.
fn write(
    seed: u64,
    layout: &Layout,
    place: &Server,
    rng: &mut Rng,
    note: impl Fn(Record) -> Outcome<()> + Sync,
) -> Outcome<()> {
    let operations = Some(rng.u64(20..120));
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        let sweeping =
            Sweeping { interval: rng.u64(5..50), lease: rng.u64(20..200), grace: rng.u64(..100) };
        let session = Session {
            layout: layout.clone(),
            first: number * WRITERS,
            sweeping: Some(sweeping),
            operations,
            ..Session::draw(seed, 1, COUNTING, rng)
        };
        let place = Place::Redis(place.clone());
        processes.push(Process::start(&Order { place, session })?);
    }
    let note = &note;
    thread::scope(|scope| {
        let listen = |mut process: Process| -> Outcome<()> {
            while let Some(record) = process.next()? {
                let is_last = matches!(record, Record::Ended);
                note(record)?;
                if is_last {
                    return Ok(());
                }
            }
            let status = process.end()?;
            Err(ChaosError::ChildEnded { status })
        };
        let listening: Vec<_> =
            processes.into_iter().map(|process| scope.spawn(move || listen(process))).collect();
        let heard: Vec<_> = listening.into_iter().map(thread::ScopedJoinHandle::join).collect();
        heard.into_iter().try_for_each(|heard| heard.unwrap_or(Err(ChaosError::Panicked)))
    })
}

async fn look(
    server: &RedisServer,
    place: &Server,
    conversations: &[u16],
) -> Outcome<Vec<Observed>> {
    emptied([server]).await?;
    let opened = place.open().await?;
    let observed = observe(&*opened.store, &COUNTING.tally_id(), conversations).await?;
    opened.close().await?;
    ensure!(observed.len() == conversations.len(), "a conversation was not looked at");
    Ok(observed)
}

async fn exact(
    place: &Server,
    contents: &crate::chaos::content::Contents,
    conversations: &[u16],
) -> Outcome<()> {
    let opened = place.open().await?;
    settle(&opened.store, COUNTING, contents, conversations).await?;
    opened.close().await
}
