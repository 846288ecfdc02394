//! What the tests with real servers have in common.

use std::collections::BTreeMap;
use std::time::Duration;

use cache_redis::connection::Cmd;
use cache_redis::{Loader, RedisPool, RedisSettings};

/// Longer than anything here takes, also on a machine that is busy with other things; what hangs
/// fails.
const LIMIT: Duration = Duration::from_mins(2);

/// Longer than [`LIMIT`]: what waits for this long does not end by itself.
pub(crate) const FOR_EVER: Duration = Duration::from_hours(1);

/// Waits, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("something hangs")
}

/// Waits until something is so, but not for ever.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    within(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The settings that these variables give.
pub(crate) fn settings_of(variables: &[(&str, &str)]) -> RedisSettings {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut settings = Loader::new(RedisSettings::schema()).environment(variables).build().unwrap();
    RedisSettings::settle(&mut settings).unwrap()
}

/// A pool that has not connected yet.
pub(crate) async fn pool(settings: RedisSettings) -> RedisPool {
    RedisPool::builder(settings).build().await.unwrap()
}

pub(crate) fn command(words: &[&str]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(word);
    }
    command
}
