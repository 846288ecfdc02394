//! One command after the other: what taking and giving back costs.

use std::time::Instant;

use tokio::runtime::Runtime;

use super::alternatives::{Alternatives, Way, get};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings, Times, ratios};

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let alternatives = runtime.block_on(Alternatives::new())?;
    let mut reference = Reference::new();
    let mut ours = Series::new("exclusive get, GET, return, p50", "µs");
    let mut bare = Series::new("GET over a bare connection, p50", "µs");
    let mut deadpool = Series::new("the same over deadpool-redis, p50", "µs");
    let count = settings.amount(10_000, 100);
    for _ in 0..settings.rounds {
        settings.begin_round(&mut reference)?;
        for (way, series) in [
            (&alternatives.exclusive, &mut ours),
            (&alternatives.bare, &mut bare),
            (&alternatives.deadpool, &mut deadpool),
        ] {
            series.rounds.push(runtime.block_on(median(way, count))?);
        }
    }
    let over_deadpool = ratios("speed of ours over deadpool-redis", &deadpool, &ours);
    let over_bare = ratios("speed of ours over a bare connection", &bare, &ours);
    Ok(Section {
        name: String::new(),
        title: "One command after the other".to_owned(),
        method: "GET of 200 bytes, one caller, a server on this machine. deadpool-redis sends \
                 UNWATCH and PING each time that a connection is taken."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: vec![
            over_deadpool.verdict("exclusive over deadpool-redis", Some(Goal::AtLeast(1.8))),
            over_bare.verdict("exclusive over a bare connection", Some(Goal::AtLeast(0.9))),
        ],
        series: vec![ours, bare, deadpool, over_deadpool, over_bare, reference.into_series()],
    })
}

async fn median(way: &Way, count: usize) -> Outcome<f64> {
    let mut times = Times::default();
    for number in 0..count {
        let command = get(number);
        let begun = Instant::now();
        way.send(&command, number).await?;
        times.push(begun.elapsed());
    }
    Ok(times.percentile(50))
}
