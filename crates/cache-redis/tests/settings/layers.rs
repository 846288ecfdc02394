//! Files, variables and calls: which one holds, and what is said of the others.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use cache_redis::{Loader, RedisSettings};
use mockall::mock;

use crate::common::{Layers, loader, row, warnings};

/// A good value for each setting, and the variable that is no part of its key.
const GIVEN: &[(&str, &str, &str)] = &[
    ("redis.url", "REDIS_URL", "redis://h:1/2"),
    ("redis.host", "REDIS_HOST", "h"),
    ("redis.port", "REDIS_PORT", "7"),
    ("redis.db", "REDIS_DB", "3"),
    ("redis.user", "REDIS_USER", "u"),
    ("redis.password", "REDIS_PASSWORD", "p"),
    ("redis.tls.enabled", "REDIS_TLS", "true"),
    ("redis.tls.ca_file", "REDIS_TLS_CA_FILE", "a.pem"),
    ("redis.tls.certificate_file", "REDIS_TLS_CERTIFICATE_FILE", "b.pem"),
    ("redis.tls.key_file", "REDIS_TLS_KEY_FILE", "c.pem"),
    ("redis.sentinel.service", "REDIS_SENTINEL_SERVICE", "s"),
    ("redis.sentinel.nodes", "REDIS_SENTINEL_NODES", "a,b"),
    ("redis.sentinel.user", "REDIS_SENTINEL_USER", "u"),
    ("redis.sentinel.password", "REDIS_SENTINEL_PASSWORD", "p"),
    ("redis.cluster.seeds", "REDIS_CLUSTER_SEEDS", "a,b"),
    ("redis.pool.preset", "REDIS_POOL_PRESET", "burst"),
    ("redis.pool.size", "REDIS_POOL_SIZE", "7"),
    ("redis.pool.timeout", "REDIS_POOL_TIMEOUT", "7s"),
    ("redis.pool.max_idle", "REDIS_MAX_IDLE_CONNS", "7"),
    ("redis.pool.min_idle", "REDIS_MIN_IDLE_CONNS", "7"),
    ("redis.pool.idle_timeout", "REDIS_IDLE_TIMEOUT", "7s"),
    ("redis.pool.max_lifetime", "REDIS_MAX_LIFETIME", "7s"),
    ("redis.pool.connect_timeout", "REDIS_CONNECT_TIMEOUT", "7s"),
    ("redis.pool.response_timeout", "REDIS_RESPONSE_TIMEOUT", "7s"),
    ("redis.pool.lane_depth", "REDIS_LANE_DEPTH", "7"),
    ("redis.pool.connect_rate", "REDIS_CONNECT_RATE", "7"),
    ("redis.pool.hold_limit", "REDIS_HOLD_LIMIT", "7s"),
];

mock! {
    Variables {}
    impl cache_redis::Environment for Variables {
        fn variable(&self, name: &str) -> Option<OsString>;
        fn names(&self) -> Vec<OsString>;
    }
}

#[test]
fn exactly_the_documented_variables_are_asked_for() {
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let mut environment = MockVariables::new();
    let seen = Arc::clone(&asked);
    environment.expect_variable().returning(move |name| {
        assert!(seen.lock().unwrap().insert(name.to_owned()), "{name} is asked for twice");
        None
    });
    environment.expect_names().return_const(Vec::new());
    Loader::new(RedisSettings::schema()).environment(environment).build().unwrap();
    let expected: BTreeSet<String> = GIVEN
        .iter()
        .flat_map(|(key, flat, _)| {
            let prefixed = key.replace('.', "__").to_uppercase();
            [(*flat).to_owned(), format!("TURNLEDGER__{prefixed}")]
        })
        .collect();
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn both_variables_of_a_setting_stand_for_it() {
    for (key, flat, value) in GIVEN {
        let prefixed = format!("TURNLEDGER__{}", key.replace('.', "__").to_uppercase());
        for name in [*flat, prefixed.as_str()] {
            let settings = loader(&[(name, value)], &[]).build().unwrap();
            let shown = row(&settings, key);
            assert!(shown.ends_with(&format!(" (environment {name})")), "{key}: {shown}");
        }
    }
}

#[test]
fn each_layer_wins_over_the_one_below() {
    let key = "redis.pool.lane_depth";
    let (file, variables) = ("redis.pool.lane_depth = 1", [("REDIS_LANE_DEPTH", "2")]);
    let check = |layers: Layers<'_>, expected: &str| {
        assert_eq!(row(&layers.good().1, key), expected);
    };
    check(Layers::default(), "128 (default)");
    check(Layers { file, ..Layers::default() }, "1 (file s.toml)");
    let both = Layers { file, variables: &variables, ..Layers::default() };
    check(both, "2 (environment REDIS_LANE_DEPTH)");
    let explicit = [(key, "3")];
    let all = Layers { file, variables: &variables, explicit: &explicit, ..Layers::default() };
    check(all, "3 (explicit)");
}

#[test]
fn the_prefixed_variable_beats_its_flat_twin() {
    let check = |variables: &[(&str, &str)], expected: &str, warned: &[&str]| {
        let (_, settings) = Layers { variables, ..Layers::default() }.good();
        assert_eq!(row(&settings, "redis.pool.size"), expected);
        assert_eq!(warnings(&settings), warned);
    };
    let prefixed = ("TURNLEDGER__REDIS__POOL__SIZE", "8");
    let holds = "8 (environment TURNLEDGER__REDIS__POOL__SIZE)";
    check(&[prefixed, ("REDIS_POOL_SIZE", "8")], holds, &[]);
    check(
        &[prefixed, ("REDIS_POOL_SIZE", "9")],
        holds,
        &["environment variable REDIS_POOL_SIZE (\"9\") is ignored, because \
           TURNLEDGER__REDIS__POOL__SIZE (\"8\") differs from it and stands for redis.pool.size too"],
    );
    let urls =
        [("TURNLEDGER__REDIS__URL", "redis://u:canary@a"), ("REDIS_URL", "redis://u:canary@b")];
    let (_, settings) = Layers { variables: &urls, ..Layers::default() }.good();
    assert_eq!(row(&settings, "redis.url"), "redis://u:***@a (environment TURNLEDGER__REDIS__URL)");
    assert_eq!(
        warnings(&settings),
        ["environment variable REDIS_URL (***) is ignored, because TURNLEDGER__REDIS__URL (***) \
          differs from it and stands for redis.url too"]
    );
}

#[test]
fn a_bad_variable_is_told_and_the_layer_below_holds() {
    let check = |variable: (&str, &str), key: &str, holds: &str, warning: &str| {
        let (file, variables) = ("redis.pool.size = 8", [variable]);
        let layers = Layers { file, variables: &variables, ..Layers::default() };
        let (_, settings) = layers.good();
        assert_eq!(row(&settings, key), holds);
        let warned = warnings(&settings);
        let warning = format!("environment variable {} is {warning}", variable.0);
        assert!(warned.len() == 1 && warned[0].starts_with(&warning), "{warned:?}");
        let strict = Layers { strict: true, ..layers }.refused();
        let refused = warned[0].split("; it is ignored").next().unwrap();
        assert_eq!(strict, format!("{refused} for {key}"));
    };
    check(
        ("REDIS_POOL_SIZE", "seven"),
        "redis.pool.size",
        "8 (file s.toml)",
        "\"seven\", expected an integer from 1 to 65535; it is ignored, and redis.pool.size is 8 \
         (file ",
    );
    for size in ["0", "-1", "65536", "1.5", "99999999999999999999"] {
        let value = format!("\"{size}\", expected an integer from 1 to 65535; it is ignored");
        check(("REDIS_POOL_SIZE", size), "redis.pool.size", "8 (file s.toml)", &value);
    }
    for duration in ["30", "0s", "0ms", "-1s", "soon", "off", "366days"] {
        let value = format!(
            "\"{duration}\", expected a duration above 0s and of at most 365days with its unit, \
             such as 30s; it is ignored, and redis.pool.timeout is 30s (default)"
        );
        check(("REDIS_POOL_TIMEOUT", duration), "redis.pool.timeout", "30s (default)", &value);
    }
    check(
        ("REDIS_MAX_IDLE_CONNS", "-1"),
        "redis.pool.max_idle",
        "4 (derived redis.pool.size)",
        "\"-1\", expected an integer from 0 to 65535; it is ignored, and redis.pool.max_idle is 4 \
         (derived redis.pool.size)",
    );
    check(
        ("REDIS_POOL_PRESET", "brust"),
        "redis.pool.preset",
        "(not set) (default)",
        "\"brust\", expected one of development, high_throughput, burst; it is ignored, and \
         redis.pool.preset is not set",
    );
    for url in ["canary", "http://h", "redis://u:canary@h:x", "redis://h?ssl_cert_reqs=none"] {
        check(
            ("REDIS_URL", url),
            "redis.url",
            "redis://127.0.0.1:6379/0 (default)",
            "***, expected a URL of one server, such as redis://user:password@host:6379/0",
        );
    }
    // What a cluster of containers sets for a service of this name.
    check(
        ("REDIS_PORT", "tcp://10.0.0.1:6379"),
        "redis.port",
        "(not set) (default)",
        "\"tcp://10.0.0.1:6379\", expected an integer from 1 to 65535; it is ignored, and \
         redis.port is not set, since redis.url is \"redis://127.0.0.1:6379/0\" (default)",
    );
}

#[test]
fn a_file_is_always_held_to_its_word() {
    let check = |file: &str, expected: &str| {
        for strict in [false, true] {
            let error = Layers { file, strict, ..Layers::default() }.refused();
            assert_eq!(error, format!("settings file s.toml: {expected}"));
        }
    };
    check("redis.pool.size = 0", "redis.pool.size is 0, expected an integer from 1 to 65535");
    check(
        "redis.pool.idle_timeout = 30",
        "redis.pool.idle_timeout is 30, expected a duration above 0s and of at most 365days with \
         its unit, such as 30s",
    );
    check(
        "redis.pool.max_lifetime = 'never'",
        "redis.pool.max_lifetime is \"never\", expected a duration above 0s and of at most \
         365days with its unit, such as 30s, or off",
    );
    check(
        "redis.pool.max_idel = 1",
        "unknown key redis.pool.max_idel; the nearest known one is redis.pool.max_idle",
    );
    check("redis.urls = 'canary'", "unknown key redis.urls; the nearest known one is redis.url");
    check("redis.password = ''", "redis.password is ***, expected text of at least 1 byte");
    check("redis.host = 'u:canary@h'", "redis.host is ***, expected a host's name or IP address");
    check(
        "redis.cluster.seeds = 'a;b'",
        "redis.cluster.seeds is \"a;b\", expected hosts separated by commas, such as \
         a:6379,b:6379",
    );
}

#[test]
fn every_setting_reaches_its_typed_value() {
    // A setting, and those that have to stand beside it.
    let changed: &[(&str, &[(&str, &str)])] = &[
        ("redis.url", &[]),
        ("redis.host", &[]),
        ("redis.port", &[]),
        ("redis.db", &[]),
        ("redis.user", &[("redis.password", "q")]),
        ("redis.password", &[]),
        ("redis.tls.enabled", &[]),
        ("redis.tls.ca_file", &[("redis.url", "rediss://h")]),
        ("redis.tls.certificate_file", &TLS_FILES),
        ("redis.tls.key_file", &TLS_FILES),
        ("redis.sentinel.service", &[("redis.sentinel.nodes", "z")]),
        ("redis.sentinel.nodes", &[("redis.sentinel.service", "z")]),
        ("redis.sentinel.user", &SENTINEL),
        ("redis.sentinel.password", &SENTINEL),
        ("redis.cluster.seeds", &[]),
        ("redis.pool.preset", &[]),
        ("redis.pool.size", &[]),
        ("redis.pool.timeout", &[]),
        ("redis.pool.max_idle", &[]),
        ("redis.pool.min_idle", &[]),
        ("redis.pool.idle_timeout", &[]),
        ("redis.pool.max_lifetime", &[]),
        ("redis.pool.connect_timeout", &[]),
        ("redis.pool.response_timeout", &[]),
        ("redis.pool.lane_depth", &[]),
        ("redis.pool.connect_rate", &[]),
        ("redis.pool.hold_limit", &[]),
    ];
    let keys: Vec<_> = changed.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, GIVEN.iter().map(|(key, ..)| *key).collect::<Vec<_>>());
    for ((key, beside), (_, _, value)) in changed.iter().zip(GIVEN) {
        let typed = |given: &[(&str, &str)]| {
            RedisSettings::settle(&mut loader(&[], given).build().unwrap()).unwrap()
        };
        // What stands beside it may need it, and then has to have another value of it.
        let without = match *key {
            "redis.tls.certificate_file"
            | "redis.tls.key_file"
            | "redis.sentinel.password"
            | "redis.sentinel.service"
            | "redis.sentinel.nodes" => [*beside, &[(*key, "other")]].concat(),
            _ => beside.to_vec(),
        };
        let with = [*beside, &[(*key, *value)]].concat();
        assert_ne!(typed(&with), typed(&without), "{key}");
    }
}

const TLS_FILES: [(&str, &str); 3] = [
    ("redis.url", "rediss://h"),
    ("redis.tls.certificate_file", "z.pem"),
    ("redis.tls.key_file", "z.pem"),
];

const SENTINEL: [(&str, &str); 3] = [
    ("redis.sentinel.nodes", "z"),
    ("redis.sentinel.service", "z"),
    ("redis.sentinel.password", "z"),
];
