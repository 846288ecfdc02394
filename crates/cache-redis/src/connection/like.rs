//! Lanes and exclusive connections as connections of the `redis` crate.

use std::io;

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use super::request::Request;
use crate::{Exclusive, Lane, PoolError};

macro_rules! connection_like {
    ($connection:ty) => {
        /// So that the helpers of the `redis` crate work on it. A [`PoolError`] is inside of the
        /// [`io::Error`] that is the source of theirs.
        impl ConnectionLike for $connection {
            fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
                Box::pin(async move {
                    let request = Request::One(command);
                    flatten(self.exchange(request.operation(), request).await)
                })
            }

            fn req_packed_commands<'a>(
                &'a mut self,
                pipeline: &'a Pipeline,
                _offset: usize,
                _count: usize,
            ) -> RedisFuture<'a, Vec<Value>> {
                Box::pin(async move {
                    let request = Request::Many(pipeline);
                    let answer = self.exchange(request.operation(), request).await;
                    answers(pipeline, flatten(answer)?)
                })
            }

            fn get_db(&self) -> i64 {
                i64::from(self.shared().login.database)
            }
        }
    };
}

connection_like!(Lane);
connection_like!(Exclusive);

/// The answers in the form that pipelines take them in: those of a transaction as one, which is an
/// error where it was refused as a whole.
fn answers(pipeline: &Pipeline, answer: Value) -> RedisResult<Vec<Value>> {
    match answer {
        Value::Array(answers) if !pipeline.is_transaction() => Ok(answers),
        Value::ServerError(error) => Err(error.into()),
        answer => Ok(vec![answer]),
    }
}

fn flatten(answer: Result<RedisResult<Value>, PoolError>) -> RedisResult<Value> {
    answer.unwrap_or_else(|error| {
        let kind = match &error {
            PoolError::WaitTimedOut(_) | PoolError::ResponseTimedOut { .. } => {
                io::ErrorKind::TimedOut
            }
            PoolError::ConnectionLost { .. } => io::ErrorKind::BrokenPipe,
            PoolError::NeedsExclusive { .. } => io::ErrorKind::Unsupported,
            PoolError::EmptyCommand => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        Err(RedisError::from(io::Error::new(kind, error)))
    })
}
