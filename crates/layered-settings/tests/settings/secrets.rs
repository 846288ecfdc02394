//! A password appears nowhere, whatever layer it comes from and whatever goes wrong.

use std::error::Error;
use std::fmt::Debug;

use crate::common::{environment, schema};
use layered_settings::{Loader, Secret, Settings, SettingsError, Url};
use tempfile::TempDir;

const CANARY: &str = "c4n4ry";

/// Checks every form in which what was built, or an error, can be printed.
fn assert_silent(built: &Result<Settings, SettingsError>) {
    let silent = |text: String| assert!(!text.contains(CANARY), "{text}");
    let debug = |value: &dyn Debug| silent(format!("{value:?} {value:#?}"));
    debug(built);
    match built {
        Ok(settings) => {
            silent(settings.to_json());
            for resolved in settings.iter() {
                debug(&resolved);
                debug(resolved.setting());
                silent(resolved.value().to_string());
                silent(resolved.value().to_json());
                silent(settings.refuse(resolved.key(), "less").to_string());
            }
            for warning in settings.warnings() {
                silent(warning.to_string());
            }
        }
        Err(error) => {
            let mut next: Option<&dyn Error> = Some(error);
            while let Some(error) = next {
                silent(error.to_string());
                next = error.source();
            }
        }
    }
}

#[test]
fn a_good_secret_is_read_and_never_shown() {
    let url = format!("redis://u:{CANARY}@h:1/0");
    let directory = TempDir::new().unwrap();
    let files = [
        ("s.toml", format!("[redis]\nurl = \"{url}\"\npassword = \"{CANARY}\"\n")),
        ("s.yaml", format!("redis:\n  url: \"{url}\"\n  password: {CANARY}\n")),
        ("s.json", format!(r#"{{"redis": {{"url": "{url}", "password": "{CANARY}"}}}}"#)),
    ];
    let mut loaders: Vec<Loader> = files
        .into_iter()
        .map(|(name, text)| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            Loader::new(schema()).file(path)
        })
        .collect();
    let flat = environment(&[("REDIS_URL", &url), ("REDIS_PASSWORD", CANARY)]);
    let twins = environment(&[
        ("TURNLEDGER__REDIS__URL", &url),
        ("REDIS_URL", &format!("redis://v:{CANARY}@h")),
        ("TURNLEDGER__REDIS__PASSWORD", CANARY),
        ("REDIS_PASSWORD", &format!("{CANARY}2")),
        ("TURNLEDGER__REDIS__PASWORD", CANARY),
    ]);
    loaders.push(Loader::new(schema()).environment(flat));
    loaders.push(Loader::new(schema()).environment(twins));
    let explicit = Loader::new(schema()).explicit("redis.url", &url);
    loaders.push(explicit.explicit("redis.password", CANARY));

    for loader in loaders {
        assert!(!format!("{loader:?}").contains(CANARY));
        let built = loader.build();
        assert_silent(&built);
        let mut settings = built.unwrap();
        assert_eq!(settings.get::<Secret>("redis.password").unwrap().expose(), CANARY);
        assert_eq!(settings.get::<Url>("redis.url").unwrap().expose(), url);
        assert!(settings.to_json().contains(r#""redis.url":{"value":"redis://u:***@h:1/0""#));
        assert!(settings.to_json().contains(r#""redis.password":{"value":"***""#));

        let other = format!("redis://u:{CANARY}@other");
        settings.adjust("redis.url", &other, "redis.host", "moved").unwrap();
        assert_silent(&Ok(settings));
    }
}

#[test]
fn a_bad_secret_is_not_shown_either() {
    let not_a_url = format!("u {CANARY}@h");
    for strict in [false, true] {
        let bad = environment(&[("REDIS_URL", &not_a_url), ("TURNLEDGER__REDIS__URL", CANARY)]);
        let built = Loader::new(schema()).environment(bad).strict(strict).build();
        assert_eq!(built.is_err(), strict);
        assert_silent(&built);
    }
    let explicit = Loader::new(schema()).explicit("redis.url", CANARY).build();
    assert!(explicit.is_err());
    assert_silent(&explicit);

    let directory = TempDir::new().unwrap();
    for (name, text) in [
        ("s.toml", format!("redis.url = \"{CANARY}\"")),
        ("s.toml", format!("redis.password = \"{CANARY}")),
        ("s.toml", format!("redis.password = {CANARY}")),
        ("s.toml", format!("redis.pasword = \"{CANARY}\"")),
        ("s.toml", format!("redis = \"{CANARY}\"")),
        ("s.toml", format!("redis.password = [\"{CANARY}\"]")),
        ("s.yaml", format!("redis: {CANARY}")),
        ("s.yaml", format!("redis:\n  password: [{CANARY}")),
        ("s.yaml", format!("redis:\n  password: \"{CANARY}")),
        ("s.yaml", format!("redis:\n  password: {CANARY}: {CANARY}")),
        ("s.yaml", format!("redis:\n  password: {CANARY}\n  password: {CANARY}")),
        ("s.yaml", format!("redis:\n  url: &{CANARY} x\n  password: *{CANARY}")),
        ("s.yaml", CANARY.to_owned()),
        ("s.json", format!("\"{CANARY}\"")),
        ("s.json", format!("{{\"redis\": {{\"password\": \"{CANARY}")),
        ("s.json", format!("{{\"redis\": {{\"password\": {CANARY}}}}}")),
        ("s.json", format!("{{\"redis\": {{\"url\": \"{CANARY}\"}}}}")),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, &text).unwrap();
        let built = Loader::new(schema()).file(path).build();
        assert!(built.is_err(), "{text}");
        assert_silent(&built);
    }
}

#[test]
fn a_url_in_the_wrong_place_is_not_shown() {
    let url = format!("redis://u:{CANARY}@h:1/0");
    for name in ["REDIS_PORT", "REDIS_POOL_SIZE", "TURNLEDGER__COUNTER__ENCODING"] {
        let variables = environment(&[(name, &url)]);
        assert_silent(&Loader::new(schema()).environment(variables.clone()).build());
        let strict = Loader::new(schema()).environment(variables).strict(true).build();
        assert!(strict.is_err());
        assert_silent(&strict);
    }
}

#[test]
fn a_secret_in_the_query_of_a_url_is_not_shown() {
    for key in ["pass", "password", "token", "sentinel_password", "PASS"] {
        let url = format!("redis://h:1/0?protocol=resp3&{key}={CANARY}&x=1");
        let variables = environment(&[("REDIS_URL", &url)]);
        let built = Loader::new(schema()).environment(variables).build();
        assert_silent(&built);
        let settings = built.unwrap();
        assert_eq!(settings.get::<Url>("redis.url").unwrap().expose(), url);
        let shown = format!(r#""redis://h:1/0?protocol=resp3&{key}=***&x=1""#);
        assert!(settings.to_json().contains(&shown), "{}", settings.to_json());
    }
}
