//! Waiting until a server is where it should be.

use std::time::{Duration, Instant};

use crate::error::Error;

/// How long servers may take for anything: loaded machines are slow, and a test that hangs tells
/// less than one that fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The pause between two looks: servers announce nothing that could be awaited instead.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks again and again until there is something, the limit is over, or the server is gone.
///
/// The deadline is one of the wall's clock, so that a paused clock of a runtime does not end it.
pub(crate) async fn until<T, F>(
    what: impl FnOnce() -> String,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<Option<T>, Error>>,
{
    let deadline = Instant::now() + limit;
    loop {
        let source = match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            Err(error) if error.is_final() => return Err(error),
            Err(error) => Some(Box::new(error)),
        };
        if Instant::now() >= deadline {
            return Err(Error::Late { what: what(), limit, source });
        }
        tokio::time::sleep(PAUSE).await;
    }
}
