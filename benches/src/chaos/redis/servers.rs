//! The servers of a part.

use std::time::{Duration, Instant};

use redis_testkit::RedisServer;
use tokio::runtime::Runtime;

use crate::chaos::error::{ChaosError, Outcome, ensure};

/// How long a server may take to see that its clients are gone.
const BOUND: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);

/// A server without persistence.
pub(crate) async fn start() -> Outcome<RedisServer> {
    Ok(RedisServer::builder().start().await?)
}

/// What writers and their harness run on.
pub(super) fn runtime() -> Outcome<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ChaosError::system("no runtime can be started"))
}

/// Returns when no server has a client any more, and so has done all that clients had sent.
pub(crate) async fn emptied(servers: impl IntoIterator<Item = &RedisServer>) -> Outcome<()> {
    let start = Instant::now();
    for server in servers {
        while !server.clients().await?.is_empty() {
            ensure!(
                start.elapsed() < BOUND,
                "a server has clients {} s after they are gone",
                BOUND.as_secs()
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}
