//! Sizes in bytes, as people write them.

const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a number of bytes with or without a unit: `67108864`, `64MiB`, `64 MiB`.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim_start();
    if unit.is_empty() {
        return Some(number);
    }
    let (_, bytes) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(bytes)
}

/// The number of bytes, with its binary unit where that is exact: `67108864 (64 MiB)`.
pub(crate) fn format(bytes: u64) -> String {
    let unit = UNITS[..4].iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => format!("{bytes} ({} {name})", bytes / unit),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(parse(text), expected, "{text}");
        check("0", Some(0));
        check("67108864", Some(64 << 20));
        check(" 64MiB ", Some(64 << 20));
        check("64 MiB", Some(64 << 20));
        check("2kB", Some(2_000));
        check("7 B", Some(7));
        check("16777216 TiB", None);
        check("1.5MiB", None);
        check("-1", None);
        check("64M", None);
        check("MiB", None);
        check("", None);

        assert_eq!(format(64 << 20), "67108864 (64 MiB)");
        assert_eq!(format(1500), "1500");
        assert_eq!(format(0), "0");
    }
}
