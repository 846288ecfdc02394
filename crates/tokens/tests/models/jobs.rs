//! Jobs whose answers are kept, and a counter that can be held up.

use std::sync::{Arc, Mutex as Kept};

use memory_core::{CountError, CounterId, Tally, TokenCounter};

use crate::pool::{AsyncTokenCounter, Job};
use crate::sync::{Condvar, Mutex};

/// The answers that each job of a model was given.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Kept<Vec<Owing>>>);

/// The answers to one job; none is owed to one that was refused.
#[derive(Debug, Default)]
struct Owing {
    answers: Vec<Answer>,
    refused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Counted,
    Left,
}

/// What has been answered by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) jobs: u64,
    pub(crate) counted: u64,
    pub(crate) left: u64,
}

impl Answers {
    /// A job that keeps its answer here. No other has its text.
    pub(crate) fn job(&self) -> Job {
        self.add(None).0
    }

    /// Submits a job with a text of its own; says whether it was taken.
    pub(crate) fn submit(&self, pool: &AsyncTokenCounter) -> bool {
        self.submit_text(pool, None)
    }

    /// Submits a job; says whether it was taken.
    pub(crate) fn submit_text(&self, pool: &AsyncTokenCounter, text: Option<&str>) -> bool {
        let (job, place) = self.add(text);
        let taken = pool.submit(job).is_ok();
        self.0.lock().unwrap()[place].refused = !taken;
        taken
    }

    /// What has been answered; fails where a job was answered twice.
    pub(crate) fn sums(&self) -> Sums {
        let jobs = self.0.lock().unwrap();
        let sound = |job: &Owing| job.answers.len() <= usize::from(!job.refused);
        assert!(jobs.iter().all(sound), "one answer each: {jobs:?}");
        let of = |answer| jobs.iter().filter(|job| job.answers == [answer]).count() as u64;
        let (counted, left) = (of(Answer::Counted), of(Answer::Left));
        Sums { jobs: jobs.iter().filter(|job| !job.refused).count() as u64, counted, left }
    }

    fn add(&self, text: Option<&str>) -> (Job, usize) {
        let mut jobs = self.0.lock().unwrap();
        jobs.push(Owing::default());
        let (answers, place) = (self.clone(), jobs.len() - 1);
        let text = text.map_or_else(|| format!("text {place}"), str::to_owned);
        let tokens = text.len() as u64;
        let job = Job::text(text, move |counted| {
            if let Ok(tally) = counted.result {
                assert_eq!(tally.tokens, tokens);
            }
            answers.keep(place, &counted.result);
        });
        // Some take turns with others.
        (job.conversation(place as u64 / 2), place)
    }

    fn keep(&self, place: usize, result: &Result<Tally, CountError>) {
        let answer = match result {
            Ok(_) => Answer::Counted,
            Err(_) => Answer::Left,
        };
        self.0.lock().unwrap()[place].answers.push(answer);
    }
}

impl Sums {
    /// Whether every job has its answer.
    pub(crate) fn is_whole(self) -> bool {
        self.jobs == self.counted + self.left
    }
}

/// Counts bytes once it is open.
#[derive(Debug)]
pub(crate) struct Bytes {
    id: CounterId,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Bytes {
    pub(crate) fn new(open: bool) -> Arc<Self> {
        let id = CounterId::new("bytes").unwrap();
        Arc::new(Self { id, open: Mutex::new(open), opened: Condvar::new() })
    }

    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl TokenCounter for Bytes {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        Ok(text.len())
    }

    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        (near < text.len()).then_some(near)
    }
}

/// A pool that is not warmed up.
pub(crate) fn pool(counter: &Arc<Bytes>, workers: usize, capacity: usize) -> AsyncTokenCounter {
    let builder = AsyncTokenCounter::builder(Arc::clone(counter) as Arc<dyn TokenCounter>);
    let builder = builder.workers(workers).capacity(capacity).warm_up(false);
    // All threads of a model are one of the system's.
    builder.low_priority(false).build().unwrap()
}
