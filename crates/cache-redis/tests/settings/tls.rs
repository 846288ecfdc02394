//! The files of TLS, and the addresses that they can stand beside.

use std::path::Path;

use crate::common::Layers;

#[test]
fn the_files_are_read_with_every_address_that_encrypts() {
    let files = "[redis.tls]\nca_file = 'ca.pem'\ncertificate_file = 'c.pem'\nkey_file = 'k.pem'\n";
    for address in [
        "redis.url = 'rediss://h'\n",
        "redis.host = 'h'\nredis.tls.enabled = true\n",
        "redis.cluster.seeds = 'h'\nredis.tls.enabled = true\n",
    ] {
        let explicit: Vec<(&str, &str)> = address
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|(key, value)| (key, value.trim_matches('\'')))
            .collect();
        let (typed, _) = Layers { file: files, explicit: &explicit, ..Layers::default() }.good();
        let tls = typed.tls.unwrap();
        assert_eq!(tls.ca_file.as_deref(), Some(Path::new("ca.pem")));
        let client = tls.client.unwrap();
        assert_eq!(client.certificate_file, Path::new("c.pem"));
        assert_eq!(client.key_file, Path::new("k.pem"));
    }
    let explicit = [("redis.url", "rediss://h")];
    let (typed, _) = Layers { explicit: &explicit, ..Layers::default() }.good();
    assert_eq!(typed.tls, Some(cache_redis::TlsSettings::default()));
}

#[test]
fn a_file_without_tls_or_without_its_twin_is_refused() {
    let check = |file: &str, expected: &str| {
        assert_eq!(Layers { file, ..Layers::default() }.refused(), expected);
    };
    let no_tls = "expected an address with TLS beside it: rediss:// in redis.url, or \
                  redis.tls.enabled";
    for (key, address) in [
        ("ca_file", "url = 'redis://h'"),
        ("certificate_file", "host = 'h'"),
        ("key_file", "tls.enabled = false"),
    ] {
        check(
            &format!("[redis]\ntls.{key} = 'x.pem'\n{address}"),
            &format!("redis.tls.{key} is \"x.pem\" (file s.toml), {no_tls}"),
        );
    }
    for (key, twin) in [("certificate_file", "key_file"), ("key_file", "certificate_file")] {
        check(
            &format!("[redis]\nurl = 'rediss://h'\ntls.{key} = 'x.pem'"),
            &format!(
                "redis.tls.{key} is \"x.pem\" (file s.toml), expected redis.tls.{twin} beside it"
            ),
        );
    }
}
