//! What a server tells with INFO.

use super::report::{Concern, ServerReport};

/// The oldest major version that is supported.
const OLDEST: u32 = 7;

/// Reads the fields of INFO that are of interest.
pub(super) fn read(address: &str, info: &str) -> ServerReport {
    let field = |name: &str| {
        let value = |line: &str| {
            let (found, value) = line.trim_end().split_once(':')?;
            (found == name).then(|| value.to_owned())
        };
        info.lines().find_map(value)
    };
    let compatible = field("redis_version");
    let valkey = field("valkey_version");
    ServerReport {
        address: address.to_owned(),
        is_valkey: valkey.is_some(),
        version: valkey.or_else(|| compatible.clone()),
        compatible,
        max_memory: field("maxmemory").and_then(|bytes| bytes.parse().ok()).filter(|max| *max > 0),
        eviction_policy: field("maxmemory_policy"),
    }
}

/// What is to be said about a server.
pub(super) fn concerns(server: &ServerReport) -> Vec<Concern> {
    let address = || server.address.clone();
    let mut concerns = Vec::new();
    let major = |version: &str| version.split('.').next()?.parse::<u32>().ok();
    // Valkey has counted on from 7.2, so its own version does as well.
    match &server.compatible {
        None => concerns.push(Concern::UnknownVersion { address: address() }),
        Some(version) => match major(version) {
            None => concerns.push(Concern::UnknownVersion { address: address() }),
            Some(major) if major < OLDEST => {
                let version = version.clone();
                concerns.push(Concern::Unsupported { address: address(), version });
            }
            Some(_) => {}
        },
    }
    if let (Some(max_memory), Some(policy)) = (server.max_memory, &server.eviction_policy)
        && policy != "noeviction"
    {
        concerns.push(Concern::Eviction { address: address(), max_memory, policy: policy.clone() });
    }
    concerns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_from_seven_on_are_supported() {
        let check = |info: &str, expected: &str, is_unsupported: bool| {
            let server = read("cache:6379", info);
            assert_eq!(server.to_string(), format!("cache:6379: {expected}"));
            let concerns = concerns(&server);
            let found =
                concerns.iter().any(|concern| matches!(concern, Concern::Unsupported { .. }));
            assert_eq!(found, is_unsupported, "{concerns:?}");
        };
        let redis = |version: &str| format!("# Server\r\nredis_version:{version}\r\n");
        check(&redis("6.2.14"), "Redis 6.2.14, no maxmemory", true);
        check(&redis("7.0.15"), "Redis 7.0.15, no maxmemory", false);
        check(&redis("8.0.0"), "Redis 8.0.0, no maxmemory", false);
        check(&redis("10.0.0"), "Redis 10.0.0, no maxmemory", false);
        let valkey = redis("7.2.4") + "server_name:valkey\r\nvalkey_version:8.1.0\r\n";
        check(&valkey, "Valkey 8.1.0, no maxmemory", false);
        check("", "Redis of an unknown version, no maxmemory", false);
        assert_eq!(
            concerns(&read("a:1", "redis_version:unstable")),
            [Concern::UnknownVersion { address: "a:1".to_owned() }]
        );
    }

    #[test]
    fn a_server_that_removes_keys_is_a_concern() {
        let check = |max_memory: u64, policy: &str, expected: Option<&str>| {
            let info = format!(
                "redis_version:7.0.0\r\nmaxmemory:{max_memory}\r\nmaxmemory_policy:{policy}\r\n"
            );
            let found = concerns(&read("a:1", &info));
            assert_eq!(found.len(), usize::from(expected.is_some()), "{found:?}");
            if let Some(expected) = expected {
                assert!(found[0].to_string().contains(expected), "{}", found[0]);
            }
        };
        check(0, "allkeys-lru", None);
        check(100, "noeviction", None);
        check(100, "allkeys-lru", Some("a:1 removes any keys by itself when 100 bytes are taken"));
        check(100, "volatile-ttl", Some("keys that have a time to live"));
    }
}
