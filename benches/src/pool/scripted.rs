//! What the pool itself takes: no byte goes anywhere.

use std::hint::black_box;
use std::time::Instant;

use async_trait::async_trait;
use cache_redis::connection::{ByteStream, Dialer};
use cache_redis::{ConnectError, RedisPool};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::Runtime;

use super::alternatives::settings as pool_settings;
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Settings, Times};

/// A server that answers every read with PONG.
struct Script;

#[async_trait]
impl Dialer for Script {
    fn address(&self) -> String {
        "script:1".to_owned()
    }

    async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
        let (client, mut server) = duplex(4096);
        tokio::spawn(async move {
            let mut bytes = [0; 1024];
            while server.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                if server.write_all(b"+PONG\r\n").await.is_err() {
                    return;
                }
            }
        });
        Ok(Box::new(client))
    }
}

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let runtime = Runtime::new()?;
    let pool = RedisPool::builder(pool_settings("redis://127.0.0.1/0")?).dialer(Script);
    let pool = runtime.block_on(pool.connect())?;
    let mut reference = Reference::new();
    let mut p50 = Series::new("get and return, p50", "µs");
    let mut p99 = Series::new("get and return, p99", "µs");
    for _ in 0..settings.rounds {
        settings.begin_round(&mut reference)?;
        let mut times = runtime.block_on(times(&pool, settings.amount(100_000, 1000)))?;
        p50.rounds.push(times.percentile(50));
        p99.rounds.push(times.percentile(99));
    }
    Ok(Section {
        name: String::new(),
        title: "The pool alone".to_owned(),
        method: "An exclusive connection to a script in memory is taken and given back by one \
                 caller. The time of reading the clock is in the figures."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: vec![p50.verdict("get and return, p50", Some(Goal::AtMost(1.0)))],
        series: vec![p50, p99, reference.into_series()],
    })
}

async fn times(pool: &RedisPool, count: usize) -> Outcome<Times> {
    let mut times = Times::default();
    for _ in 0..count {
        let begun = Instant::now();
        drop(black_box(pool.get().await?));
        times.push(begun.elapsed());
    }
    Ok(times)
}
