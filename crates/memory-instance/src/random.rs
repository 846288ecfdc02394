//! Nonces from the operating system.

use memory_core::{Epoch, Fingerprint};

use crate::error::MemoryError;

/// An epoch to begin where the conversation is empty, and a fingerprint for each message.
pub(crate) struct Nonces {
    bytes: Vec<u8>,
}

const EPOCH_BYTES: usize = 16;
const FINGERPRINT_BYTES: usize = 8;

impl Nonces {
    /// Draws nonces for a batch in one call of the operating system.
    pub(crate) fn draw(messages: usize) -> Result<Self, MemoryError> {
        let mut bytes = vec![0; EPOCH_BYTES + messages * FINGERPRINT_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|source| MemoryError::Random { source: Box::new(source) })?;
        Ok(Self { bytes })
    }

    pub(crate) fn epoch(&self) -> Epoch {
        Epoch::from_random(bits(&self.bytes[..EPOCH_BYTES]))
    }

    /// One fingerprint for each message, in order.
    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> + '_ {
        let drawn = self.bytes[EPOCH_BYTES..].chunks_exact(FINGERPRINT_BYTES);
        drawn.map(|bytes| Fingerprint::from_random(bits(bytes)))
    }
}

fn bits(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_gets_its_own_nonce() {
        let nonces = Nonces::draw(3).unwrap();
        let fingerprints: std::collections::HashSet<_> = nonces.fingerprints().collect();
        assert_eq!(fingerprints.len(), 3);
        assert_ne!(nonces.epoch(), Nonces::draw(0).unwrap().epoch());
    }
}
