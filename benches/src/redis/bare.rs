//! The commands of an append, sent over connections of the `redis` crate and nothing else.

use std::sync::Arc;

use memory_core::{Epoch, Tally};
use memory_testkit::sample;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use redis_testkit::RedisServer;

use super::load::{CONVERSATIONS, Way};
use super::store::{TOKENS, messages};
use crate::ledger::Outcome;

/// The keys of a conversation, as long as those of the store.
struct Keys {
    payloads: String,
    tallies: String,
    meta: String,
}

/// Sends the commands of an append.
#[derive(Clone)]
pub(super) struct Bare {
    connections: Vec<MultiplexedConnection>,
    keys: Arc<[Keys]>,
    payloads: Arc<[Arc<str>]>,
    /// Whether the server is asked for its time, as the store asks where it may need it.
    asks_time: bool,
}

impl Bare {
    /// With payloads as the store's appends have them, without connections.
    pub(super) fn new(name: &str, bytes: usize, asks_time: bool) -> Self {
        let key = |letter: char, number: usize| {
            format!("turnledger:{{{number:03x}}}{letter}7:default{name}-{number:04}")
        };
        let keys = (0..CONVERSATIONS).map(|number| Keys {
            payloads: key('p', number),
            tallies: key('t', number),
            meta: key('m', number),
        });
        let payloads = messages(1, 1024, bytes, Tally::exact(TOKENS)).into_iter();
        Self {
            connections: Vec::new(),
            keys: keys.collect(),
            payloads: payloads.map(|message| message.payload).collect(),
            asks_time,
        }
    }

    /// Sees to it that there are so many connections.
    pub(super) async fn connect(&mut self, server: &RedisServer, count: usize) -> Outcome<()> {
        self.connections.truncate(count);
        while self.connections.len() < count {
            let client = redis::Client::open(server.url())?;
            self.connections.push(client.get_multiplexed_async_connection().await?);
        }
        Ok(())
    }

    /// The commands of the append of this number.
    pub(super) fn pipeline(&self, number: usize) -> Pipeline {
        let Keys { payloads, tallies, meta } = &self.keys[number % self.keys.len()];
        let epoch: Epoch = sample::epoch();
        let element = format!("u{}AbCx{TOKENS}", sample::fingerprint().as_str());
        let mut pipeline = Pipeline::with_capacity(8);
        pipeline.atomic();
        pipeline.cmd("RPUSH").arg(payloads).arg(&*self.payloads[number % self.payloads.len()]);
        pipeline.cmd("RPUSH").arg(tallies).arg(element);
        pipeline.cmd("HSETNX").arg(meta).arg("e").arg(format!("{}AbC", epoch.as_str()));
        for (field, by) in [("s", 1), ("nAbC", TOKENS), ("kAbC", 1)] {
            pipeline.cmd("HINCRBY").arg(meta).arg(field).arg(by);
        }
        if self.asks_time {
            pipeline.cmd("TIME");
        }
        pipeline.cmd("HMGET").arg(meta);
        for field in ["e", "a", "qAbC", "bAbC"] {
            pipeline.arg(field);
        }
        pipeline
    }
}

impl Way for Bare {
    async fn append(&self, number: usize) -> Outcome<()> {
        let place = number % self.keys.len();
        let mut connection = self.connections[place % self.connections.len()].clone();
        self.pipeline(number).query_async::<Value>(&mut connection).await?;
        Ok(())
    }
}
