//! What it costs to hand a text over while the workers are busy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokens::{AsyncTokenCounter, BpeCounter, Job};
use tokio::runtime::Runtime;

use super::settings::{Settings, messages};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Times};

const TEXT: usize = 2000;
/// Jobs of a burst: fewer than the queue has places.
const BURST: usize = 500;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let text = settings.text("english_prose")?;
    let texts: Vec<Arc<str>> = messages(&text, TEXT).into_iter().map(Arc::from).collect();
    let pool = AsyncTokenCounter::builder(Arc::new(BpeCounter::o200k_base())).workers(1).build()?;
    if !runtime.block_on(pool.warmed()) {
        return Err("the counting pool did not warm up".into());
    }
    let mut reference = Reference::new();
    let mut p50 = Series::new("submit p50", "ns");
    let mut p99 = Series::new("submit p99", "ns");
    let mut clock = Series::new("reading the clock, p50", "ns");
    let mut with_clock = Series::new("submit p50, with reading the clock", "ns");
    let mut turns = texts.iter().cycle();
    for _ in 0..settings.common.rounds {
        settings.common.begin_round(&mut reference)?;
        let (mut submits, mut reads) = (Times::default(), Times::default());
        for _ in 0..settings.common.amount(40, 1) {
            burst(&pool, &mut turns, &mut submits, &mut reads)?;
            runtime.block_on(pool.wait_idle());
        }
        let (median, reading) = (submits.percentile(50) * 1e3, reads.percentile(50) * 1e3);
        with_clock.rounds.push(median);
        clock.rounds.push(reading);
        p50.rounds.push(median - reading);
        p99.rounds.push(submits.percentile(99) * 1e3);
    }
    runtime.block_on(pool.shutdown(Duration::from_secs(10)));
    Ok(Section {
        name: String::new(),
        title: "Submit".to_owned(),
        method: "Texts of 2,000 bytes that are shared and not copied, in bursts of 500 that the \
                 queue has places for, while the one worker counts; with a callback that does \
                 nothing. Right after each, the clock is read once more: what the bench's own \
                 reading takes is not in the median, but in the 99th percentile."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: vec![
            p50.verdict("submit p50", Some(Goal::AtMost(300.0))),
            p99.verdict("submit p99", Some(Goal::AtMost(2000.0))),
        ],
        series: vec![p50, p99, with_clock, clock, reference.into_series()],
    })
}

fn burst<'a>(
    pool: &AsyncTokenCounter,
    texts: &mut impl Iterator<Item = &'a Arc<str>>,
    submits: &mut Times,
    reads: &mut Times,
) -> Outcome<()> {
    for text in texts.take(BURST) {
        let text = Arc::clone(text);
        let start = Instant::now();
        pool.submit(Job::text(text, |_| ())).map_err(|refused| refused.reason)?;
        let end = Instant::now();
        reads.push(end.elapsed());
        submits.push(end - start);
    }
    Ok(())
}
