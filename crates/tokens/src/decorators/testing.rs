//! Counters with faults, for the tests of decorators.

use memory_core::{CountError, CounterId, TextCount, TokenCounter};

mockall::mock! {
    #[derive(Debug)]
    pub(crate) Counter {}

    impl TokenCounter for Counter {
        fn id(&self) -> &CounterId;
        fn count(&self, text: &str) -> Result<usize, CountError>;
        fn count_text(&self, text: &str) -> Result<TextCount, CountError>;
        fn is_answering(&self) -> bool;
        fn upper_bound(&self, text: &str) -> Option<usize>;
        fn inline_safe(&self) -> bool;
        fn safe_cut(&self, text: &str, near: usize) -> Option<usize>;
        fn is_cpu_bound(&self) -> bool;
    }
}

/// A counter that answers, without expectations for counts.
pub(crate) fn named(id: &str) -> MockCounter {
    let mut counter = MockCounter::new();
    counter.expect_id().return_const(CounterId::new(id).unwrap());
    counter.expect_is_answering().return_const(true);
    counter
}

/// A counter that counts bytes.
pub(crate) fn bytes(id: &str) -> MockCounter {
    let mut counter = named(id);
    counter.expect_count().returning(|text| Ok(text.len()));
    counter.expect_count_text().returning(|text| Ok(text.len().into()));
    counter
}

pub(crate) fn failure(id: &str) -> CountError {
    CountError::Failed { counter: CounterId::new(id).unwrap(), source: "on purpose".into() }
}
