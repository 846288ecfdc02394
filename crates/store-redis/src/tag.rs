//! The tags that conversations share, so that their indexes lie in the same slot as they.

/// How many tags there are. Each has an index of what is pending in its conversations: with fewer,
/// the load would spread worse over a cluster, with more, a sweep would have more to look at.
pub(crate) const TAGS: u16 = 1024;

/// One of the tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u16);

impl Tag {
    /// Bytes of a tag in braces.
    pub(crate) const LENGTH: usize = 5;

    /// The tag of a conversation's name.
    pub(crate) fn of(name: &[u8]) -> Self {
        Self(crc16(name) % TAGS)
    }

    /// The tag as it stands in keys: `{3ff}`.
    pub(crate) fn in_braces(self) -> [u8; Self::LENGTH] {
        let digit = |shift: u16| b"0123456789abcdef"[usize::from(self.0 >> shift & 15)];
        [b'{', digit(8), digit(4), digit(0), b'}']
    }
}

impl From<u16> for Tag {
    fn from(number: u16) -> Self {
        Self(number % TAGS)
    }
}

/// CRC-16 with the polynomial 0x1021, as Redis clusters use it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        let place = usize::from((crc >> 8) ^ u16::from(*byte));
        (crc << 8) ^ TABLE[place]
    })
}

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut place = 0;
    while place < 256 {
        // Below 256, so nothing is lost.
        #[expect(clippy::cast_possible_truncation, reason = "a place is below 256")]
        let mut crc = (place as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        table[place] = crc;
        place += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_cluster_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn tags_have_three_digits() {
        assert_eq!(&Tag::from(0).in_braces(), b"{000}");
        assert_eq!(&Tag::from(1023).in_braces(), b"{3ff}");
        assert_eq!(Tag::of(b"123456789"), Tag::from(0x31c3 % 1024));
    }
}
