//! Against the original design.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::Message;
use memory_instance::Memory;
use tokens::BpeCounter;
use tokio::runtime::Runtime;

use super::conversations::{Conversations, memory};
use super::load::{CONVERSATIONS, SIZES, rate};
use super::locked::Locked;
use super::store::Served;
use crate::ledger::{
    Goal, Outcome, Reference, Section, Series, Settings, Texts, Verdict, per_second, ratios,
};

/// One measurement: how many in flight, on how many conversations, how many appends of ours and of
/// the original in a round, and how often as many ours shall be, and should be.
struct Case {
    what: &'static str,
    in_flight: usize,
    conversations: usize,
    ours: usize,
    original: usize,
    gate: f64,
    goal: Option<Goal>,
}

const CASES: [Case; 3] = [
    Case {
        what: "1 in flight",
        in_flight: 1,
        conversations: CONVERSATIONS,
        ours: 1500,
        original: 750,
        gate: 3.5,
        goal: Some(Goal::AtLeast(5.0)),
    },
    Case {
        what: "64 in flight",
        in_flight: 64,
        conversations: CONVERSATIONS,
        ours: 6000,
        original: 2500,
        gate: 4.0,
        goal: Some(Goal::AtLeast(6.0)),
    },
    Case {
        what: "512 in flight",
        in_flight: 512,
        conversations: CONVERSATIONS,
        ours: 6000,
        original: 2500,
        gate: 8.0,
        goal: Some(Goal::AtLeast(10.0)),
    },
];

const HOT: Case = Case {
    what: "64 writers on one conversation",
    in_flight: 64,
    conversations: 1,
    ours: 6000,
    original: 300,
    gate: 50.0,
    goal: None,
};

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let mut reference = Reference::new();
    let (mut verdicts, mut series) = (Vec::new(), Vec::new());
    for (size, bytes) in SIZES {
        let hot = (bytes < 1000).then_some(&HOT);
        for case in CASES.iter().chain(hot) {
            let (found, figures) =
                runtime.block_on(case.measure(size, bytes, settings, &mut reference))?;
            verdicts.extend(found);
            series.extend(figures);
        }
    }
    series.push(reference.into_series());
    Ok(Section {
        name: String::new(),
        title: "Appends, over the original design".to_owned(),
        method: "Ours is the append of a memory with its defaults and o200k_base: short messages \
                 are counted at once, others in the background. The original takes a lock (SET NX \
                 PX), counts with the same counter on the caller's thread, appends (RPUSH), looks \
                 at the time to live, and unlocks by a script, on one of 100 connections of \
                 deadpool-redis that it keeps for the whole append. It waits 1 ms for a lock that \
                 another one has, then longer each time up to 50 ms. 1,000 conversations but where \
                 one is named. With caller's ids, of 16 bytes, an append can be repeated safely, \
                 which the original's cannot."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}

impl Case {
    async fn measure(
        &self,
        size: &str,
        bytes: usize,
        settings: &Settings,
        reference: &mut Reference,
    ) -> Outcome<(Vec<Verdict>, Vec<Series>)> {
        let served = Served::new().await?;
        let texts: Arc<[Message]> = Texts::new(5).messages(2048, bytes).into();
        let memory = memory(&served, BpeCounter::o200k_base()).await?;
        let open =
            |name: &str| Conversations::new(&memory, name, self.conversations, Arc::clone(&texts));
        let (ours, with_ids) = (open("ours")?, open("ids")?.with_ids());
        let original = Locked::new(&served.server, "original", self.conversations, texts).await?;

        let rates = |way: &str| Series::new(&format!("{size}, {}, {way}", self.what), "appends/s");
        let (mut of_ours, mut of_original) = (rates("ours"), rates("original"));
        let mut until_exact = rates("ours until all is counted");
        let mut of_ids = rates("ours with caller's ids");
        for round in 0..=settings.rounds {
            settings.begin_round(reference)?;
            let (count, begun) = (settings.amount(self.ours, 200), Instant::now());
            let ours = rate(&ours, self.in_flight, count).await?;
            // What is left to count must not slow the next.
            settled(&memory).await?;
            let exact = per_second(count, begun.elapsed());
            let with_ids = rate(&with_ids, self.in_flight, count / 2).await?;
            settled(&memory).await?;
            let count = settings.amount(self.original, 100);
            let original = rate(&original, self.in_flight, count).await?;
            // The first round makes conversations and connections.
            if round > 0 {
                of_ours.rounds.push(ours);
                until_exact.rounds.push(exact);
                of_ids.rounds.push(with_ids);
                of_original.rounds.push(original);
            }
        }
        memory.shutdown(Duration::from_secs(30)).await;
        let over = |what: &str, above, below| {
            ratios(&format!("{size}, {}, {what}", self.what), above, below)
        };
        let ratio = over("ours over the original", &of_ours, &of_original);
        let ids = over("ours with caller's ids over the original", &of_ids, &of_original);
        let mut verdicts = vec![ratio.to_verdict(Some(Goal::AtLeast(self.gate)))];
        if let Some(goal) = self.goal {
            let goal = ratio.verdict(&format!("{}, wished for", ratio.name), Some(goal));
            verdicts.push(goal.only_wished());
        }
        verdicts.push(ids.to_verdict(None));
        Ok((verdicts, vec![of_ours, until_exact, of_ids, of_original, ratio, ids]))
    }
}

/// Waits until a memory has counted everything.
async fn settled(memory: &Memory) -> Outcome<()> {
    if memory.settled(Duration::from_mins(1)).await {
        Ok(())
    } else {
        Err("not all messages were counted in time".into())
    }
}
