//! An append with what can be computed before it is sent.

use std::borrow::Cow;

use memory_core::{
    Append, ConversationKey, CounterId, Epoch, LimitKind, Limits, MessageId, NewMessage, Tally,
};

use crate::bounds::span;
use crate::digests::Digests;
use crate::element::{BEGINNING, beginning};
use crate::error::{Fault, RedisStoreError};
use crate::payload;

/// The most tokens of one tally, so that sums stay whole numbers in scripts too.
const MOST_TOKENS: u64 = 1 << 40;

/// The most bytes of a batch. One of the server's bounds is 1 GiB, and others use the connection
/// too.
const MOST_BYTES: u64 = 64 << 20;

/// A batch that was checked.
pub(super) struct Prepared {
    pub(super) counter: CounterId,
    pub(super) new_epoch: Epoch,
    pub(super) messages: Vec<PreparedMessage>,
    /// Milliseconds until what is pending here is due.
    pub(super) grace: u64,
    /// A power of two that no entry is larger than.
    pub(super) largest: u64,
}

/// One message in the forms in which it is stored.
pub(super) struct PreparedMessage {
    pub(super) message: NewMessage,
    pub(super) beginning: [u8; BEGINNING],
    /// Of the content, where the message has a caller's id.
    pub(super) digest: Option<[u8; 16]>,
}

impl PreparedMessage {
    /// What the list of payloads holds of it.
    pub(super) fn entry(&self) -> Cow<'_, [u8]> {
        payload::encode(&self.message.payload, self.id())
    }

    fn entry_length(&self) -> u64 {
        payload::encoded_length(&self.message.payload, self.id()) as u64
    }

    fn id(&self) -> Option<&str> {
        self.message.id.as_ref().map(MessageId::as_str)
    }
}

impl Prepared {
    /// Checks the limits and computes what is sent, but for digests.
    pub(super) fn new(
        key: &ConversationKey,
        append: Append,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        check_key(key, limits)?;
        let Append { counter, new_epoch, messages, grace } = append;
        limits.check(LimitKind::BatchMessages, messages.len())?;
        let prepare = |message: NewMessage| {
            limits.check(LimitKind::MessageBytes, message.payload.len())?;
            let id = message.id.as_ref().map(MessageId::as_str);
            limits.check(LimitKind::IdBytes, id.map_or(0, str::len))?;
            check_tally(message.tally)?;
            Ok::<_, Fault>(PreparedMessage {
                beginning: beginning(message.class, message.fingerprint),
                digest: None,
                message,
            })
        };
        let messages = messages.into_iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        let bytes: u64 = messages.iter().map(PreparedMessage::entry_length).sum();
        // A message alone has a limit of its own.
        if messages.len() > 1 && bytes > MOST_BYTES {
            return Err(RedisStoreError::Batch { bytes, most: MOST_BYTES }.into());
        }
        let largest = messages.iter().map(PreparedMessage::entry_length).max();
        let largest = largest.unwrap_or(0).next_power_of_two();
        Ok(Self { counter, new_epoch, messages, grace: span(grace), largest })
    }

    /// Computes the digests of what has ids.
    pub(super) fn digest(&mut self, digests: &Digests) {
        for PreparedMessage { message, digest, .. } in &mut self.messages {
            *digest = message.id.as_ref().map(|_| digests.of_content(&message.payload));
        }
    }

    pub(super) fn has_ids(&self) -> bool {
        self.messages.iter().any(|message| message.message.id.is_some())
    }

    /// Whether something here waits to be counted.
    pub(super) fn has_pending(&self) -> bool {
        self.messages.iter().any(|message| message.message.tally.is_pending())
    }

    /// Whether all messages have ids, so that sending the batch again does nothing twice.
    pub(super) fn is_repeatable(&self) -> bool {
        self.messages.iter().all(|message| message.message.id.is_some())
    }
}

pub(crate) fn check_key(key: &ConversationKey, limits: &Limits) -> Result<(), Fault> {
    for id in [key.namespace.as_str(), key.id.as_str()] {
        limits.check(LimitKind::IdBytes, id.len())?;
    }
    Ok(())
}

pub(super) fn check_tally(tally: Tally) -> Result<(), Fault> {
    if tally.tokens > MOST_TOKENS {
        return Err(RedisStoreError::Tally { tokens: tally.tokens, most: MOST_TOKENS }.into());
    }
    Ok(())
}
