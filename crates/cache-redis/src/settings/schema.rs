//! The declarations of the section `[redis]`.

use layered_settings::{Schema, Setting, SettingsError};

use super::bounds::{DEEPEST_LANE, FASTEST_CONNECTING, MOST_CONNECTIONS, SOME_TIME};
use super::node::{self, Node, SENTINEL_PORT, SERVER_PORT};
use super::preset::PoolPreset;
use super::{redis_url, variables};

/// The highest number that a server takes for a database.
const LAST_DATABASE: i64 = 2_147_483_647;

/// What a login needs beside the server, and what is meant for no other one.
const LOGIN: [&str; 3] = ["redis.db", "redis.user", "redis.password"];

/// Stays where a higher layer names another server, so that encryption is not lost on the way.
const TLS: [&str; 1] = ["redis.tls.enabled"];

const HOST: [&str; 2] = ["redis.host", "redis.port"];
const SENTINEL: [&str; 4] = [
    "redis.sentinel.nodes",
    "redis.sentinel.service",
    "redis.sentinel.user",
    "redis.sentinel.password",
];
const CLUSTER: [&str; 1] = ["redis.cluster.seeds"];

/// The settings of the section, and which of them exclude each other.
pub(super) fn schema() -> Result<Schema, SettingsError> {
    let settings = [address(), tls(), sentinel(), cluster(), pool()];
    let with_variable = |setting: Setting| {
        let key = setting.key();
        variables::of(key).fold(setting, Setting::variable)
    };
    Schema::new(settings.into_iter().flatten().map(with_variable))?
        .alternatives(&["redis.url"], &[&HOST[..], &SENTINEL, &CLUSTER, &LOGIN, &TLS].concat())?
        .alternatives(&HOST, &[&SENTINEL[..], &CLUSTER].concat())?
        .alternatives(&SENTINEL, &CLUSTER)?
        .lead(HOST[0], &[&HOST[1..], &LOGIN].concat())?
        .lead(SENTINEL[0], &[&SENTINEL[1..], &LOGIN].concat())?
        .lead(CLUSTER[0], &LOGIN)
}

fn address() -> Vec<Setting> {
    vec![
        Setting::url("redis.url")
            .check(redis_url::EXPECTED, |text| redis_url::parse(text).is_some())
            .default_value("redis://127.0.0.1:6379/0")
            .describe("address of one server, in place of its parts"),
        Setting::text("redis.host")
            .check("a host's name or IP address", node::is_host)
            .describe("server to connect to"),
        Setting::integer("redis.port", 1..=65_535).describe("port of the server"),
        Setting::integer("redis.db", 0..=LAST_DATABASE).describe("number of the database"),
        name("redis.user").describe("user to log in as"),
        password("redis.password").describe("password to log in with"),
    ]
}

fn tls() -> Vec<Setting> {
    vec![
        Setting::boolean("redis.tls.enabled").describe("whether connections are encrypted"),
        Setting::path("redis.tls.ca_file")
            .describe("certificates of the authorities that servers are trusted by, as PEM"),
        Setting::path("redis.tls.certificate_file")
            .describe("certificate that the client shows to servers, as PEM"),
        Setting::path("redis.tls.key_file").describe("key of the client's certificate, as PEM"),
    ]
}

fn sentinel() -> Vec<Setting> {
    vec![
        name("redis.sentinel.service").describe("name of the service that the sentinels watch"),
        Setting::text("redis.sentinel.nodes")
            .check("hosts separated by commas, such as a:26379,b:26379", |text| {
                Node::parse_list(text, SENTINEL_PORT).is_some()
            })
            .describe("sentinels to ask for the service"),
        name("redis.sentinel.user").describe("user to log in to the sentinels as"),
        password("redis.sentinel.password").describe("password to log in to the sentinels with"),
    ]
}

fn cluster() -> Vec<Setting> {
    vec![
        Setting::text("redis.cluster.seeds")
            .check("hosts separated by commas, such as a:6379,b:6379", |text| {
                Node::parse_list(text, SERVER_PORT).is_some()
            })
            .describe("nodes of a cluster to learn the others from"),
    ]
}

fn pool() -> Vec<Setting> {
    vec![
        Setting::choice("redis.pool.preset", &PoolPreset::NAMES)
            .describe("figures for size, max_idle and timeout where they are not set"),
        Setting::integer("redis.pool.size", 1..=MOST_CONNECTIONS.into())
            .default_value("100")
            .describe("most connections that are open at a time"),
        Setting::duration("redis.pool.timeout", SOME_TIME)
            .default_value("30s")
            .describe("longest wait for a connection, connecting included"),
        Setting::integer("redis.pool.max_idle", 0..=MOST_CONNECTIONS.into())
            .default_value("50")
            .describe("most connections that stay open without use"),
        Setting::integer("redis.pool.min_idle", 0..=MOST_CONNECTIONS.into())
            .default_value("0")
            .describe("connections that are kept open without use"),
        Setting::duration("redis.pool.idle_timeout", SOME_TIME)
            .default_value("5m")
            .describe("time without use after which a connection is closed"),
        Setting::duration("redis.pool.max_lifetime", SOME_TIME)
            .or_off()
            .default_value("off")
            .describe("age at which a connection is closed"),
        Setting::duration("redis.pool.connect_timeout", SOME_TIME)
            .default_value("5s")
            .describe("longest time for one attempt to connect"),
        Setting::duration("redis.pool.response_timeout", SOME_TIME)
            .default_value("5s")
            .describe("longest wait for the reply to a command"),
        Setting::integer("redis.pool.lane_depth", 1..=DEEPEST_LANE)
            .default_value("128")
            .describe("most commands in flight on one shared connection"),
        Setting::integer("redis.pool.connect_rate", 1..=FASTEST_CONNECTING)
            .default_value("100")
            .describe("most attempts to connect within any second"),
        Setting::duration("redis.pool.hold_limit", SOME_TIME)
            .default_value("1m")
            .describe("time after which an exclusive connection still held counts as a leak"),
    ]
}

fn name(key: &'static str) -> Setting {
    Setting::text(key).check("a name without blanks", |text| {
        !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}

fn password(key: &'static str) -> Setting {
    Setting::secret(key).check("text of at least 1 byte", |text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declarations_agree_with_each_other() {
        let schema = schema().unwrap();
        assert!(schema.settings().iter().all(|setting| setting.section() == "redis"));
        assert!(schema.settings().iter().all(|setting| !setting.description().is_empty()));
    }

    #[test]
    fn every_part_of_an_address_excludes_a_url() {
        let schema = schema().unwrap();
        for setting in schema.settings() {
            let key = setting.key();
            let is_file = key.ends_with("_file");
            if key == "redis.url" || key.starts_with("redis.pool.") || is_file {
                continue;
            }
            let text = match key {
                "redis.port" | "redis.db" => "1",
                "redis.tls.enabled" => "true",
                _ => "name",
            };
            let loader = layered_settings::Loader::new(schema.clone())
                .explicit("redis.url", "redis://h")
                .explicit(key, text);
            let error = loader.build().unwrap_err();
            assert!(matches!(error, SettingsError::Conflict { .. }), "{key}: {error}");
        }
    }
}
