//! Callers that append at the same time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::task::JoinSet;

use crate::ledger::{Outcome, per_second};

/// Conversations that the appends are spread over.
pub(super) const CONVERSATIONS: usize = 1000;

/// Sizes of messages, by what they are called.
pub(super) const SIZES: [(&str, usize); 2] = [("200 B", 200), ("2 KB", 2000)];

/// A way to append.
pub(super) trait Way: Clone + Send + Sync + 'static {
    /// Appends the message of this number, to the conversation of this number.
    fn append(&self, number: usize) -> impl Future<Output = Outcome<()>> + Send;
}

/// Appends a second with so many in flight.
pub(super) async fn rate(way: &impl Way, in_flight: usize, count: usize) -> Outcome<f64> {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        let (way, next) = (way.clone(), Arc::clone(&next));
        callers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Outcome::Ok(());
                }
                way.append(number).await?;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(per_second(count, begun.elapsed()))
}
