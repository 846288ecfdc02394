//! The suites and the histories reject stores and counters that break one promise each.
//!
//! A check that a broken store passes is worth nothing; these tests fail where there is one.

#![expect(clippy::unwrap_used, reason = "a test may end where its own set-up fails")]

mod broken;
mod claims;
mod counters;
mod fault;
mod wrapper;
mod writes;

use std::collections::BTreeSet;
use std::sync::Arc;

use memory_core::{ManualClock, Timestamp};
use memory_testkit::history::{self, Config};
use memory_testkit::store::{self, BEHAVIOURS, Subject};

use broken::{Broken, Crashing};
use fault::{FAULTS, Fault};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)))
}

async fn passes(fault: Fault, behaviour: &str) -> bool {
    let named = BEHAVIOURS.iter().find(|one| one.name == behaviour);
    let named = named.unwrap_or_else(|| panic!("no behaviour is named {behaviour}"));
    let clock = clock();
    let broken = Arc::new(Broken::new(fault, clock.clone()));
    named.check(&Subject::new(broken).clock(clock)).await.is_ok()
}

#[tokio::test]
async fn each_broken_store_is_rejected_by_the_behaviours_that_it_breaks() {
    for (promise, fault, behaviours, _) in FAULTS {
        for behaviour in *behaviours {
            assert!(
                !passes(*fault, behaviour).await,
                "{fault:?} breaks promise {promise} and passes {behaviour}"
            );
        }
    }
}

#[test]
fn each_broken_store_is_rejected_by_random_histories() {
    for (promise, fault, behaviours, by_histories) in FAULTS {
        assert!(*by_histories || !behaviours.is_empty(), "nothing rejects {fault:?}");
        if !by_histories {
            continue;
        }
        let config = Config { histories: 1000, steps: 40, seed: 7 };
        let result = history::run(&config, async || {
            let clock = clock();
            Crashing(Arc::new(Broken::new(*fault, clock.clone())), clock)
        });
        let failure = result.err();
        let steps = failure.as_ref().map(|failure| failure.steps().len());
        assert!(
            steps.is_some_and(|steps| steps > 0 && steps <= 12),
            "{fault:?} breaks promise {promise}, histories: {failure:?}"
        );
    }
}

#[tokio::test]
async fn every_behaviour_rejects_some_store() {
    let mut useless = Vec::new();
    'behaviours: for behaviour in BEHAVIOURS {
        // Those that name it come first, so that few others need to be tried.
        let mut faults: Vec<_> = FAULTS.iter().collect();
        faults.sort_by_key(|(_, _, named, _)| !named.contains(&behaviour.name));
        for (_, fault, ..) in faults {
            if !passes(*fault, behaviour.name).await {
                continue 'behaviours;
            }
        }
        useless.push(behaviour.name);
    }
    assert!(useless.is_empty(), "no broken store is rejected by {useless:#?}");
}

#[tokio::test]
async fn without_a_fault_nothing_is_rejected() {
    store::all(async || {
        let clock = clock();
        Subject::new(Arc::new(Broken::new(Fault::Nothing, clock.clone()))).clock(clock)
    })
    .await
    .unwrap();
}

#[test]
fn without_a_fault_histories_hold() {
    let config = Config { histories: 200, ..Config::default() };
    history::run(&config, async || {
        let clock = clock();
        Crashing(Arc::new(Broken::new(Fault::Nothing, clock.clone())), clock)
    })
    .unwrap();
}

#[test]
fn a_seed_fails_in_the_same_history_again() {
    let failed = |seed| {
        let config = Config { histories: 200, steps: 40, seed };
        let make = async || {
            let clock = clock();
            Crashing(Arc::new(Broken::new(Fault::IgnoresEpochs, clock.clone())), clock)
        };
        history::run(&config, make).unwrap_err()
    };
    let (first, again) = (failed(11), failed(11));
    assert_eq!((first.seed(), first.steps()), (11, again.steps()));
    assert!(first.to_string().contains("TURNLEDGER_HISTORY_SEED=11 "), "{first}");
    assert_ne!(failed(12).to_string(), first.to_string());
}

#[test]
fn every_promise_has_a_broken_store() {
    let broken: BTreeSet<_> = FAULTS.iter().map(|(promise, ..)| *promise).collect();
    assert_eq!(broken, (0..=10).collect());
}
