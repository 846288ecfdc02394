//! A password appears nowhere, whatever it stands in and whatever is wrong beside it.

use std::error::Error;
use std::fmt::Debug;

use cache_redis::{RedisSettings, Settings, SettingsError};

use crate::common::loader;

const CANARY: &str = "c4n4ry";

fn silent(text: &str) {
    assert!(!text.contains(CANARY), "{text}");
}

fn silent_debug(value: &dyn Debug) {
    silent(&format!("{value:?} {value:#?}"));
}

/// Checks every form in which settings can be printed.
fn assert_silent(settings: &Settings) {
    silent_debug(settings);
    silent(&settings.to_json());
    for resolved in settings.iter() {
        silent_debug(&resolved);
        silent(&resolved.value().to_string());
        silent(&settings.refuse(resolved.key(), "less").to_string());
    }
    for warning in settings.warnings() {
        silent_debug(warning);
        silent(&warning.to_string());
    }
}

fn assert_error_silent(error: &SettingsError) {
    silent_debug(error);
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        silent(&error.to_string());
        next = error.source();
    }
}

fn check(variables: &[(&str, &str)], strict: bool, good: bool) {
    let outcome = loader(variables, &[]).strict(strict).build().and_then(|mut settings| {
        assert_silent(&settings);
        let typed = RedisSettings::settle(&mut settings);
        assert_silent(&settings);
        typed
    });
    assert_eq!(outcome.is_ok(), good, "{variables:?}: {outcome:?}");
    match outcome {
        Ok(typed) => silent_debug(&typed),
        Err(error) => assert_error_silent(&error),
    }
}

#[test]
fn a_good_password_is_held_and_never_shown() {
    let in_url = format!("redis://u:{CANARY}@h");
    let other = format!("redis://u:{CANARY}2@h");
    let escaped = CANARY.replace('4', "%34");
    let in_escapes = format!("redis://u:{escaped}@h");
    for variables in [
        &[("REDIS_URL", in_url.as_str())][..],
        &[("REDIS_URL", &in_escapes)],
        &[("REDIS_URL", &in_url), ("TURNLEDGER__REDIS__URL", &other)],
        &[("REDIS_HOST", "h"), ("REDIS_PASSWORD", CANARY)],
        &[("REDIS_PASSWORD", "x"), ("TURNLEDGER__REDIS__PASSWORD", CANARY)],
        &[("REDIS_CLUSTER_SEEDS", "h"), ("REDIS_USER", "u"), ("REDIS_PASSWORD", CANARY)],
        &[
            ("REDIS_SENTINEL_NODES", "h"),
            ("REDIS_SENTINEL_SERVICE", "s"),
            ("REDIS_SENTINEL_PASSWORD", CANARY),
            ("REDIS_PASSWORD", CANARY),
        ],
    ] {
        check(variables, false, true);
        check(variables, true, true);
    }
    let mut settings = loader(&[("REDIS_URL", in_escapes.as_str())], &[]).build().unwrap();
    let typed = RedisSettings::settle(&mut settings).unwrap();
    assert_eq!(typed.credentials.unwrap().password().expose(), CANARY);
}

#[test]
fn a_password_beside_something_wrong_is_not_shown_either() {
    let in_url = format!("redis://u:{CANARY}@h");
    for bad in [
        format!("redis://u:{CANARY}@h:port"),
        format!("redis://u:{CANARY}/x@h"),
        format!("redis://u:{CANARY}@h/0?x=1"),
        format!("redis://h/0?password={CANARY}"),
        format!("http://u:{CANARY}@h"),
        format!("u:{CANARY}@h"),
        CANARY.to_owned(),
    ] {
        check(&[("REDIS_URL", &bad)], false, true);
        check(&[("REDIS_URL", &bad)], true, false);
    }
    // A URL where none belongs.
    for name in ["REDIS_HOST", "REDIS_PORT", "REDIS_CLUSTER_SEEDS", "REDIS_POOL_SIZE"] {
        check(&[(name, &in_url)], false, true);
        check(&[(name, &in_url)], true, false);
    }
    for variables in [
        &[("REDIS_URL", in_url.as_str()), ("REDIS_PASSWORD", CANARY)][..],
        &[("REDIS_URL", &in_url), ("REDIS_TLS_CA_FILE", "ca.pem")],
        &[("REDIS_URL", &in_url), ("REDIS_MIN_IDLE_CONNS", "51")],
        &[("REDIS_SENTINEL_PASSWORD", CANARY)],
        &[("REDIS_CLUSTER_SEEDS", "h"), ("REDIS_DB", "1"), ("REDIS_PASSWORD", CANARY)],
    ] {
        check(variables, false, false);
    }
}
