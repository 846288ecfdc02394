//! URL, parts, sentinels and clusters, alone and over each other.

use cache_redis::{Credentials, Node, RedisSettings, Topology};

use crate::common::{Layers, row};

/// The topology, login and database in one line.
fn shown(settings: &RedisSettings) -> String {
    let list = |nodes: &[Node]| nodes.iter().map(Node::to_string).collect::<Vec<_>>().join(",");
    let login = |credentials: &Option<Credentials>| {
        let found = credentials.as_ref();
        found.map_or_else(String::new, |found| {
            format!("{}:{}@", found.user().unwrap_or_default(), found.password().expose())
        })
    };
    let servers = match &settings.topology {
        Topology::Single(node) => node.to_string(),
        Topology::Sentinel { service, sentinels, credentials } => {
            format!("{service} by {}{}", login(credentials), list(sentinels))
        }
        Topology::Cluster { seeds } => format!("cluster {}", list(seeds)),
        _ => panic!("an unknown topology"),
    };
    let tls = if settings.tls.is_some() { " tls" } else { "" };
    format!("{}{servers}/{}{tls}", login(&settings.credentials), settings.database)
}

#[test]
fn each_topology_is_read() {
    let check = |file: &str, expected: &str| {
        let (typed, _) = Layers { file, ..Layers::default() }.good();
        assert_eq!(shown(&typed), expected, "{file}");
    };
    check("", "127.0.0.1:6379/0");
    check("redis.url = 'rediss://u:p@h:1/2'", "u:p@h:1/2 tls");
    check("redis.host = 'h'", "h:6379/0");
    check("[redis]\nhost = '::1'\nport = 1\ndb = 2\nuser = 'u'\npassword = 'p'", "u:p@[::1]:1/2");
    check("[redis]\nhost = 'h'\ntls.enabled = true", "h:6379/0 tls");
    check("redis.port = 7", "127.0.0.1:7/0");
    check("redis.password = 'p'", ":p@127.0.0.1:6379/0");
    check(
        "[redis]\ndb = 3\npassword = 'p'\nsentinel.service = 'main'\nsentinel.nodes = 'a,b:1'",
        ":p@main by a:26379,b:1/3",
    );
    check(
        "[redis.sentinel]\nservice = 'main'\nnodes = 'a'\nuser = 'u'\npassword = 'p'",
        "main by u:p@a:26379/0",
    );
    check(
        "[redis]\nuser = 'u'\npassword = 'p'\ntls.enabled = true\ncluster.seeds = 'a,[::1]:7'",
        "u:p@cluster a:6379,[::1]:7/0 tls",
    );
}

#[test]
fn what_parts_leave_open_is_filled_in() {
    let check = |file: &str, expected: &[(&str, &str)]| {
        let (_, settings) = Layers { file, ..Layers::default() }.good();
        for (key, value) in expected {
            assert_eq!(row(&settings, key), *value, "{key} of {file}");
        }
    };
    check(
        "",
        &[
            ("redis.url", "redis://127.0.0.1:6379/0 (default)"),
            ("redis.host", "(not set) (default)"),
            ("redis.db", "(not set) (default)"),
        ],
    );
    check(
        "redis.host = 'h'",
        &[
            ("redis.url", "(not set) (default)"),
            ("redis.port", "6379 (derived redis.host)"),
            ("redis.db", "0 (derived redis.host)"),
            ("redis.tls.enabled", "false (derived redis.host)"),
        ],
    );
    check("redis.port = 7", &[("redis.host", "127.0.0.1 (derived redis.port)")]);
    check(
        "[redis.sentinel]\nservice = 's'\nnodes = 'a'",
        &[("redis.db", "0 (derived redis.sentinel.nodes)"), ("redis.port", "(not set) (default)")],
    );
}

#[test]
fn a_higher_address_replaces_the_lower_one_whole() {
    let check = |file: &str, variables: &[(&str, &str)], expected: &str| {
        let (typed, _) = Layers { file, variables, ..Layers::default() }.good();
        assert_eq!(shown(&typed), expected, "{file} {variables:?}");
    };
    let parts = "[redis]\nhost = 'f'\nport = 1\ndb = 2\nuser = 'u'\npassword = 'p'\n";
    check(parts, &[], "u:p@f:1/2");
    check(parts, &[("REDIS_URL", "redis://e")], "e:6379/0");
    check(parts, &[("REDIS_HOST", "e")], "e:6379/0");
    check(parts, &[("REDIS_HOST", "e"), ("REDIS_PASSWORD", "q")], ":q@e:6379/0");
    check(parts, &[("REDIS_CLUSTER_SEEDS", "e")], "cluster e:6379/0");
    let sentinel = [("REDIS_SENTINEL_NODES", "e"), ("REDIS_SENTINEL_SERVICE", "s")];
    check(parts, &sentinel, "s by e:26379/0");
    // Single parts change an address that is made of parts.
    check(parts, &[("REDIS_PORT", "7")], "u:p@f:7/2");
    check(parts, &[("REDIS_PASSWORD", "q")], "u:q@f:1/2");
    check("redis.url = 'redis://u:p@f:1/2'", &[("REDIS_HOST", "e")], "e:6379/0");
    let seeds = "[redis]\npassword = 'p'\ncluster.seeds = 'f'\n";
    check(seeds, &[("REDIS_PASSWORD", "q")], ":q@cluster f:6379/0");
    check(seeds, &[("REDIS_URL", "redis://e")], "e:6379/0");
    check(seeds, &[("REDIS_HOST", "e")], "e:6379/0");
    check(seeds, &sentinel, "s by e:26379/0");
    // Naming another server does not switch encryption off.
    let encrypted = "[redis]\nhost = 'f'\ntls.enabled = true\n";
    check(encrypted, &[("REDIS_HOST", "e")], "e:6379/0 tls");
    check(encrypted, &[("REDIS_HOST", "e"), ("REDIS_TLS", "no")], "e:6379/0");
}

#[test]
fn two_addresses_in_one_layer_are_refused() {
    let check = |file: &str, keys: [&str; 2]| {
        let error = Layers { file, ..Layers::default() }.refused();
        let expected = format!(
            "{} and {} exclude each other, and both are set in the layer file s.toml; remove one",
            keys[0], keys[1]
        );
        assert_eq!(error, expected);
    };
    for part in ["port = 1", "db = 0", "user = 'u'", "password = 'canary'", "tls.enabled = true"] {
        let key = format!("redis.{}", part.split(' ').next().unwrap());
        check(&format!("[redis]\nurl = 'redis://u:canary@h'\n{part}"), ["redis.url", &key]);
    }
    check("[redis]\nurl = 'redis://h'\nhost = 'h'\nport = 1", ["redis.url", "redis.host"]);
    check("[redis]\nhost = 'h'\ncluster.seeds = 'h'", ["redis.host", "redis.cluster.seeds"]);
    check("[redis]\nport = 1\nsentinel.nodes = 'h'", ["redis.port", "redis.sentinel.nodes"]);
    check(
        "[redis]\nsentinel.service = 's'\ncluster.seeds = 'h'",
        ["redis.sentinel.service", "redis.cluster.seeds"],
    );
    let variables = [("REDIS_URL", "redis://u:canary@h"), ("TURNLEDGER__REDIS__HOST", "h")];
    assert_eq!(
        Layers { variables: &variables, ..Layers::default() }.refused(),
        "redis.url (REDIS_URL) and redis.host (TURNLEDGER__REDIS__HOST) exclude each other, and \
         both are set in the layer environment; remove one",
    );
}

#[test]
fn a_part_alone_takes_the_place_of_no_address() {
    let check = |file: &str, variable: (&str, &str), expected: &str| {
        let variables = [variable];
        let error = Layers { file, variables: &variables, ..Layers::default() }.refused();
        assert_eq!(error.replace("/s.toml", "s.toml"), expected);
    };
    check(
        "redis.url = 'redis://h'",
        ("REDIS_PASSWORD", "canary"),
        "redis.password is *** (environment REDIS_PASSWORD), expected redis.host beside it, since \
         it takes the place of redis.url (file s.toml)",
    );
    check(
        "redis.cluster.seeds = 'h'",
        ("REDIS_PORT", "7"),
        "redis.port is 7 (environment REDIS_PORT), expected redis.host beside it, since it takes \
         the place of redis.cluster.seeds (file s.toml)",
    );
    check(
        "redis.host = 'h'",
        ("REDIS_SENTINEL_SERVICE", "s"),
        "redis.sentinel.service is \"s\" (environment REDIS_SENTINEL_SERVICE), expected \
         redis.sentinel.nodes beside it",
    );
}

#[test]
fn parts_that_cannot_do_alone_are_refused() {
    let check = |file: &str, expected: &str| {
        assert_eq!(Layers { file, ..Layers::default() }.refused(), expected);
    };
    check(
        "redis.sentinel.nodes = 'a'",
        "redis.sentinel.nodes is \"a\" (file s.toml), expected redis.sentinel.service beside it",
    );
    check(
        "redis.user = 'u'",
        "redis.user is \"u\" (file s.toml), expected redis.password beside it",
    );
    check(
        "[redis.sentinel]\nservice = 's'\nnodes = 'a'\nuser = 'u'",
        "redis.sentinel.user is \"u\" (file s.toml), expected redis.sentinel.password beside it",
    );
    check(
        "[redis]\ndb = 1\ncluster.seeds = 'a'",
        "redis.db is 1 (file s.toml), expected 0, the only database of a cluster",
    );
}
