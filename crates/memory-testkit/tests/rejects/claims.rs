//! Claims with a fault.

use std::time::Duration;

use memory_core::{Backlog, Claim, Claimed, MemoryStore, StoreError};

use crate::broken::Broken;
use crate::fault::Fault;

pub(crate) async fn claim(store: &Broken, mut claim: Claim) -> Result<Claimed, StoreError> {
    match store.fault {
        Fault::ClaimsTwice => claim.lease = Duration::ZERO,
        Fault::LeasesForEver => claim.lease = Duration::from_secs(u64::from(u32::MAX)),
        _ => {}
    }
    claim.only = claim.only.as_ref().map(|key| store.place(key));
    let of_fallbacks = claim.backlog == Backlog::Fallback;
    if store.has(Fault::RecountsForEver) {
        let recounts = store.recounts.lock().unwrap().clone();
        for namespace in recounts.into_keys() {
            store.model.recount(&namespace, &claim.counter).await?;
        }
    }
    let mut claimed = store.model.claim_pending(claim.clone()).await?;
    match store.fault {
        Fault::FindsNoPendings => claimed = Claimed::default(),
        Fault::FindsNoFallbacks if of_fallbacks => claimed = Claimed::default(),
        Fault::LeasesBothBacklogs if claim.only.is_none() => {
            let other = if of_fallbacks { Backlog::Pending } else { Backlog::Fallback };
            store.model.claim_pending(Claim { backlog: other, ..claim }).await?;
        }
        Fault::LeasesFallbacksForEver if of_fallbacks && claim.only.is_none() => {
            let mut leased = store.leased.lock().unwrap();
            claimed.conversations.retain(|one| leased.insert(one.key.clone()));
        }
        _ => {}
    }
    Ok(claimed)
}
