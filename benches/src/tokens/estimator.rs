//! How fast tokens are estimated.

use std::hint::black_box;

use tokens::Estimator;

use super::clock::processor_time;
use super::settings::{KINDS, Settings, messages};
use crate::ledger::{Goal, Outcome, Reference, Section, Series};

const MESSAGE: usize = 2000;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let estimator = Estimator::default();
    let mut reference = Reference::new();
    let (mut verdicts, mut series) = (Vec::new(), Vec::new());
    for kind in KINDS {
        let text = settings.text(kind)?;
        let messages = messages(&text, MESSAGE);
        let mut speed = Series::new(kind, "GB/s");
        for _ in 0..settings.common.rounds {
            settings.common.begin_round(&mut reference)?;
            let start = processor_time()?;
            for message in &messages {
                black_box(estimator.estimate(black_box(message)));
            }
            let seconds = processor_time()?.saturating_sub(start).as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
            speed.rounds.push(text.len() as f64 / seconds / 1e9);
        }
        let goal = (kind == "english_prose").then_some(Goal::AtLeast(1.0));
        verdicts.push(speed.verdict(kind, goal));
        series.push(speed);
    }
    series.push(reference.into_series());
    Ok(Section {
        name: String::new(),
        title: "Estimator".to_owned(),
        method: "Messages of 2,000 bytes, one thread; the time is that for which the thread had a \
                 processor. How exact the estimates are stands in the estimator's documentation."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}
