//! How long a look at the servers takes at most.

use std::time::Duration;

use cache_redis::ConnectReason;
use tokio::time::Instant;

use crate::script::{Door, Script};

const TIMEOUT: Duration = Duration::from_secs(3);

/// What it may take beyond `redis.pool.timeout`.
const GRACE: Duration = Duration::from_secs(4);

#[tokio::test(start_paused = true)]
async fn whatever_the_server_does_a_diagnosis_ends_in_time() {
    type Prepare = fn(&Script);
    let servers: [Prepare; 3] = [
        |script| script.door(Door::Hangs),
        |script| script.door(Door::Fails(ConnectReason::Refused)),
        |script| script.freeze(true),
    ];
    let mut ended_by_the_limit = 0;
    for prepare in servers {
        for response_timeout in ["100ms", "1h"] {
            let script = Script::new();
            prepare(&script);
            let settings = [
                ("redis.pool.timeout", "3s"),
                ("redis.pool.connect_timeout", "1h"),
                ("redis.pool.response_timeout", response_timeout),
            ];
            let pool = script.pool(&settings).await;
            let begun = Instant::now();
            let failed = pool.diagnose().await.is_err();
            let taken = begun.elapsed();
            assert!(taken <= TIMEOUT + GRACE, "{taken:?}");
            ended_by_the_limit += usize::from(failed && taken >= TIMEOUT);
        }
    }
    assert!(ended_by_the_limit >= 3, "some of them never answer");
}
