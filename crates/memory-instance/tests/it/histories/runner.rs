//! Drawing histories and running them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use memory_testkit::history::Config;
use proptest::test_runner::{
    Config as ProptestConfig, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};
use proptest_state_machine::ReferenceStateMachine;

use super::strategy::Histories;
use super::world::World;

/// Attempts to make a failing history shorter.
const SHRINKS: u32 = 1024;

/// Runs histories; where one fails, panics with the seed and the shortest one found.
pub(super) fn run(config: &Config) {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&config.seed.to_le_bytes());
    let proptest = ProptestConfig {
        cases: config.histories,
        failure_persistence: None,
        max_shrink_iters: SHRINKS,
        ..ProptestConfig::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(proptest, rng);
    let histories = Histories::sequential_strategy(1..config.steps.max(1) + 1);
    let result = runner.run(&histories, |(_, steps, seen)| {
        let history = || {
            let mut clock = tokio::runtime::Builder::new_current_thread();
            let runtime = clock.enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let mut world = World::new().await;
                for step in &steps {
                    if let Some(seen) = &seen {
                        seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                    world.take(step).await;
                    world.compare_all().await;
                }
                world.settle_all(0).await;
                world.compare_all().await;
            });
        };
        // The panic itself is printed where it happens, with its place.
        catch_unwind(AssertUnwindSafe(history)).map_err(|_| TestCaseError::fail("see above"))
    });
    if let Err(TestError::Fail(_, (_, steps, _))) = &result {
        let Config { histories, steps: longest, seed } = config;
        let lines: Vec<_> = steps.iter().map(|step| format!("\n  {step:?}")).collect();
        panic!(
            "again with TURNLEDGER_HISTORY_SEED={seed} TURNLEDGER_HISTORIES={histories} \
             TURNLEDGER_HISTORY_STEPS={longest}; the shortest history that fails:{}",
            lines.concat()
        );
    }
    result.map_err(|error| error.to_string()).unwrap();
}
