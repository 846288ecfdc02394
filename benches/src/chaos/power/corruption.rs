//! Files that are truncated, or overwritten with what does not belong there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use memory_core::{
    Append, ConversationId, ConversationKey, Epoch, Fingerprint, MemoryStore, MemoryStoreExt,
    Message, Namespace, NewMessage, StoreError, Tally,
};
use serde::Serialize;
use tokio::time::timeout;

use super::disk::Disk;
use super::image::open;
use crate::chaos::content::Counting;
use crate::chaos::error::{ChaosError, Outcome, ensure};

/// What became of damaged files.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Corrupted {
    files: u64,
    /// Those that were refused with a typed error.
    refused: u64,
    /// Those that were opened, where some operation was refused.
    refused_in_use: u64,
    /// Those that were opened and answered everything.
    usable: u64,
}

impl Corrupted {
    pub(super) fn add(&mut self, other: Self) {
        self.files += other.files;
        self.refused += other.refused;
        self.refused_in_use += other.refused_in_use;
        self.usable += other.usable;
    }
}

/// What any answer may take; a damaged file must not make the store run in circles.
const BOUND: Duration = Duration::from_secs(30);

/// Damages a copy of a file and uses it. Every answer must be a typed error or hold: what is
/// acknowledged on it is there afterwards, or the file is refused.
pub(super) async fn corrupt(content: &[u8], rng: &mut Rng) -> Outcome<Corrupted> {
    let mut damaged = content.to_vec();
    damage(&mut damaged, rng);
    let used = timeout(BOUND, use_it(damaged, rng)).await;
    used.unwrap_or_else(|_| {
        Err(ChaosError::violation("a damaged file keeps the store busy without end"))
    })
}

fn damage(content: &mut Vec<u8>, rng: &mut Rng) {
    if content.is_empty() {
        content.extend((0..rng.usize(1..5000)).map(|_| rng.u8(..)));
        return;
    }
    let at = rng.usize(..content.len());
    let end = content.len().min(at + rng.usize(1..3000));
    match rng.u8(..5) {
        0 => content.truncate(at),
        1 => content[at] ^= 1 << rng.u8(..8),
        2 => content[at..end].fill(0),
        3 => content[at..end].iter_mut().for_each(|byte| *byte = rng.u8(..)),
        // A page in the place of another.
        _ => {
            let from = rng.usize(..=content.len() - (end - at));
            content.copy_within(from..from + (end - at), at);
        }
    }
}

async fn use_it(damaged: Vec<u8>, rng: &mut Rng) -> Outcome<Corrupted> {
    let mut done = Corrupted { files: 1, ..Corrupted::default() };
    let disk = Disk::new(damaged, rng.u64(..));
    let store = match open(&disk, rng).await {
        Ok(store) => store,
        Err(error) => {
            is_typed(&error)?;
            done.refused += 1;
            return Ok(done);
        }
    };
    let answers = (answer(&store).await, append(&store, "first").await);
    let second = append(&store, "second").await;
    store.close().await;
    let fine = answers.0.is_ok() && answers.1.is_ok() && second.is_ok();
    done.usable += u64::from(fine);
    done.refused_in_use += u64::from(!fine);
    let acknowledged = usize::from(answers.1.is_ok()) + usize::from(second.is_ok());
    for error in [answers.0.err(), answers.1.err(), second.err()].into_iter().flatten() {
        is_typed(&error)?;
    }
    let again = Disk::new(disk.content(), rng.u64(..));
    match open(&again, rng).await {
        Ok(store) => {
            let read = store.read_all(&marked()?, &Counting::Hash.tally_id()).await;
            store.close().await;
            match read {
                Ok((_, messages)) => ensure!(
                    messages.len() >= acknowledged,
                    "of {acknowledged} messages that were acknowledged on a damaged file, {} are \
                     there",
                    messages.len()
                ),
                Err(error) => is_typed(&error)?,
            }
        }
        Err(error) => is_typed(&error)?,
    }
    Ok(done)
}

/// Reads everything.
async fn answer(store: &impl MemoryStore) -> Result<(), StoreError> {
    let counter = Counting::Hash.tally_id();
    let query = memory_core::ListQuery { namespace: Namespace::default(), after: None, limit: 100 };
    for summary in store.list(query).await?.conversations {
        let key = ConversationKey::new(Namespace::default(), summary.id);
        store.read_all(&key, &counter).await?;
        store.totals(&key).await?;
    }
    Ok(())
}

/// Numbers that differ, for epochs and fingerprints of the harness's own.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

fn marked() -> Outcome<ConversationKey> {
    Ok(ConversationKey::new(Namespace::default(), ConversationId::new("on damaged ground")?))
}

async fn append(store: &impl MemoryStore, text: &str) -> Result<(), StoreError> {
    let Ok(key) = marked() else { return Err(StoreError::Closed) };
    let number = u128::from(NUMBERS.fetch_add(1, Ordering::Relaxed));
    let message = Message::user(text);
    let fingerprint = Fingerprint::from_random(number);
    let append = Append {
        counter: Counting::Hash.tally_id(),
        new_epoch: Epoch::from_random(number),
        messages: vec![NewMessage::new(&message, fingerprint, Tally::exact(1))],
        grace: Duration::ZERO,
    };
    store.append(&key, append).await.map(drop)
}

/// Of a damaged file a store says that it is damaged or of another format, or what failed.
fn is_typed(error: &StoreError) -> Outcome<()> {
    let fits = matches!(
        error,
        StoreError::Damaged { .. }
            | StoreError::DamagedConversation { .. }
            | StoreError::UnknownFormat { .. }
            | StoreError::OutcomeUnknown { .. }
            | StoreError::Backend { .. }
            | StoreError::Poisoned
    );
    ensure!(fits, "a damaged file is answered with `{error}`");
    Ok(())
}
