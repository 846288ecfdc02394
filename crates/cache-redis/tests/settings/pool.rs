//! Presets, what follows from the size, and what contradicts it.

use std::time::Duration;

use cache_redis::RedisSettings;

use crate::common::{Layers, row, warnings};

const SIZE: &str = "redis.pool.size";
const MAX_IDLE: &str = "redis.pool.max_idle";
const TIMEOUT: &str = "redis.pool.timeout";

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let pool = RedisSettings::default().pool;
    assert_eq!((pool.size, pool.max_idle, pool.min_idle, pool.lane_depth), (100, 50, 0, 128));
    assert_eq!(pool.timeout, Duration::from_secs(30));
    assert_eq!(pool.idle_timeout, Duration::from_mins(5));
    assert_eq!(pool.max_lifetime, None);
    assert_eq!(pool.connect_timeout, Duration::from_secs(5));
    assert_eq!(pool.response_timeout, Duration::from_secs(5));
    assert_eq!((pool.connect_rate, pool.hold_limit), (100, Duration::from_mins(1)));
    let (_, settings) = Layers::default().good();
    assert_eq!(row(&settings, MAX_IDLE), "50 (default)");
    assert!(settings.warnings().is_empty());
}

#[test]
fn half_of_a_given_size_may_be_idle() {
    let check = |size: &str, expected: &str| {
        let explicit = [(SIZE, size)];
        let (_, settings) = Layers { explicit: &explicit, ..Layers::default() }.good();
        assert_eq!(row(&settings, MAX_IDLE), expected);
        assert!(settings.warnings().is_empty(), "{size}");
    };
    check("1", "1 (derived redis.pool.size)");
    check("7", "4 (derived redis.pool.size)");
    check("8", "4 (derived redis.pool.size)");
    check("100", "50 (derived redis.pool.size)");
    check("65535", "32768 (derived redis.pool.size)");

    let explicit = [(SIZE, "8"), (MAX_IDLE, "3")];
    let (_, settings) = Layers { explicit: &explicit, ..Layers::default() }.good();
    assert_eq!(row(&settings, MAX_IDLE), "3 (explicit)");
}

#[test]
fn a_preset_fills_in_what_nothing_else_says() {
    let check = |explicit: &[(&str, &str)], expected: [&str; 3]| {
        let (_, settings) = Layers { explicit, ..Layers::default() }.good();
        let rows = [SIZE, MAX_IDLE, TIMEOUT].map(|key| row(&settings, key));
        assert_eq!(rows, expected, "{explicit:?}");
        assert!(settings.warnings().is_empty());
    };
    let preset = |name| ("redis.pool.preset", name);
    let derived = |figures: [&str; 3]| figures.map(|f| format!("{f} (derived redis.pool.preset)"));
    for (name, figures) in [
        ("development", ["20", "10", "10s"]),
        ("high_throughput", ["300", "150", "45s"]),
        ("burst", ["500", "100", "1m"]),
    ] {
        let expected = derived(figures);
        check(&[preset(name)], [&expected[0], &expected[1], &expected[2]]);
    }
    check(
        &[preset("burst"), (TIMEOUT, "5s")],
        ["500 (derived redis.pool.preset)", "100 (derived redis.pool.preset)", "5s (explicit)"],
    );
    check(
        &[preset("burst"), (SIZE, "50")],
        ["50 (explicit)", "25 (derived redis.pool.size)", "1m (derived redis.pool.preset)"],
    );
    check(
        &[preset("development"), (MAX_IDLE, "2")],
        ["20 (derived redis.pool.preset)", "2 (explicit)", "10s (derived redis.pool.preset)"],
    );
}

#[test]
fn more_idle_than_there_are_is_taken_down_to_the_size() {
    let check = |layers: Layers<'_>, expected: &str, warning: &str| {
        let (typed, settings) = layers.good();
        assert_eq!(row(&settings, MAX_IDLE), expected);
        assert!(typed.pool.max_idle == typed.pool.size);
        let warnings = warnings(&settings);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].ends_with(warning), "{warnings:?}");
    };
    let variables = [("REDIS_MAX_IDLE_CONNS", "200")];
    check(
        Layers { variables: &variables, ..Layers::default() },
        "100 (derived redis.pool.size)",
        "redis.pool.max_idle is 200 (environment REDIS_MAX_IDLE_CONNS), but 100 is used: no more \
         connections can be idle than there are",
    );
    check(
        Layers { file: "[redis.pool]\nsize = 10\nmax_idle = 11", ..Layers::default() },
        "10 (derived redis.pool.size)",
        "s.toml), but 10 is used: no more connections can be idle than there are",
    );
    let explicit = [("redis.pool.preset", "development")];
    check(
        Layers { variables: &variables, explicit: &explicit, ..Layers::default() },
        "20 (derived redis.pool.size)",
        "but 20 is used: no more connections can be idle than there are",
    );
}

#[test]
fn more_kept_idle_than_may_be_idle_is_refused() {
    let check = |layers: Layers<'_>, expected: &str| assert_eq!(layers.refused(), expected);
    check(
        Layers { file: "[redis.pool]\nmin_idle = 51", ..Layers::default() },
        "redis.pool.min_idle is 51 (file s.toml), expected at most 50, which is \
         redis.pool.max_idle (default)",
    );
    let variables = [("REDIS_MIN_IDLE_CONNS", "6"), ("REDIS_POOL_SIZE", "10")];
    check(
        Layers { variables: &variables, ..Layers::default() },
        "redis.pool.min_idle is 6 (environment REDIS_MIN_IDLE_CONNS), expected at most 5, which \
         is redis.pool.max_idle (derived redis.pool.size)",
    );
    let good = [("REDIS_MIN_IDLE_CONNS", "5"), ("REDIS_POOL_SIZE", "10")];
    let (typed, _) = Layers { variables: &good, ..Layers::default() }.good();
    assert_eq!((typed.pool.min_idle, typed.pool.max_idle), (5, 5));
}

#[test]
fn settling_again_changes_nothing() {
    let variables = [("REDIS_MAX_IDLE_CONNS", "200"), ("REDIS_PORT", "7")];
    let explicit = [("redis.pool.preset", "burst"), (SIZE, "9")];
    let (typed, mut settings) =
        Layers { variables: &variables, explicit: &explicit, ..Layers::default() }.good();
    let (before, warned) = (settings.to_json(), settings.warnings().to_vec());
    assert_eq!(RedisSettings::settle(&mut settings).unwrap(), typed);
    assert_eq!(RedisSettings::from_settings(&settings).unwrap(), typed);
    assert_eq!((settings.to_json(), settings.warnings()), (before, &warned[..]));
}
