//! The declarations of all settings.

use std::time::Duration;

use cache_redis::RedisSettings;
use layered_settings::{Schema, Setting, SettingsError};
use tokens::CounterRegistry;
use tokens::pool::{DEFAULT_MAX_WORKERS, MAX_CAPACITY, MAX_WORKERS};

use super::directories::UserDirectories;

/// The shortest time that a setting accepts where zero makes no sense.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest time that the memory's builder takes, where it has a bound.
pub(crate) const LONGEST: Duration = Duration::from_hours(365 * 24);

/// The least that ids may be bounded by: the command line makes ids of up to 27 bytes itself, and
/// the default namespace must fit as well.
const SHORTEST_ID_LIMIT: u64 = 32;

/// More replicas than a master has.
const MOST_REPLICAS: i64 = 100;

/// The settings of all sections, in the order in which they are shown.
///
/// The section `[redis]` is declared by `cache-redis`, the others are declared here.
///
/// `store.url` has no default here, since only a program knows its user's directories: see
/// [`Sources::search`](super::Sources::search).
///
/// # Examples
///
/// ```
/// let schema = turnledger::settings::schema();
/// let capacity = schema.get("queue.capacity").unwrap();
/// assert_eq!(capacity.default_text().as_deref(), Some("1000"));
/// ```
#[expect(clippy::missing_panics_doc, reason = "the declarations do not depend on any input")]
pub fn schema() -> Schema {
    schema_for(None).expect("the declarations agree with each other, as a test sees")
}

/// The same with a default for `store.url`, where the user's directories are known.
pub(super) fn schema_for(user: Option<&UserDirectories>) -> Result<Schema, SettingsError> {
    let sections = [counter(), queue(), sweep(), store(user), memory(), limits()];
    Schema::new(sections.into_iter().flatten())?.merge(RedisSettings::schema())
}

fn counter() -> Vec<Setting> {
    vec![
        Setting::text("counter.encoding")
            .check(
                "o200k_base, o200k_harmony, cl100k_base or a model's name, such as gpt-4o",
                |name| CounterRegistry::new().counter(name).is_ok(),
            )
            .default_value("o200k_base")
            .describe("vocabulary that tokens are counted with, or the model that has it"),
        Setting::choice("counter.policy", &["background", "adaptive", "inline"])
            .default_value("adaptive")
            .describe("who counts an appended message, and when"),
        Setting::integer("counter.workers", 1..=number(MAX_WORKERS))
            .default_value(default_workers().to_string())
            .describe("threads that count in the background"),
        Setting::duration("counter.hung_after", SHORTEST..=LONGEST)
            .default_value("30s")
            .describe("time after which a count is taken to hang, for each begun 64 KiB of text"),
        Setting::boolean("counter.warm_up")
            .default_value("true")
            .describe("whether the vocabulary is loaded at the start, not for the first count"),
        Setting::duration("counter.inline_budget", ..=Duration::from_secs(1))
            .default_value("20us")
            .describe("time that one adaptive append may spend counting on the caller's thread"),
        Setting::duration("counter.deadline", SHORTEST..=LONGEST)
            .default_value("5s")
            .describe("longest wait for a count that a caller needs"),
    ]
}

fn queue() -> Vec<Setting> {
    vec![
        Setting::integer("queue.capacity", 1..=number(MAX_CAPACITY))
            .default_value("1000")
            .describe("messages that may wait to be counted; the sweep finds what finds no place"),
    ]
}

fn sweep() -> Vec<Setting> {
    vec![
        Setting::duration("sweep.interval", SHORTEST..=LONGEST)
            .default_value("5s")
            .describe("time between two searches for messages that nobody counts"),
        Setting::duration("sweep.lease", SHORTEST..=LONGEST)
            .default_value("20s")
            .describe("how long others leave alone what one sweep has claimed"),
        Setting::duration("sweep.grace", ..)
            .default_value("10s")
            .describe("how long a sweep leaves a new message to the process that appended it"),
    ]
}

fn store(user: Option<&UserDirectories>) -> Vec<Setting> {
    let url = Setting::url("store.url")
        .check("the URL of a store, file:PATH, memory: or redis://HOST", |url| !url.is_empty())
        .describe("where conversations are kept");
    vec![
        match user {
            Some(user) => url.default_value(user.default_store_url()),
            None => url,
        },
        Setting::choice("store.durability", &["sync", "relaxed"]).default_value("sync").describe(
            "what an append to the embedded store survives: a loss of power, or kill -9 alone",
        ),
        Setting::size("store.cache_bytes", ..)
            .default_value("67108864")
            .describe("memory that the embedded store's cache may take"),
        Setting::duration("store.ttl", SHORTEST..)
            .or_off()
            .describe("how long a conversation lives after its last append"),
        Setting::boolean("store.refresh_on_read")
            .default_value("false")
            .describe("whether reads on Redis count as appends do for store.ttl"),
        Setting::integer("store.wait_replicas", 0..=MOST_REPLICAS).default_value("0").describe(
            "replicas of Redis that must have an append within 1 s for it to be acknowledged",
        ),
        Setting::text("store.prefix")
            .check("text without { and }", |prefix| !prefix.contains(['{', '}']))
            .default_value("turnledger:")
            .describe("what the keys of a store on Redis begin with"),
    ]
}

fn memory() -> Vec<Setting> {
    vec![
        Setting::text("memory.namespace")
            .check("text of at least 1 byte", |text| !text.is_empty())
            .default_value("default")
            .describe("scope that conversations are in"),
        Setting::duration("memory.deadline", SHORTEST..=LONGEST)
            .default_value("10s")
            .describe("longest time that one operation may take"),
        Setting::duration("memory.shutdown_deadline", ..)
            .default_value("10s")
            .describe("longest time that the program waits for counts before it exits"),
    ]
}

fn limits() -> Vec<Setting> {
    vec![
        Setting::size("limits.id_bytes", SHORTEST_ID_LIMIT..)
            .default_value("256")
            .describe("longest id, in bytes"),
        Setting::size("limits.message_bytes", 1..)
            .default_value("1048576")
            .describe("longest message in its wire form, in bytes"),
        Setting::integer("limits.batch_messages", 1..)
            .default_value("1000")
            .describe("most messages in one batch"),
        Setting::integer("limits.json_depth", 1..)
            .default_value("128")
            .describe("deepest nesting of a message's JSON"),
    ]
}

/// As many as there are cores, within the bound that the counting pool has by default.
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(DEFAULT_MAX_WORKERS)
}

/// A bound of a crate below as a bound of a setting.
fn number(bound: usize) -> i64 {
    i64::try_from(bound).unwrap_or(i64::MAX)
}
