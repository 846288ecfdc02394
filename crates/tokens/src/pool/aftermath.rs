//! What is done once the queue's lock has been let go.

use std::time::Duration;

use memory_core::{CountError, Tally, TextCount};

use super::deliver::Owed;
use super::guard::guarded;
use super::job::Work;
use super::shared::Shared;
use crate::error::HungCount;

/// What is left to do after a look at the queue.
///
/// Code that is not ours (callbacks, recorders, subscribers) runs from here, and never under the
/// queue's lock.
#[derive(Default)]
pub(super) struct Aftermath {
    pub(super) settled: Vec<Settlement>,
    /// Nobody waits for them any more.
    pub(super) abandoned: Vec<Owed>,
    pub(super) given_up: Vec<Owed>,
    pub(super) moves: Moves,
}

/// How many jobs went from where to where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) left_queue: u64,
    pub(super) begun: u64,
    pub(super) ended: u64,
    /// Those that shared a count which failed.
    pub(super) waiting_again: u64,
}

impl Moves {
    /// How many fewer jobs are in the queue.
    fn left_queue(&self) -> i64 {
        self.left_queue.cast_signed() - self.waiting_again.cast_signed()
    }

    /// How many more jobs are in hand.
    fn in_hand(&self) -> i64 {
        self.begun.cast_signed() - self.ended.cast_signed()
    }
}

/// A count with everyone who gets its result.
pub(super) struct Settlement {
    pub(super) work: Work,
    pub(super) jobs: Vec<Owed>,
    pub(super) result: Result<TextCount, Failure>,
    /// The time it took, the parts of a long one added up.
    pub(super) elapsed: Duration,
    /// Who counted, or the last part.
    pub(super) worker: Option<usize>,
}

/// Why there is no count.
pub(super) enum Failure {
    /// For one job.
    Counter(CountError),
    Hung {
        after: Duration,
    },
}

impl Aftermath {
    pub(super) fn is_empty(&self) -> bool {
        self.settled.is_empty() && self.abandoned.is_empty() && self.given_up.is_empty()
    }
}

impl Shared {
    /// Publishes and delivers. Whatever goes wrong in code that is not ours costs one job.
    pub(super) fn see_to(&self, aftermath: Aftermath) {
        let Aftermath { settled, abandoned, given_up, moves } = aftermath;
        let _ = guarded(|| self.metrics.moved(moves.left_queue(), moves.in_hand()));
        for owed in abandoned {
            let _ = guarded(|| {
                self.metrics.abandoned();
                owed.abandon();
            });
        }
        for settlement in settled {
            self.deliver(settlement);
        }
        for owed in given_up {
            // Dropping a result that is owed gives it up.
            let _ = guarded(|| drop(owed));
        }
    }

    fn deliver(&self, settlement: Settlement) {
        let Settlement { work, jobs, result, elapsed, worker } = settlement;
        let bytes = work.bytes();
        match result {
            Ok(sum) => {
                let tally = self.tally(&work, sum);
                for (place, owed) in jobs.into_iter().enumerate() {
                    let _ = guarded(|| {
                        if place == 0 {
                            self.metrics.counted(bytes, tally.tokens, elapsed);
                            self.compare(&work, tally);
                        } else {
                            self.metrics.shared();
                        }
                        self.metrics.succeeded(owed.waited());
                        owed.settle(Ok(tally));
                    });
                }
            }
            Err(Failure::Counter(error)) => {
                // A failure is one job's; the others are counted anew.
                let mut jobs = jobs;
                let Some(owed) = jobs.pop() else { return };
                let _ = guarded(|| {
                    let panicked = matches!(error, CountError::Panicked { .. });
                    self.metrics.failed(panicked, elapsed, owed.waited());
                    self.log_failure(worker, owed.conversation(), &error);
                    owed.settle(Err(error));
                });
            }
            Err(Failure::Hung { after }) => {
                for owed in jobs {
                    let _ = guarded(|| {
                        self.metrics.failed_hung(owed.waited());
                        owed.settle(Err(self.hung_error(after)));
                    });
                }
            }
        }
    }

    /// The tally of a job whose texts have so many tokens together.
    pub(super) fn tally(&self, work: &Work, sum: TextCount) -> Tally {
        match work {
            Work::Message(message) => {
                // Every message has a text, its role; all are charged with the first.
                let mut sum = Some(sum);
                let first = |_: &str| Ok(sum.take().unwrap_or(TextCount::from(0_u64)));
                let tally: Result<_, std::convert::Infallible> = self.framing.tally(message, first);
                match tally {
                    Ok(tally) => tally,
                    Err(never) => match never {},
                }
            }
            Work::Text(_) => sum.tally(),
        }
    }

    /// Compares the estimate with what was counted.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 52 bits")]
    fn compare(&self, work: &Work, counted: Tally) {
        let estimate = match work {
            Work::Message(message) => {
                self.framing.estimate(message, |text| self.estimator.estimate(text)).tokens
            }
            Work::Text(text) => self.estimator.estimate(text),
        };
        if counted.tokens > 0 {
            let (estimate, tokens) = (estimate as f64, counted.tokens as f64);
            self.metrics.estimate_error((estimate - tokens) / tokens);
        }
    }

    fn hung_error(&self, after: Duration) -> CountError {
        let counter = self.counter_id.clone();
        CountError::Failed { counter, source: Box::new(HungCount { after }) }
    }
}
