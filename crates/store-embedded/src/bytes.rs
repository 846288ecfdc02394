//! The small binary encoding of stored values, with a reader that checks what it reads.

/// What stored bytes contradict, in words for an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) &'static str);

/// Writes a number in as few bytes as it needs, seven bits each, the lowest first.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        // The mask leaves seven bits.
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// Writes a number that may be absent.
pub(crate) fn put_optional(out: &mut Vec<u8>, number: Option<u64>) {
    match number {
        Some(number) => {
            out.push(1);
            put_number(out, number);
        }
        None => out.push(0),
    }
}

/// Takes values from the front of stored bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What was not taken yet.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damage> {
        let (first, rest) = self.0.split_first().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Damage> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damage("a stored number is too large"))
    }

    pub(crate) fn optional(&mut self) -> Result<Option<u64>, Damage> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.number().map(Some),
            _ => Err(Damage("a stored value is neither absent nor present")),
        }
    }

    /// A number of bytes, as long as memory can hold it.
    pub(crate) fn length(&mut self) -> Result<usize, Damage> {
        usize::try_from(self.number()?).map_err(|_| SHORT)
    }

    /// Text of a length that is written before it.
    pub(crate) fn text(&mut self) -> Result<&'a str, Damage> {
        let length = self.length()?;
        text(self.take(length)?)
    }
}

/// Reads bytes as text.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Damage> {
    std::str::from_utf8(bytes).map_err(|_| Damage("a stored text is not UTF-8"))
}

const SHORT: Damage = Damage("a stored value ends too early");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_take_seven_bits_a_byte() {
        let check = |number: u64, length: usize| {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            assert_eq!(bytes.len(), length, "{number}");
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.number(), Ok(number));
            assert!(reader.rest().is_empty());
        };
        check(0, 1);
        check(127, 1);
        check(128, 2);
        check(u64::from(u32::MAX), 5);
        check(u64::MAX, 10);
    }

    #[test]
    fn what_cannot_be_a_number_is_damage() {
        let check = |bytes: &[u8]| assert!(Reader::new(bytes).number().is_err(), "{bytes:?}");
        check(&[]);
        check(&[0x80]);
        check(&[0xff; 11]);
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]);
    }

    proptest! {
        #[test]
        fn optional_numbers_survive(number in any::<Option<u64>>()) {
            let mut bytes = Vec::new();
            put_optional(&mut bytes, number);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.optional(), Ok(number));
            prop_assert!(reader.rest().is_empty());
        }
    }
}
