//! The model's store answers as the model does, whatever happens to it.

use std::sync::Arc;

use async_trait::async_trait;
use memory_core::{ManualClock, Timestamp};
use memory_testkit::history::{self, Config, Reopen};
use memory_testkit::model::ModelStore;
use memory_testkit::store::Subject;

/// A model that is read back into another store at each crash.
struct Durable(Arc<ModelStore>, Arc<ManualClock>);

#[async_trait]
impl Reopen for Durable {
    fn subject(&self) -> Subject {
        Subject::new(self.0.clone()).clock(self.1.clone())
    }

    async fn reopen(&mut self) {
        self.0 = Arc::new(self.0.reopened());
    }
}

#[test]
fn random_histories_of_the_model_hold() {
    let config = Config::from_environment().unwrap();
    let report = history::run(&config, async || {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        Durable(Arc::new(ModelStore::new(clock.clone())), clock)
    })
    .unwrap();
    assert_eq!(report.histories, config.histories);
    assert!(report.steps > u64::from(config.histories), "{report:?}");
}

#[test]
fn histories_need_no_clock() {
    let config = Config { histories: 32, ..Config::default() };
    history::run(&config, async || Subject::new(Arc::new(ModelStore::default()))).unwrap();
}
