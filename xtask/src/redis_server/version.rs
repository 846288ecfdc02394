//! Whether a program is a server that is new enough.

/// The oldest version that is supported, its first two numbers.
const OLDEST: (u32, u32) = (7, 0);

/// What is wrong with a program that prints this for `--version`; nothing if it serves.
pub(super) fn fault(printed: &str) -> Option<String> {
    let version = printed.split_whitespace().find_map(|word| word.strip_prefix("v="));
    let Some(version) = version else {
        return Some("is no Redis server: it prints no version".to_owned());
    };
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (found < OLDEST)
        .then(|| format!("is version {version}; {}.{} is the oldest", OLDEST.0, OLDEST.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(printed: &str, expected: Option<&str>) {
        assert_eq!(fault(printed).as_deref(), expected, "{printed}");
    }

    #[test]
    fn a_server_is_new_enough_or_its_fault_is_told() {
        check("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", None);
        check("Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64", None);
        check("Redis server v=6.0.16 sha=0", Some("is version 6.0.16; 7.0 is the oldest"));
        check("redis-cli 7.0.15", Some("is no Redis server: it prints no version"));
    }
}
