//! Settling: what replacing estimates by counts takes in the server.

use memory_core::{MemoryStore, NewMessage, Settle, Settlement, Tally};
use memory_testkit::sample;
use tokio::runtime::Runtime;

use super::counts::Counts;
use super::load::SIZES;
use super::store::{Served, TOKENS, key, messages};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings};

/// Messages that are settled at a time.
const BATCH: usize = 20;
/// Conversations that take turns.
const CONVERSATIONS: usize = 100;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let mut reference = Reference::new();
    let mut found = SIZES.map(|(size, _)| {
        Series::new(&format!("settling a message of {size}, in the server"), "µs")
    });
    let batches = settings.amount(500, 10);
    for ((_, bytes), series) in SIZES.into_iter().zip(&mut found) {
        let served = runtime.block_on(Served::new())?;
        let messages = messages(9, 100 * BATCH, bytes, Tally::estimated(TOKENS));
        let mut place = 0;
        for round in 0..=settings.rounds {
            settings.begin_round(&mut reference)?;
            let mut time = 0.0;
            for _ in 0..batches {
                let start = place * BATCH % messages.len();
                let batch = &messages[start..start + BATCH];
                let name = format!("conversation-{}", place % CONVERSATIONS);
                time += runtime.block_on(settle(&served, &name, batch))?;
                place += 1;
            }
            // The first round makes the conversations, and the script known.
            if round > 0 {
                #[expect(clippy::cast_precision_loss, reason = "a small number")]
                series.rounds.push(time / (batches * BATCH) as f64);
            }
        }
    }
    let verdicts = SIZES.iter().zip(&found).map(|((size, _), series)| {
        series.verdict(&format!("a message of {size}, in batches of 20"), Some(Goal::AtMost(8.0)))
    });
    Ok(Section {
        name: String::new(),
        title: "Settling".to_owned(),
        method:
            "20 estimates at the end of one of 100 conversations are replaced by exact counts, \
                 in one call. The time is the server's own count of the script, which contains \
                 all that the script runs."
                .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: verdicts.collect(),
        series: found.into_iter().chain([reference.into_series()]).collect(),
    })
}

/// Appends a batch and settles it; the microseconds that the server took for the latter.
async fn settle(served: &Served, name: &str, batch: &[NewMessage]) -> Outcome<f64> {
    let Served { server, store, counter } = served;
    let key = key(name)?;
    let appended = store.append(&key, sample::batch(counter, batch.iter().cloned())).await?;
    let settlements = appended.messages.iter().zip(batch).map(|(appended, message)| Settlement {
        seq: appended.seq,
        fingerprint: message.fingerprint,
        expected: Some(message.tally),
        tally: Tally::exact(message.tally.tokens + 3),
    });
    let settle = Settle {
        counter: counter.clone(),
        epoch: appended.epoch,
        settlements: settlements.collect(),
    };
    let before = Counts::now(server).await?;
    let settled = store.settle(&key, settle).await?;
    let after = Counts::now(server).await?;
    if settled.applied != BATCH as u64 {
        return Err(format!("{} of {BATCH} settlements applied", settled.applied).into());
    }
    Ok(after.microseconds_since(&before, &["evalsha", "eval"]))
}
