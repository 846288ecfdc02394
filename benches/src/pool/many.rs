//! Many commands in flight: what lanes cost and gain.

use tokio::runtime::Runtime;

use super::alternatives::Alternatives;
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings, ratios};

const IN_FLIGHT: [usize; 2] = [64, 512];

/// Turns that each alternative has in a round: the machine's speed drifts within less than the time
/// that one of all commands would take.
const SLICES: usize = 12;

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let alternatives = runtime.block_on(Alternatives::new())?;
    let count = settings.amount(60_000, 1000);
    let mut reference = Reference::new();
    let mut figures = IN_FLIGHT.map(|in_flight| {
        ["lanes", "a bare shared connection", "deadpool-redis with 100"]
            .map(|name| Series::new(&format!("{name}, {in_flight} in flight"), "/s"))
    });
    for _ in 0..settings.rounds {
        settings.begin_round(&mut reference)?;
        for (in_flight, series) in IN_FLIGHT.into_iter().zip(&mut figures) {
            let ways = [&alternatives.lane, &alternatives.bare, &alternatives.deadpool];
            let mut seconds = [0.0; 3];
            for _ in 0..SLICES {
                for (way, seconds) in ways.into_iter().zip(&mut seconds) {
                    let rate = runtime.block_on(way.throughput(in_flight, count / SLICES))?;
                    *seconds += 1.0 / rate;
                }
            }
            for (seconds, series) in seconds.into_iter().zip(series) {
                #[expect(clippy::cast_precision_loss, reason = "a small number")]
                series.rounds.push(SLICES as f64 / seconds);
            }
        }
    }
    let (mut verdicts, mut all) = (Vec::new(), Vec::new());
    for (in_flight, [lanes, bare, deadpool]) in IN_FLIGHT.into_iter().zip(figures) {
        let name = |other: &str| format!("lanes over {other}, {in_flight} in flight");
        let over_bare = ratios(&name("a bare connection"), &lanes, &bare);
        let over_deadpool = ratios(&name("deadpool-redis"), &lanes, &deadpool);
        for (ratio, goal) in [(&over_bare, 0.95), (&over_deadpool, 1.8)] {
            verdicts.push(ratio.verdict(&ratio.name, Some(Goal::AtLeast(goal))));
        }
        all.extend([lanes, bare, deadpool, over_bare, over_deadpool]);
    }
    all.push(reference.into_series());
    Ok(Section {
        name: String::new(),
        title: "Many commands in flight".to_owned(),
        method:
            "SET of 200 bytes to 1,000 keys, so many callers each with one command in flight, a \
                 server on this machine. Every key is a lane's key. In each round the alternatives take \
                 twelve turns, since the machine's speed drifts meanwhile."
                .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series: all,
    })
}
