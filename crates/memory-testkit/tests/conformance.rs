//! The model keeps the contract that it is the model of.

use std::sync::Arc;

use memory_core::{ManualClock, Timestamp};
use memory_testkit::model::ModelStore;
use memory_testkit::store::{self, Subject};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_is_a_store() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
    let shared = Arc::new(ModelStore::new(clock.clone()));
    store::all(async || Subject::new(shared.clone()).clock(clock.clone())).await.unwrap();
    store::all(async || Arc::new(ModelStore::default())).await.unwrap();
}
