//! Drawing histories and running them.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use proptest::test_runner::{
    Config as ProptestConfig, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};
use proptest_state_machine::ReferenceStateMachine;

use super::config::Config;
use super::drive::drive;
use super::step::Step;
use super::strategy::Histories;
use crate::store::Subject;

/// Attempts to make a failing history shorter.
const SHRINKS: u32 = 4096;

/// A store that can be ended as by a crash, and opened again.
#[async_trait]
pub trait Reopen: Send {
    /// The store as it is open now.
    fn subject(&self) -> Subject;

    /// Ends the store as a crash of its process would, and opens it again. Whoever calls this has
    /// dropped every subject.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the store may be left closed. Nothing here gives it up.
    async fn reopen(&mut self);
}

/// A store that never crashes: opening it again does nothing.
#[async_trait]
impl Reopen for Subject {
    fn subject(&self) -> Subject {
        self.clone()
    }

    async fn reopen(&mut self) {}
}

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Histories without a difference.
    pub histories: u32,
    /// Steps taken in them.
    pub steps: u64,
    /// The seed that they were drawn from.
    pub seed: u64,
}

/// A history in which the store answered otherwise than the model.
///
/// Its `Debug` is its `Display`, so that `unwrap` in a test prints seed and steps.
#[derive(thiserror::Error)]
pub struct Failure {
    seed: u64,
    config: Config,
    steps: Vec<Step>,
    reason: String,
}

impl Failure {
    /// The shortest history that was found to fail.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The seed that it was drawn from.
    pub const fn seed(&self) -> u64 {
        self.seed
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { histories, steps, seed } = self.config;
        writeln!(f, "{}", self.reason)?;
        writeln!(
            f,
            "again with TURNLEDGER_HISTORY_SEED={seed} TURNLEDGER_HISTORIES={histories} \
             TURNLEDGER_HISTORY_STEPS={steps}; the shortest history that fails so:"
        )?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step:?}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs random histories, each on a store that `make` opens for it, on a runtime of its own.
///
/// # Errors
///
/// [`Failure`] with the seed and the shortest history found, where an answer differs from the
/// model's or the store panics.
///
/// # Panics
///
/// Where the system cannot start a runtime, or when called from within one.
pub fn run<R: Reopen>(config: &Config, make: impl AsyncFn() -> R) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime on one thread asks nothing of the system");
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&config.seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let proptest = ProptestConfig {
        cases: config.histories,
        failure_persistence: None,
        max_shrink_iters: SHRINKS,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new_with_rng(proptest, rng);
    let histories = Histories::sequential_strategy(1..config.steps.max(1) + 1);
    let taken = Cell::new(0);
    let result = runner.run(&histories, |(_, steps, seen)| {
        let count = || {
            taken.set(taken.get() + 1);
            if let Some(seen) = &seen {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        };
        let verdict = runtime.block_on(async { drive(make().await, &steps, count).await });
        verdict.map_err(|violation| {
            let cause = violation.source().map_or_else(String::new, |cause| format!(": {cause}"));
            TestCaseError::fail(format!("{violation}{cause}"))
        })
    });
    let failure =
        |reason: String, steps| Failure { seed: config.seed, config: *config, steps, reason };
    match result {
        Ok(()) => {
            let (histories, seed) = (config.histories, config.seed);
            Ok(Report { histories, steps: taken.get(), seed })
        }
        Err(TestError::Fail(reason, (_, steps, _))) => Err(failure(reason.to_string(), steps)),
        Err(TestError::Abort(reason)) => Err(failure(reason.to_string(), Vec::new())),
    }
}
