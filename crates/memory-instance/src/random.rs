//! Nonces from the operating system.

use std::cell::RefCell;

use memory_core::{Epoch, Fingerprint};

use crate::error::MemoryError;

/// An epoch to begin where the conversation is empty, and a fingerprint for each message.
pub(crate) struct Nonces {
    bytes: Vec<u8>,
}

const EPOCH_BYTES: usize = 16;
const FINGERPRINT_BYTES: usize = 8;

impl Nonces {
    /// Draws nonces for a batch.
    pub(crate) fn draw(messages: usize) -> Result<Self, MemoryError> {
        let mut bytes = vec![0; EPOCH_BYTES + messages * FINGERPRINT_BYTES];
        STOCK
            .with_borrow_mut(|stock| stock.take(&mut bytes))
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

/// Random bytes that were asked for at once. An append needs a few, and asking the operating system
/// for each costs more than all else that is done with them.
struct Stock {
    bytes: [u8; STOCKED],
    used: usize,
}

const STOCKED: usize = 1024;

thread_local! {
    static STOCK: RefCell<Stock> =
        const { RefCell::new(Stock { bytes: [0; STOCKED], used: STOCKED }) };
}

impl Stock {
    /// Fills a place with bytes that nobody gets again.
    fn take(&mut self, place: &mut [u8]) -> Result<(), getrandom::Error> {
        if place.len() > STOCKED / 2 {
            return getrandom::fill(place);
        }
        if place.len() > STOCKED - self.used {
            // Where that fails, nothing of what may be half filled is used.
            self.used = STOCKED;
            getrandom::fill(&mut self.bytes)?;
            self.used = 0;
        }
        let taken = &mut self.bytes[self.used..self.used + place.len()];
        place.copy_from_slice(taken);
        taken.fill(0);
        self.used += place.len();
        Ok(())
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

    #[test]
    fn no_nonce_is_drawn_twice_wherever_the_stock_ends() {
        let mut drawn = std::collections::HashSet::new();
        for messages in (0..200).chain([0, 1000, 0]) {
            let nonces = Nonces::draw(messages).unwrap();
            assert!(drawn.insert(nonces.epoch().as_str().to_owned()));
            for fingerprint in nonces.fingerprints() {
                assert!(drawn.insert(fingerprint.as_str().to_owned()));
            }
        }
    }
}
