//! Messages to write in tests.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use memory_core::{
    Append, Backlog, Claim, CounterId, Epoch, Fingerprint, Message, MessageId, NewMessage, Tally,
};

/// A new epoch.
pub fn epoch() -> Epoch {
    Epoch::from_random(random_bits())
}

/// A new fingerprint.
pub fn fingerprint() -> Fingerprint {
    Fingerprint::from_random(random_bits())
}

/// A counter's id that no other call returns, so that a sweep under it sees nothing of others.
///
/// # Panics
///
/// Where the prefix is longer than an id may be, less 32 bytes.
pub fn counter(prefix: &str) -> CounterId {
    CounterId::new(format!("{prefix}-{:032x}", random_bits())).expect("the prefix is short")
}

/// A user message to append, with a new fingerprint.
pub fn user(text: impl Into<String>, tally: Tally) -> NewMessage {
    message(&Message::user(text), tally)
}

/// Any message to append, with a new fingerprint.
pub fn message(message: &Message, tally: Tally) -> NewMessage {
    NewMessage::new(message, fingerprint(), tally)
}

/// The same message under a caller's id.
///
/// # Panics
///
/// Where the id is empty or too long.
#[must_use]
pub fn with_id(message: NewMessage, id: &str) -> NewMessage {
    let id = MessageId::new(id).expect("tests give ids that are valid");
    NewMessage { id: Some(id), ..message }
}

/// A batch to append, for nobody in particular to settle.
pub fn batch(counter: &CounterId, messages: impl IntoIterator<Item = NewMessage>) -> Append {
    Append {
        counter: counter.clone(),
        new_epoch: epoch(),
        messages: messages.into_iter().collect(),
        grace: Duration::ZERO,
    }
}

/// A claim of at most so many messages of all conversations that a counter has to count.
pub fn claim(counter: &CounterId, lease: Duration, limit: usize) -> Claim {
    let (counter, backlog) = (counter.clone(), Backlog::Pending);
    Claim { counter, backlog, only: None, after: None, lease, limit }
}

/// Bits that differ between calls and between processes.
pub(crate) fn random_bits() -> u128 {
    // The standard library seeds each of these anew from the system's entropy.
    let half = || u128::from(RandomState::new().build_hasher().finish());
    half() << 64 | half()
}
