//! Processes that outlive all data of their servers, as servers without persistence lose it.

use memory_core::{ConversationKey, CounterId, MemoryStore, NewMessage, Tally, WindowQuery};
use memory_testkit::sample;
use store_redis::RedisStore;

use crate::load::{key, within};
use crate::servers::{self, Servers, open};

/// Appends as soon as the servers are there again.
async fn append(
    store: &RedisStore,
    key: &ConversationKey,
    counter: &CounterId,
    message: impl Fn() -> NewMessage,
) -> bool {
    within(async {
        loop {
            if let Ok(appended) = store.append(key, sample::batch(counter, [message()])).await {
                return appended.messages[0].new;
            }
        }
    })
    .await
}

/// Checks that a process that goes on and those that come anew understand each other.
pub(crate) async fn check(servers: &impl Servers, lose_all: impl AsyncFn()) {
    let (counter, survivor) = (sample::counter("words"), open(servers).await);
    let plain = || sample::user("hello", Tally::exact(5));
    let named = || sample::with_id(plain(), "id");
    for key in [key(0), key(1)] {
        append(&survivor, &key, &counter, plain).await;
    }
    lose_all().await;
    append(&survivor, &key(0), &counter, plain).await;
    assert!(append(&survivor, &key(1), &counter, named).await);
    let newcomer = open(servers).await;
    let totals = newcomer.totals(&key(0)).await.unwrap();
    assert_eq!(totals.counters[0].counter, counter);
    let query = WindowQuery { counter: counter.clone(), budget: 100 };
    let window = newcomer.read_window(&key(0), query).await.unwrap();
    assert_eq!(window.tail.len() as u64, totals.messages);
    assert!(!append(&newcomer, &key(1), &counter, named).await, "an id of the survivor's");
    lose_all().await;
    let newcomer = open(servers).await;
    assert!(append(&newcomer, &key(1), &counter, named).await);
    assert!(!append(&survivor, &key(1), &counter, named).await, "an id of the newcomer's");
}

#[tokio::test]
async fn a_process_that_outlives_its_servers_data_tells_others_what_it_goes_on_with() {
    let server = servers::one().await;
    let lose_all = async || {
        server.kill().unwrap();
        server.restart().await.unwrap();
    };
    check(&server, lose_all).await;
}
