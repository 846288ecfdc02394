//! What a second thread brings.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::TokenCounter;
use tokens::BpeCounter;

use super::settings::{KINDS, Settings, messages};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, ratios};

const MESSAGE: usize = 2000;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let counter = BpeCounter::o200k_base();
    let texts: Outcome<Vec<String>> = KINDS.iter().map(|kind| settings.text(kind)).collect();
    // A little of each kind in turn, so that both threads have the same work.
    let texts = texts?;
    let mut cut: Vec<_> = texts.iter().map(|text| messages(text, MESSAGE).into_iter()).collect();
    let mut mixed: Vec<Arc<str>> = Vec::new();
    for _ in 0..settings.common.amount(400, 4) {
        mixed.extend(cut.iter_mut().filter_map(Iterator::next).map(Arc::from));
    }
    let mut reference = Reference::new();
    let mut one = Series::new("one thread", "MB/s");
    let mut two = Series::new("two threads", "MB/s");
    // The first round fills the caches of both threads.
    for round in 0..=settings.common.rounds {
        settings.common.begin_round(&mut reference)?;
        let (alone, both) = (time(&counter, &mixed, 1)?, time(&counter, &mixed, 2)?);
        if round > 0 {
            one.rounds.push(alone);
            two.rounds.push(both);
        }
    }
    let ratio = ratios("two threads over one", &two, &one);
    Ok(Section {
        name: String::new(),
        title: "Two threads".to_owned(),
        method: "Messages of 2,000 bytes of all kinds in turn, o200k_base. Each of two threads \
                 counts as many messages as the one does alone; the time ends with the slower."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: vec![ratio.verdict("two threads over one", Some(Goal::AtLeast(1.7)))],
        series: vec![one, two, ratio, reference.into_series()],
    })
}

/// Counts all messages on each of so many threads; all threads' megabytes for each second.
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn time(counter: &BpeCounter, messages: &[Arc<str>], threads: usize) -> Outcome<f64> {
    let start = Instant::now();
    let bytes: Vec<Outcome<usize>> = std::thread::scope(|scope| {
        let count = || {
            let mut bytes = 0;
            for message in messages {
                counter.count(message)?;
                bytes += message.len();
            }
            Ok(bytes)
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(count)).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("a counting thread panicked".into()))
        };
        threads.into_iter().map(join).collect()
    });
    let took: Duration = start.elapsed();
    let bytes: usize = bytes.into_iter().sum::<Outcome<usize>>()?;
    Ok(bytes as f64 / took.as_secs_f64() / 1e6)
}
