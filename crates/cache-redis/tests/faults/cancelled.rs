//! Commands that are cancelled leave nothing for others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_redis::connection::{Value, from_redis_value, pipe};
use cache_redis::{PoolError, RedisPool};
use fastrand::Rng;
use redis_testkit::{FaultProxy, RedisServer};

use crate::support::{WAYS, Way, command, pool, run, settings, text, until, within};

/// How many commands are cancelled, and from which seed; for long runs.
const COUNT: &str = "TURNLEDGER_CANCELLED_COMMANDS";
const SEED: &str = "TURNLEDGER_CANCELLED_SEED";

fn variable(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => default,
    }
}

/// Drops a future that is not ready after the runtime has gone round so often.
async fn cancel_after<T>(rounds: u32, future: impl Future<Output = T>) -> Option<T> {
    let rounds = async {
        for _ in 0..rounds {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        output = future => Some(output),
        () = rounds => None,
    }
}

/// Sends a caller's own word in one of several forms, and returns every word that came back.
async fn echo(pool: &RedisPool, way: Way, form: u8, word: &str) -> Result<Vec<String>, PoolError> {
    let several = || {
        let mut pipeline = pipe();
        for _ in 0..3 {
            pipeline.cmd("ECHO").arg(word);
        }
        pipeline
    };
    let words = |values: Vec<Value>| {
        values.into_iter().map(|value| from_redis_value(value).unwrap()).collect()
    };
    let one = command(&["ECHO", word]);
    match (way, form) {
        (Way::Lane, 0) => Ok(words(pool.lane(word).run_all(&several()).await?)),
        (Way::Lane, 1) => Ok(words(pool.any_lane().run_all(several().atomic()).await?)),
        (Way::Lane, _) => Ok(words(vec![pool.lane(word).run(&one).await?])),
        (Way::Exclusive, 0) => Ok(words(pool.get().await?.run_all(&several()).await?)),
        (Way::Exclusive, 1) => Ok(words(pool.get().await?.run_all(several().atomic()).await?)),
        (Way::Exclusive, _) => Ok(words(vec![pool.get().await?.run(&one).await?])),
    }
}

/// One caller: cancels commands with words of its own, and checks every word that it gets.
async fn caller(pool: RedisPool, number: usize, mut random: Rng, left: Arc<AtomicU64>) {
    let mut turn = 0_u64;
    loop {
        turn += 1;
        let word = format!("canary-{number}-{turn}");
        // An exclusive connection that is cancelled is gone, which takes longer.
        let way = if random.u8(..8) == 0 { Way::Exclusive } else { Way::Lane };
        let form = random.u8(..6);
        let answer = cancel_after(random.u32(..8), echo(&pool, way, form, &word)).await;
        if let Some(answer) = answer {
            check(answer, &word);
        } else if left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_err()
        {
            return;
        }
        if random.u8(..4) == 0 {
            check(within(echo(&pool, way, form, &word)).await, &word);
        }
    }
}

fn check(answer: Result<Vec<String>, PoolError>, word: &str) {
    let words = answer.unwrap();
    assert!(!words.is_empty() && words.iter().all(|found| found == word), "{word}: {words:?}");
}

#[tokio::test]
async fn no_caller_gets_a_byte_of_a_cancelled_command() {
    let count = variable(COUNT, 10_000);
    let seed = variable(SEED, 1);
    println!("{COUNT}={count} {SEED}={seed}");
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start(server.address()).unwrap();
    let mut settings = settings(&format!("redis://{}/0", network.address()));
    settings.pool.size = 6;
    settings.pool.lane_depth = 8;
    let pool = pool(settings).await;
    let left = Arc::new(AtomicU64::new(count));
    let mut random = Rng::with_seed(seed);
    let callers: Vec<_> = (0..64)
        .map(|number| tokio::spawn(caller(pool.clone(), number, random.fork(), left.clone())))
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(left.load(Ordering::SeqCst), 0);
    // Nothing of the pool's is lost with them.
    for way in WAYS {
        assert_eq!(text(&pool, way, &["ECHO", "after"]).await, "after");
    }
    until(|| pool.status().in_flight == 0).await;
    assert_eq!((pool.status().active, pool.status().waiting), (0, 0), "{}", pool.status());
    assert!(network.log().most_open <= 6, "{} open", network.log().most_open);
}

#[tokio::test]
async fn a_connection_cancelled_anywhere_is_not_lost() {
    let server = RedisServer::builder().start().await.unwrap();
    for way in WAYS {
        // With one socket, a permit that is lost is a pool that is lost.
        let mut settings = settings(&server.url());
        settings.pool.size = 1;
        let pool = pool(settings).await;
        let mut finished = 0;
        for rounds in 0..400 {
            let word = rounds.to_string();
            let words = ["ECHO", &word];
            // From the first connection on, and again from one that is there already.
            let answer = cancel_after(rounds % 100, run(&pool, way, &words)).await;
            if let Some(answer) = answer {
                assert_eq!(from_redis_value::<String>(answer.unwrap()).unwrap(), word);
                finished += 1;
            }
            if rounds % 7 == 0 {
                server.kill_clients().await.unwrap();
            } else {
                let after = within(run(&pool, way, &["ECHO", "after"])).await;
                let after = match after {
                    Err(error) if error.is_retryable() => {
                        within(run(&pool, way, &["ECHO", "after"])).await
                    }
                    after => after,
                };
                assert_eq!(from_redis_value::<String>(after.unwrap()).unwrap(), "after");
            }
        }
        assert!(finished > 0, "none ended before it was cancelled");
        assert_eq!(text(&pool, way, &["ECHO", "end"]).await, "end");
        assert_eq!(server.sockets().await.unwrap(), 1);
        pool.close().await.unwrap();
    }
}

/// Leaves something behind on an exclusive connection and gives it back.
async fn leave_behind(pool: &RedisPool, commands: &[&[&str]]) {
    let mut exclusive = within(pool.get()).await.unwrap();
    for words in commands {
        within(exclusive.run(&command(words))).await.unwrap();
    }
}

#[tokio::test]
async fn what_somebody_left_on_a_connection_is_not_handed_on() {
    let server = RedisServer::builder().start().await.unwrap();
    let mut settings = settings(&server.url());
    settings.pool.size = 1;
    let pool = pool(settings).await;
    let leftovers: [&[&[&str]]; 4] = [
        &[&["MULTI"], &["SET", "key", "queued"]],
        &[&["WATCH", "key"]],
        &[&["SELECT", "1"]],
        &[&["CLIENT", "SETNAME", "somebody"]],
    ];
    for commands in leftovers {
        for way in WAYS {
            leave_behind(&pool, commands).await;
            server.command(&["SET", "key", "value"]).await.unwrap();
            assert_eq!(text(&pool, way, &["GET", "key"]).await, "value", "{commands:?}");
            let clients = server.clients().await.unwrap();
            let [client] = &clients[..] else { panic!("{commands:?} {clients:?}") };
            assert_eq!((&*client.name, client.flags.contains(['x', 'd'])), ("", false));
        }
    }
    // One that is cancelled while it blocks holds up nobody.
    for way in WAYS {
        let blocked = async {
            let mut exclusive = pool.get().await.unwrap();
            exclusive.set_response_timeout(crate::support::FOR_EVER);
            exclusive.run(&command(&["BLPOP", "nothing", "0"])).await
        };
        assert!(cancel_after(50, blocked).await.is_none());
        assert_eq!(text(&pool, way, &["ECHO", "next"]).await, "next");
    }
}
