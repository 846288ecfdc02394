//! Each server by itself.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout_at};

use super::shared::Shared;
use super::status::WaitingFor;
use crate::cluster::NoLink;
use crate::connect::Backoff;
use crate::{Lane, PoolError};

/// A lane to each server that holds a part of the data.
pub(crate) async fn of(shared: &Arc<Shared>) -> Result<Vec<Lane>, PoolError> {
    let Some(cluster) = shared.cluster() else {
        return Ok(vec![Lane::new(Arc::clone(shared), None)]);
    };
    let begun = Instant::now();
    let mut last_failure = None;
    let asking = async {
        let mut backoff = Backoff::default();
        loop {
            match cluster.survey(shared).await {
                Ok(()) => return Ok(()),
                Err(NoLink::Failed(error)) if error.reason().is_permanent() => {
                    return Err(PoolError::Connect(error));
                }
                Err(NoLink::Failed(error)) => last_failure = Some(error),
                Err(_) => return Err(PoolError::Closed),
            }
            backoff.failed();
            sleep(backoff.next_wait()).await;
        }
    };
    let asked = {
        let _waiting = shared.waiting.mark();
        timeout_at(begun + shared.bounds.timeout, asking).await
    };
    if let Ok(asked) = asked {
        asked?;
    } else {
        let waiting_for = WaitingFor::Connection;
        return Err(shared.wait_timed_out_after(waiting_for, begun, last_failure));
    }
    let (size, nodes) = (shared.size(), cluster.nodes());
    if size < nodes {
        return Err(PoolError::ClusterSize { size, lanes: 1, nodes });
    }
    let lane = |server| Lane::to_server(Arc::clone(shared), server);
    Ok(cluster.masters().into_iter().map(lane).collect())
}
