//! Two processes, each with many writers.

use std::env;
use std::process::{Child, Command};

use memory_core::{
    Backlog, CounterId, MemoryStore, Namespace, Seq, Settle, Settlement, Tally, Trim,
};
use memory_testkit::sample;
use store_redis::RedisStore;

use crate::load::{key, sound, within};
use crate::servers;

/// Writers of each process.
const WRITERS: usize = 32;

/// What each writer does so often.
const ROUNDS: usize = 12;

/// Tells a process of writers where the server listens.
const PORT: &str = "TURNLEDGER_TEST_WRITERS_PORT";

/// Tells it over how many conversations it is to write.
const CONVERSATIONS: &str = "TURNLEDGER_TEST_WRITERS_CONVERSATIONS";

fn counter() -> CounterId {
    CounterId::new("words/of-writers-1").unwrap()
}

/// What the other processes do: this program, told to run nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is run by the tests below, as another process"]
async fn a_process_of_writers() {
    let (Ok(port), Ok(conversations)) = (env::var(PORT), env::var(CONVERSATIONS)) else { return };
    let conversations: usize = conversations.parse().unwrap();
    let pool = crate::pools::pool_of(&[("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", &port)]).await;
    let store = RedisStore::builder(pool).connect().await.unwrap();
    let writers = (0..WRITERS).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                write(&store, number, round, conversations).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

async fn write(store: &RedisStore, number: usize, round: usize, conversations: usize) {
    let key = key((number + round) % conversations);
    let text = format!("{} {number} {round}", std::process::id());
    let message = sample::user(&*text, Tally::estimated(5));
    let message = if round.is_multiple_of(3) { sample::with_id(message, &text) } else { message };
    let appended = store.append(&key, sample::batch(&counter(), [message])).await.unwrap();
    let answer = appended.messages[0];
    let epoch = appended.epoch;
    if number == 0 && round % 4 == 3 {
        let before = Seq::new(answer.seq.get().saturating_sub(20)).unwrap_or(Seq::FIRST);
        store.trim(&key, Trim { epoch, before }).await.unwrap();
    }
    if number == 1 && round == ROUNDS / 2 {
        store.clear(&key).await.unwrap();
    }
    let settlement = Settlement {
        seq: answer.seq,
        fingerprint: answer.fingerprint.unwrap(),
        expected: answer.tally,
        tally: Tally::exact(9),
    };
    let settle = Settle { counter: counter(), epoch, settlements: vec![settlement] };
    // Twice, as after an answer that was lost.
    store.settle(&key, settle.clone()).await.unwrap();
    store.settle(&key, settle).await.unwrap();
}

fn start(port: u16, conversations: usize) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "processes::a_process_of_writers", "--ignored"])
        .env(PORT, port.to_string())
        .env(CONVERSATIONS, conversations.to_string())
        .spawn()
        .unwrap()
}

async fn check(conversations: usize) {
    let server = servers::one().await;
    let store = servers::open(&server).await;
    let processes = [(); 2].map(|()| start(server.port(), conversations));
    for mut process in processes {
        let ended = tokio::task::spawn_blocking(move || process.wait());
        assert!(within(ended).await.unwrap().unwrap().success());
    }
    let mut messages = 0;
    for number in 0..conversations {
        let retained = sound(&store, &key(number), &counter()).await;
        assert!(retained.iter().all(|message| message.tally == Some(Tally::exact(9))));
        messages += retained.len();
    }
    assert!(messages >= conversations, "{messages}");
    let namespace = Namespace::default();
    assert_eq!(store.pending(&namespace, Backlog::Pending, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_keep_order_and_sums_of_one_conversation() {
    check(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_keep_order_and_sums_of_many_conversations() {
    check(16).await;
}
