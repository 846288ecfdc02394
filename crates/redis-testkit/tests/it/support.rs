//! What the tests share.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisResult};
use redis_testkit::RedisServer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Longer than anything here takes; what hangs fails.
const LIMIT: Duration = Duration::from_secs(30);

/// Waits, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("something hangs")
}

/// A client of the library that the project uses.
pub(crate) async fn connect(url: &str) -> RedisResult<MultiplexedConnection> {
    let config = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(LIMIT))
        .set_response_timeout(Some(LIMIT));
    redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await
}

/// Sends one command.
pub(crate) async fn ask<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    words: &[&str],
) -> RedisResult<T> {
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(word);
    }
    command.query_async(connection).await
}

/// A server that has nothing special.
pub(crate) async fn plain() -> RedisServer {
    RedisServer::builder().start().await.unwrap()
}

/// Whether there is no process of this id, waiting for its end if it comes within the limit.
pub(crate) fn is_gone(id: u32) -> bool {
    let id = Pid::from_raw(id.try_into().unwrap()).unwrap();
    let Ok(process) = pidfd_open(id, PidfdFlags::empty()) else { return true };
    let limit = Timespec::try_from(LIMIT).unwrap();
    // It is readable when the process has ended.
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)).unwrap() == 1
}
