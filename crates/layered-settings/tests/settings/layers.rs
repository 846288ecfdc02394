//! Which layer a value comes from, and what is said where one is ignored.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::{environment, schema};
use layered_settings::{Layer, Loader, Secret, Settings, SettingsError, Url, Value};
use proptest::prelude::*;
use tempfile::TempDir;

fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

fn with_variables(pairs: &[(&str, &str)]) -> Settings {
    Loader::new(schema()).environment(environment(pairs)).build().unwrap()
}

fn warnings(settings: &Settings) -> Vec<String> {
    settings.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn defaults_hold_where_nothing_else_is_given() {
    let settings = Loader::new(schema()).build().unwrap();
    assert_eq!(
        settings.to_json(),
        concat!(
            r#"{"counter.encoding":{"value":"o200k_base","layer":"default","source":null},"#,
            r#""counter.label":{"value":null,"layer":"default","source":null},"#,
            r#""store.path":{"value":"a b/x.redb","layer":"default","source":null},"#,
            r#""store.read_only":{"value":false,"layer":"default","source":null},"#,
            r#""store.cache":{"value":67108864,"layer":"default","source":null},"#,
            r#""sweep.interval":{"value":"1m 30s","layer":"default","source":null},"#,
            r#""redis.url":{"value":"redis://127.0.0.1:6379/0","layer":"default","source":null},"#,
            r#""redis.host":{"value":null,"layer":"default","source":null},"#,
            r#""redis.port":{"value":null,"layer":"default","source":null},"#,
            r#""redis.password":{"value":null,"layer":"default","source":null},"#,
            r#""redis.pool.size":{"value":100,"layer":"default","source":null},"#,
            r#""redis.pool.max_idle":{"value":50,"layer":"default","source":null},"#,
            r#""redis.pool.max_lifetime":{"value":"off","layer":"default","source":null}}"#,
        ),
    );
    assert!(settings.warnings().is_empty());
    assert_eq!(settings.file(), None);
    assert_eq!(
        settings.iter().next().unwrap().description(),
        "vocabulary that tokens are counted with"
    );
}

#[test]
fn every_kind_reads_as_its_types() {
    let settings = with_variables(&[
        ("REDIS_PASSWORD", "p"),
        ("TURNLEDGER__COUNTER__LABEL", " x "),
        ("TURNLEDGER__STORE__READ_ONLY", "yes"),
    ]);
    assert_eq!(settings.get::<&str>("counter.encoding").unwrap(), "o200k_base");
    assert_eq!(settings.get::<String>("counter.label").unwrap(), " x ");
    assert_eq!(settings.get::<&Path>("store.path").unwrap(), Path::new("a b/x.redb"));
    assert_eq!(settings.get::<PathBuf>("store.path").unwrap(), Path::new("a b/x.redb"));
    assert!(settings.get::<bool>("store.read_only").unwrap());
    assert_eq!(settings.get::<u64>("store.cache").unwrap(), 64 << 20);
    assert_eq!(settings.get::<Duration>("sweep.interval").unwrap(), Duration::from_secs(90));
    let url: Url = settings.get("redis.url").unwrap();
    assert_eq!(url.expose(), "redis://127.0.0.1:6379/0");
    let secret: Secret = settings.get("redis.password").unwrap();
    assert_eq!(secret.expose(), "p");
    assert_eq!(settings.get::<usize>("redis.pool.size").unwrap(), 100);
    assert_eq!(settings.get::<Option<u8>>("redis.pool.size").unwrap(), Some(100));
    assert_eq!(settings.get::<Option<&str>>("redis.host").unwrap(), None);
    assert_eq!(settings.get::<Option<Duration>>("redis.pool.max_lifetime").unwrap(), None);
    assert_eq!(settings.resolved("redis.pool.max_lifetime").unwrap().value(), &Value::Off);
}

#[test]
fn a_wrong_read_is_an_error_and_no_panic() {
    let settings = with_variables(&[("REDIS_POOL_SIZE", "300")]);
    let check = |error: SettingsError, expected: &str| assert_eq!(error.to_string(), expected);
    check(
        settings.get::<usize>("redis.pool.sise").unwrap_err(),
        "no setting is named redis.pool.sise; the nearest known one is redis.pool.size",
    );
    check(
        settings.get::<u8>("redis.pool.size").unwrap_err(),
        "the setting redis.pool.size holds a value of the kind integer, which u8 cannot hold",
    );
    check(
        settings.get::<bool>("redis.pool.size").unwrap_err(),
        "the setting redis.pool.size holds a value of the kind integer, which bool cannot hold",
    );
    check(
        settings.get::<&str>("redis.password").unwrap_err(),
        "redis.password is not set; expected text",
    );
    check(
        settings.get::<Duration>("redis.pool.max_lifetime").unwrap_err(),
        "redis.pool.max_lifetime is not set; expected a duration of at least 1s with its unit, \
         such as 30s, or off",
    );
    assert!(settings.layer("nothing.here").is_err());
}

#[test]
fn each_format_gives_the_same_settings() {
    let formats = [
        ("s.toml", "counter.label = \"x\"\n[redis.pool]\nsize = 7\nmax_lifetime = \"1h\"\n"),
        ("s.yaml", "counter: {label: x}\nredis:\n  pool:\n    size: 7\n    max_lifetime: 1h\n"),
        ("s.YML", "\u{feff}counter:\n  label: x\nredis: {pool: {size: 7, max_lifetime: 1h}}\n"),
        ("s.json", r#"{"counter":{"label":"x"},"redis":{"pool":{"size":7,"max_lifetime":"1h"}}}"#),
    ];
    for (name, text) in formats {
        let (_directory, path) = file(name, text);
        let settings = Loader::new(schema()).file(&path).build().unwrap();
        assert_eq!(settings.get::<&str>("counter.label").unwrap(), "x", "{name}");
        let hour = Duration::from_hours(1);
        assert_eq!(settings.get::<Duration>("redis.pool.max_lifetime").unwrap(), hour, "{name}");
        let size = settings.resolved("redis.pool.size").unwrap();
        assert_eq!(size.value(), &Value::Integer(7), "{name}");
        assert_eq!((size.layer(), size.source()), (Layer::File, path.to_str()), "{name}");
        assert_eq!(settings.file(), Some(path.as_path()));
        assert_eq!(settings.layer("counter.encoding").unwrap(), Layer::Default);
    }
}

#[test]
fn an_unreadable_variable_leaves_the_next_lower_layer() {
    let (_directory, path) = file("s.toml", "redis.pool.size = 7\n");
    let check = |value: &str, expected: &str| {
        let variables = environment(&[("REDIS_POOL_SIZE", value)]);
        let settings = Loader::new(schema()).file(&path).environment(variables).build().unwrap();
        assert_eq!(settings.get::<u32>("redis.pool.size").unwrap(), 7);
        assert_eq!(settings.layer("redis.pool.size").unwrap(), Layer::File);
        let place = path.display();
        let expected = format!(
            "environment variable REDIS_POOL_SIZE is {expected}, expected an integer of at least \
             1; it is ignored, and redis.pool.size is 7 (file {place})"
        );
        assert_eq!(warnings(&settings), [expected]);
    };
    check("seven", "\"seven\"");
    check("0", "\"0\"");
    check("1\u{1b}[2J", "\"1\\u{1b}[2J\"");

    let settings = with_variables(&[
        ("TURNLEDGER__REDIS__POOL__SIZE", "many"),
        ("REDIS_POOL_SIZE", "20"),
        ("REDIS_PORT", "none"),
        ("REDIS_URL", ""),
    ]);
    assert_eq!(
        warnings(&settings),
        [
            "environment variable REDIS_PORT is \"none\", expected an integer from 1 to 65535; it \
             is ignored, and redis.port is not set, since redis.url is \
             \"redis://127.0.0.1:6379/0\" (default)",
            "environment variable TURNLEDGER__REDIS__POOL__SIZE is \"many\", expected an integer \
             of at least 1; it is ignored, and redis.pool.size is 20 (environment \
             REDIS_POOL_SIZE)",
        ]
    );
    assert_eq!(settings.layer("redis.url").unwrap(), Layer::Default);
}

#[test]
fn strict_makes_it_an_error() {
    let strict = |pairs: &[(&str, &str)]| {
        Loader::new(schema()).environment(environment(pairs)).strict(true).build()
    };
    assert_eq!(
        strict(&[("TURNLEDGER__SWEEP__INTERVAL", "30")]).unwrap_err().to_string(),
        "environment variable TURNLEDGER__SWEEP__INTERVAL is \"30\", expected a duration of at \
         least 1s with its unit, such as 30s for sweep.interval",
    );
    let unknown = strict(&[("TURNLEDGER__SWEEP__INTERVALL", "30s")]).unwrap();
    assert_eq!(
        warnings(&unknown),
        ["environment variable TURNLEDGER__SWEEP__INTERVALL names no setting; the nearest known \
          one is TURNLEDGER__SWEEP__INTERVAL"]
    );
}

#[test]
fn an_explicit_value_must_be_right() {
    let check = |key: &str, text: &str, expected: &str| {
        let error = Loader::new(schema()).explicit(key, text).build().unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(
        "counter.encoding",
        "gpt2",
        "counter.encoding was given as \"gpt2\", expected one of o200k_base, cl100k_base",
    );
    check(
        "counter.encodng",
        "o200k_base",
        "no setting is named counter.encodng; the nearest known one is counter.encoding",
    );
    check(
        "redis.url",
        "canary",
        "redis.url was given as ***, expected a URL, such as scheme://host/path",
    );
    let twice =
        Loader::new(schema()).explicit("redis.pool.size", "1").explicit("redis.pool.size", "2");
    assert_eq!(twice.build().unwrap().get::<u32>("redis.pool.size").unwrap(), 2);
}

#[test]
fn the_prefix_can_be_set() {
    let variables =
        environment(&[("OTHER__REDIS__POOL__SIZE", "9"), ("TURNLEDGER__REDIS__POOL__SIZE", "8")]);
    let settings = Loader::new(schema()).prefix("OTHER").environment(variables).build().unwrap();
    let size = settings.resolved("redis.pool.size").unwrap();
    assert_eq!(size.value(), &Value::Integer(9));
    assert_eq!(size.source(), Some("OTHER__REDIS__POOL__SIZE"));
    assert!(settings.warnings().is_empty());
}

#[test]
fn a_derived_value_fills_only_a_default() {
    let mut settings =
        with_variables(&[("REDIS_POOL_SIZE", "20"), ("TURNLEDGER__REDIS__POOL__MAX_IDLE", "x")]);
    assert!(warnings(&settings)[0].ends_with("and redis.pool.max_idle is 50 (default)"));
    assert!(settings.derive("redis.pool.max_idle", "10", "redis.pool.size").unwrap());
    let idle = settings.resolved("redis.pool.max_idle").unwrap();
    assert_eq!(idle.value(), &Value::Integer(10));
    assert_eq!((idle.layer(), idle.source()), (Layer::Derived, Some("redis.pool.size")));
    assert!(
        warnings(&settings)[0].ends_with("and redis.pool.max_idle is 10 (derived redis.pool.size)")
    );
    assert!(settings.to_json().contains(
        r#""redis.pool.max_idle":{"value":10,"layer":"derived","source":"redis.pool.size"}"#
    ));

    assert!(!settings.derive("redis.pool.size", "5", "redis.pool.max_idle").unwrap());
    assert_eq!(settings.get::<u32>("redis.pool.size").unwrap(), 20);
    assert!(settings.derive("redis.pool.max_idle", "-1", "redis.pool.size").is_err());
    assert!(settings.derive("redis.pool.idle", "1", "redis.pool.size").is_err());
    assert!(settings.derive("redis.pool.max_idle", "1", "redis.pool.sizes").is_err());
}

#[test]
fn a_contradiction_is_adjusted_with_a_warning_or_refused() {
    let mut settings = Loader::new(schema())
        .explicit("redis.pool.max_idle", "500")
        .explicit("redis.url", "redis://u:canary@h")
        .build()
        .unwrap();
    assert_eq!(
        settings.refuse("redis.pool.max_idle", "at most redis.pool.size (100)").to_string(),
        "redis.pool.max_idle is 500 (explicit), expected at most redis.pool.size (100)",
    );
    assert_eq!(
        settings.refuse("redis.url", "a cluster").to_string(),
        "redis.url is \"redis://u:***@h\" (explicit), expected a cluster",
    );
    assert!(matches!(settings.refuse("redis.ulr", ""), SettingsError::Undeclared { .. }));
    settings
        .adjust("redis.pool.max_idle", "100", "redis.pool.size", "no more than redis.pool.size")
        .unwrap();
    assert_eq!(settings.get::<u32>("redis.pool.max_idle").unwrap(), 100);
    assert_eq!(settings.layer("redis.pool.max_idle").unwrap(), Layer::Derived);
    assert_eq!(
        warnings(&settings),
        ["redis.pool.max_idle is 500 (explicit), but 100 is used: no more than redis.pool.size"]
    );
}

#[test]
fn a_higher_address_replaces_the_lower_one_whole() {
    let (_directory, path) = file("s.toml", "redis.host = \"h\"\nredis.port = 1\n");
    let loader = || Loader::new(schema()).file(&path);
    let parts = loader().build().unwrap();
    assert_eq!(parts.get::<Option<Url>>("redis.url").unwrap(), None);
    assert_eq!(parts.get::<&str>("redis.host").unwrap(), "h");

    let url = loader().environment(environment(&[("REDIS_URL", "redis://x")])).build().unwrap();
    assert_eq!(url.get::<Url>("redis.url").unwrap().expose(), "redis://x");
    assert_eq!(url.get::<Option<&str>>("redis.host").unwrap(), None);
    assert_eq!(url.get::<Option<u16>>("redis.port").unwrap(), None);

    // What stood below is told, but for defaults.
    assert_eq!(url.replaced("redis.host"), Some(format!("file {}", path.display()).as_str()));
    assert_eq!((url.replaced("redis.url"), parts.replaced("redis.url")), (None, None));

    let both = environment(&[("REDIS_URL", "redis://u:canary@x"), ("REDIS_HOST", "h")]);
    assert_eq!(
        loader().environment(both).build().unwrap_err().to_string(),
        "redis.url (REDIS_URL) and redis.host (REDIS_HOST) exclude each other, and both are set \
         in the layer environment; remove one",
    );
}

#[test]
fn an_ignored_variable_is_told_what_stands_in_its_place() {
    let (_directory, path) = file("s.toml", "redis.host = \"h\"\n");
    let bad = environment(&[("REDIS_URL", "canary")]);
    let settings = Loader::new(schema()).file(&path).environment(bad).build().unwrap();
    assert_eq!(
        settings.warnings()[0].to_string(),
        format!(
            "environment variable REDIS_URL is ***, expected a URL, such as scheme://host/path; \
             it is ignored, and redis.url is not set, since redis.host is \"h\" (file {})",
            path.display()
        )
    );
}

#[test]
fn a_higher_host_leaves_the_lower_ones_port_and_password_behind() {
    let schema = schema().lead("redis.host", &["redis.port", "redis.password"]).unwrap();
    let text = "redis.host = \"h\"\nredis.port = 1\nredis.password = \"canary\"\n";
    let (_directory, path) = file("s.toml", text);
    let check = |pairs: &[(&str, &str)], host: &str, port: Option<u16>, password: Option<&str>| {
        let loader = Loader::new(schema.clone()).file(&path).environment(environment(pairs));
        let settings = loader.build().unwrap();
        assert_eq!(settings.get::<&str>("redis.host").unwrap(), host, "{pairs:?}");
        assert_eq!(settings.get::<Option<u16>>("redis.port").unwrap(), port, "{pairs:?}");
        let found = settings.get::<Option<Secret>>("redis.password").unwrap();
        assert_eq!(found.as_ref().map(Secret::expose), password, "{pairs:?}");
    };
    check(&[], "h", Some(1), Some("canary"));
    check(&[("REDIS_PORT", "2")], "h", Some(2), Some("canary"));
    check(&[("REDIS_HOST", "x")], "x", None, None);
    check(&[("REDIS_HOST", "x"), ("REDIS_PASSWORD", "p")], "x", None, Some("p"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// The model: explicit, else prefixed variable, else flat one, else file, else default.
    #[test]
    fn the_layers_win_as_a_simple_model_says(
        explicit in proptest::option::of(1..1000_u32),
        prefixed in proptest::option::of(1..1000_u32),
        flat in proptest::option::of(1..1000_u32),
        in_file in proptest::option::of(1..1000_u32),
    ) {
        let text = in_file.map(|n| format!("redis.pool.size = {n}")).unwrap_or_default();
        let (_directory, path) = file("s.toml", &text);
        let mut variables = environment(&[]);
        variables.extend(prefixed.map(|n| ("TURNLEDGER__REDIS__POOL__SIZE".to_owned(), n.to_string())));
        variables.extend(flat.map(|n| ("REDIS_POOL_SIZE".to_owned(), n.to_string())));
        let mut loader = Loader::new(schema()).file(&path).environment(variables);
        if let Some(n) = explicit {
            loader = loader.explicit("redis.pool.size", n.to_string());
        }
        let settings = loader.build().unwrap();

        let place = path.to_str();
        let expected = [
            explicit.map(|n| (n, Layer::Explicit, None)),
            prefixed.map(|n| (n, Layer::Environment, Some("TURNLEDGER__REDIS__POOL__SIZE"))),
            flat.map(|n| (n, Layer::Environment, Some("REDIS_POOL_SIZE"))),
            in_file.map(|n| (n, Layer::File, place)),
            Some((100, Layer::Default, None)),
        ];
        let found = settings.resolved("redis.pool.size").unwrap();
        let size: u32 = settings.get("redis.pool.size").unwrap();
        let expected = expected.into_iter().flatten().next().unwrap();
        prop_assert_eq!((size, found.layer(), found.source()), expected);
        let differ = prefixed.zip(flat).is_some_and(|(one, other)| one != other);
        prop_assert_eq!(settings.warnings().len(), usize::from(differ));
    }
}
