//! Slots, their keys and their owners.

use std::sync::Arc;

use super::server::Server;

/// How many slots the keys of a cluster are spread over.
const SLOTS: u16 = 16_384;

/// Stands for no owner.
const NOBODY: u16 = u16::MAX;

/// The slot of a key: by the part within the first braces, if there is any.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    crc16(tag(key)) % SLOTS
}

fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else { return key };
    let rest = &key[open + 1..];
    match rest.iter().position(|byte| *byte == b'}') {
        Some(length @ 1..) => &rest[..length],
        _ => key,
    }
}

/// The remainders of single bytes, for the polynomial 0x1021.
const REMAINDERS: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    let mut shifted: u16 = 0;
    while byte < 256 {
        let mut remainder = shifted;
        let mut bit = 0;
        while bit < 8 {
            let carries = remainder & 0x8000 != 0;
            remainder <<= 1;
            if carries {
                remainder ^= 0x1021;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
        shifted = shifted.wrapping_add(0x100);
    }
    table
};

/// The checksum that the specification of clusters names, CRC16 of XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        let [high, _] = sum.to_be_bytes();
        (sum << 8) ^ REMAINDERS[usize::from(high ^ byte)]
    })
}

/// Slots in a row with the same owner.
#[derive(Debug)]
pub(crate) struct SlotRange {
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) master: Arc<Server>,
    pub(crate) replicas: Vec<Arc<Server>>,
}

/// Who owns which slot.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// The places of owners among the masters; empty before anything is known.
    owners: Vec<u16>,
    masters: Vec<Arc<Server>>,
    replicas: Vec<Arc<Server>>,
}

impl Slots {
    pub(crate) fn new(ranges: Vec<SlotRange>) -> Self {
        let mut slots = Self::default();
        for SlotRange { first, last, master, replicas } in ranges {
            for slot in first..=last.min(SLOTS - 1) {
                slots.assign(slot, &master);
            }
            slots.replicas.extend(replicas);
        }
        slots
    }

    pub(crate) fn owner(&self, slot: u16) -> Option<&Arc<Server>> {
        self.masters.get(usize::from(*self.owners.get(usize::from(slot))?))
    }

    /// Notes a slot's new owner.
    pub(crate) fn assign(&mut self, slot: u16, master: &Arc<Server>) {
        if self.owners.is_empty() {
            self.owners = vec![NOBODY; usize::from(SLOTS)];
        }
        let known = self.masters.iter().position(|other| Arc::ptr_eq(other, master));
        let place = known.unwrap_or_else(|| {
            self.masters.push(Arc::clone(master));
            self.masters.len() - 1
        });
        if let (Some(owner), Ok(place)) =
            (self.owners.get_mut(usize::from(slot)), u16::try_from(place))
        {
            *owner = place;
        }
    }

    /// The nodes that own slots.
    pub(crate) fn masters(&self) -> &[Arc<Server>] {
        &self.masters
    }

    pub(crate) fn replicas(&self) -> &[Arc<Server>] {
        &self.replicas
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;

    #[test]
    fn keys_have_the_slots_of_the_specification() {
        let check = |key: &str, slot| assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        assert_eq!(crc16(b"123456789"), 0x31C3);
        check("", 0);
        check("foo", 12182);
        check("bar", 5061);
        check("{foo}bar", 12182);
        check("a{foo}{bar}", 12182);
        assert_eq!(slot_of(b"{}foo"), crc16(b"{}foo") % SLOTS);
        assert_eq!(slot_of(b"foo{bar"), crc16(b"foo{bar") % SLOTS);
        check("}{foo}", 12182);
    }

    #[test]
    fn a_slot_has_the_owner_that_was_named_last() {
        let server =
            |port| Arc::new(Server::new(Node::new("127.0.0.1", port).expect("it is a node"), 0));
        let (one, two) = (server(1), server(2));
        let range = |first, last, master: &Arc<Server>| SlotRange {
            first,
            last,
            master: Arc::clone(master),
            replicas: Vec::new(),
        };
        let mut slots = Slots::default();
        assert!(slots.owner(0).is_none());
        slots.assign(3, &one);
        assert!(slots.owner(2).is_none() && slots.owner(3).is_some());
        slots = Slots::new(vec![range(0, 5, &one), range(6, u16::MAX, &two)]);
        let owner = |slots: &Slots, slot| slots.owner(slot).map(|owner| owner.node().port());
        assert_eq!((owner(&slots, 5), owner(&slots, 6)), (Some(1), Some(2)));
        assert_eq!((owner(&slots, SLOTS - 1), owner(&slots, SLOTS)), (Some(2), None));
        slots.assign(5, &two);
        assert_eq!(owner(&slots, 5), Some(2));
        assert_eq!(slots.masters().len(), 2);
    }
}
