//! Ends that reads put off.

use crate::answer::{array, count};
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::scripts::REFRESH;

const WHAT: &str = "a refresh";

/// Puts the end of a conversation off that was just read, where that is asked for and due.
///
/// What was read is worth its answer though this fails; the next read comes to it again.
pub(super) async fn refresh(inner: &Inner, keys: &Keys) {
    let (true, Some(ttl)) = (inner.refreshes_on_read, inner.ttl()) else { return };
    let known = inner.known.get(&keys.name).map_or(0, |guess| guess.ends);
    let is_due = inner.ends(known).is_some_and(|(_, is_due)| is_due);
    if is_due || !inner.time.is_fresh() {
        drop(put_off(inner, keys, ttl).await);
    }
}

async fn put_off(inner: &Inner, keys: &Keys, ttl: u64) -> Result<(), Fault> {
    let answer = inner.client.script(&REFRESH, keys, |command| {
        command.arg(ttl);
    });
    let answer = array(answer.await?, WHAT)?;
    let [now, ends] = answer.as_slice() else { return Err(Fault::answer(WHAT)) };
    let (now, ends) = (count(now, WHAT)?, count(ends, WHAT)?);
    inner.time.heard(now);
    inner.known.note_end(&keys.name, ends);
    Ok(())
}
