//! `config show`: values, layers, sources.

use serde_json::{Value, json};

use crate::support::{Place, Run};

fn row(run: &Run, key: &str) -> Value {
    run.json()[0][key].clone()
}

fn expect(run: &Run, key: &str, value: impl Into<Value>, layer: &str, source: impl Into<Value>) {
    let found = row(run, key);
    assert_eq!(found["value"], value.into(), "{key}");
    assert_eq!(found["layer"], layer, "{key}");
    assert_eq!(found["source"], source.into(), "{key}");
    assert_eq!(found.as_object().map(serde_json::Map::len), Some(3), "{key}");
}

#[test]
fn every_setting_has_a_default_in_its_own_type() {
    let place = Place::new();
    let run = place.run(&["config", "show", "--json"]).exits(0).says("settings file: none");
    assert_eq!(run.json().len(), 1, "one object and nothing else");
    let check = |key: &str, value: Value| expect(&run, key, value, "default", Value::Null);
    check("counter.encoding", json!("o200k_base"));
    check("counter.policy", json!("adaptive"));
    check("counter.deadline", json!("5s"));
    check("counter.inline_budget", json!("20us"));
    check("queue.capacity", json!(1000));
    check("sweep.interval", json!("5s"));
    check("sweep.lease", json!("20s"));
    check("sweep.grace", json!("10s"));
    check("store.durability", json!("sync"));
    check("store.cache_bytes", json!(67_108_864));
    check("store.ttl", Value::Null);
    check("store.refresh_on_read", json!(false));
    check("store.wait_replicas", json!(0));
    check("store.prefix", json!("turnledger:"));
    check("memory.namespace", json!("default"));
    check("memory.deadline", json!("10s"));
    check("memory.shutdown_deadline", json!("10s"));
    check("limits.id_bytes", json!(256));
    check("limits.message_bytes", json!(1_048_576));
    check("limits.batch_messages", json!(1000));
    check("limits.json_depth", json!(128));
    check("redis.url", json!("redis://127.0.0.1:6379/0"));
    check("redis.host", Value::Null);
    check("redis.pool.preset", Value::Null);
    check("redis.pool.size", json!(100));
    check("redis.pool.timeout", json!("30s"));
    check("redis.pool.max_idle", json!(50));
    check("redis.pool.min_idle", json!(0));
    check("redis.pool.idle_timeout", json!("5m"));
    check("redis.pool.max_lifetime", json!("off"));
    check("redis.pool.connect_timeout", json!("5s"));
    check("redis.pool.response_timeout", json!("5s"));
    check("redis.pool.lane_depth", json!(128));
    check("redis.pool.connect_rate", json!(100));
    check("redis.pool.hold_limit", json!("1m"));
    assert!(row(&run, "counter.workers")["value"].is_u64());
    let url = row(&run, "store.url")["value"].as_str().unwrap().to_owned();
    assert!(url.starts_with("file:") && url.ends_with("data/turnledger/memory.redb"), "{url}");
}

#[test]
fn each_layer_wins_over_the_one_below() {
    let place = Place::new();
    place.file("turnledger.toml", "[queue]\ncapacity = 1\n[sweep]\nlease = \"1m30s\"\n[memory]\nnamespace = \"f\"\n[counter]\npolicy = \"inline\"\n");
    let words = [
        "config",
        "show",
        "--json",
        "--namespace",
        "x",
        "--encoding",
        "cl100k_base",
        "--count-policy",
        "background",
    ];
    let variables = [
        ("TURNLEDGER__QUEUE__CAPACITY", "2"),
        ("TURNLEDGER__MEMORY__NAMESPACE", "e"),
        ("TURNLEDGER__MEMORY__DEADLINE", ""),
    ];
    let run =
        place.run_with(&words, "", &variables).exits(0).says("settings file: turnledger.toml");
    expect(&run, "sweep.lease", json!("1m 30s"), "file", json!("turnledger.toml"));
    expect(&run, "queue.capacity", json!(2), "environment", json!("TURNLEDGER__QUEUE__CAPACITY"));
    expect(&run, "memory.namespace", json!("x"), "explicit", Value::Null);
    expect(&run, "counter.encoding", json!("cl100k_base"), "explicit", Value::Null);
    expect(&run, "counter.policy", json!("background"), "explicit", Value::Null);
    // An empty variable counts as not set.
    expect(&run, "memory.deadline", json!("10s"), "default", Value::Null);
}

#[test]
fn files_are_looked_for_in_their_order() {
    let place = Place::new();
    let capacity = |words: &[&str]| {
        let run = place.run(&[&["config", "show", "--json"], words].concat()).exits(0);
        let row = row(&run, "queue.capacity");
        (row["value"].as_u64().unwrap(), row["source"].as_str().unwrap_or("none").to_owned())
    };
    assert_eq!(capacity(&[]), (1000, "none".to_owned()));
    place.file("home/config/turnledger/turnledger.toml", "[queue]\ncapacity = 1\n");
    let (value, source) = capacity(&[]);
    assert_eq!(value, 1);
    assert!(source.ends_with("home/config/turnledger/turnledger.toml"), "{source}");
    place.file("turnledger.toml", "[queue]\ncapacity = 2\n");
    assert_eq!(capacity(&[]), (2, "turnledger.toml".to_owned()));
    place.file("other.yaml", "queue:\n  capacity: 3\n");
    assert_eq!(capacity(&["--config", "other.yaml"]), (3, "other.yaml".to_owned()));
    place.file("other.json", r#"{"queue": {"capacity": 4}}"#);
    assert_eq!(capacity(&["--config", "other.json"]), (4, "other.json".to_owned()));
}

#[test]
fn a_variable_that_cannot_be_read_is_a_warning_unless_strict() {
    let place = Place::new();
    let variables = [("TURNLEDGER__SWEEP__LEASE", "30"), ("TURNLEDGER__QUEUE__CAPACITY", "7")];
    let run = place.run_with(&["config", "show", "--json"], "", &variables).exits(0);
    let run = run
        .says("warning: environment variable TURNLEDGER__SWEEP__LEASE is \"30\"")
        .says("sweep.lease is 20s");
    expect(&run, "sweep.lease", json!("20s"), "default", Value::Null);
    expect(&run, "queue.capacity", json!(7), "environment", json!("TURNLEDGER__QUEUE__CAPACITY"));
    // Every command tells it, not only this one.
    let run = place.run_with(&["--store", "memory:", "list"], "", &variables).exits(0);
    run.says("warning: environment variable TURNLEDGER__SWEEP__LEASE");
    for words in
        [&["config", "show", "--json", "--strict"][..], &["--strict", "--store", "memory:", "list"]]
    {
        let run = place.run_with(words, "", &variables).exits(1);
        assert_eq!(run.says("TURNLEDGER__SWEEP__LEASE").stdout, "");
    }
}

#[test]
fn a_file_with_an_unknown_key_or_none_at_all_is_an_error() {
    let place = Place::new();
    let check = |text: &str, reasons: &[&str]| {
        place.file("bad.toml", text);
        let run = place.run(&["--config", "bad.toml", "config", "show"]).exits(1).says("bad.toml");
        let run = reasons.iter().fold(run, |run, reason| run.says(reason));
        assert_eq!(run.stdout, "");
    };
    check("[queue]\ncapacty = 1\n", &["queue.capacty", "queue.capacity"]);
    check("[queues]\ncapacity = 1\n", &["[queues]"]);
    check("[queue]\ncapacity = \"many\"\n", &["queue.capacity", "many"]);
    check("[sweep]\nlease = 30\n", &["sweep.lease", "30s"]);
    check("[queue\n", &["line 1"]);
    check(
        "\"counter.workers\" = 2\n",
        &["\"counter.workers\" has a dot in it", "key workers in the section counter"],
    );
    check(
        "[queue]\ncapacity = 99999999999999999999\n",
        &["queue.capacity is 99999999999999999999", "1000000"],
    );
    check("[limits]\nid_bytes = 7\n", &["limits.id_bytes is 7", "at least 32"]);
    check("[counter]\ninline_budget = \"2s\"\n", &["counter.inline_budget", "such as 500ms"]);
    place.run(&["--config", "missing.toml", "config", "show"]).exits(1).says("missing.toml");
}

#[test]
fn what_stands_in_the_place_of_the_settings_file_is_told() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("turnledger.toml")).unwrap();
    let run = place.run(&["config", "show"]).exits(1);
    run.says("turnledger.toml is a directory");
    std::fs::remove_dir(place.path().join("turnledger.toml")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("gone.toml", place.path().join("turnledger.toml")).unwrap();
        let run = place.run(&["config", "show"]).exits(1);
        run.says("turnledger.toml is a link to gone.toml, which does not exist");
    }
}

#[test]
fn what_no_memory_could_be_built_with_is_told_at_once() {
    let place = Place::new();
    for key in ["sweep.lease", "sweep.interval", "memory.deadline", "counter.deadline"] {
        let (section, name) = key.split_once('.').unwrap();
        place.file("long.toml", format!("[{section}]\n{name} = \"366days\"\n"));
        let run = place.run(&["--config", "long.toml", "config", "show"]).exits(1);
        run.says("long.toml").says(key).says("from 1ms to 365days");
        let variable = format!("TURNLEDGER__{}", key.replace('.', "__").to_uppercase());
        let variables = [(variable.as_str(), "366days")];
        let run = place.run_with(&["config", "show"], "", &variables).exits(0);
        run.says(&format!("warning: environment variable {variable}")).says("from 1ms to 365days");
    }
    let long = "n".repeat(257);
    let run = place.run(&["config", "show", "--namespace", &long]).exits(2);
    let run = run.says("memory.namespace is \"nnn").says("(explicit)").says("1 to 256 bytes");
    assert_eq!(run.stdout, "");
    let variables = [("TURNLEDGER__MEMORY__NAMESPACE", long.as_str())];
    let run = place.run_with(&["config", "show"], "", &variables).exits(1);
    run.says("memory.namespace").says("(environment TURNLEDGER__MEMORY__NAMESPACE)");
    place.file("long.toml", format!("[memory]\nnamespace = \"{long}\"\n"));
    let run = place.run(&["--config", "long.toml", "config", "show"]).exits(1);
    run.says("memory.namespace").says("(file long.toml)");
}

#[test]
fn the_least_limit_of_ids_is_enough_for_a_replay() {
    let place = Place::new();
    place.file("turnledger.toml", "[limits]\nid_bytes = 32\n");
    let input = crate::support::conversation("a", &["1", "2"]);
    place.on_store_with(&["replay", "-"], &input).exits(0).prints("2 messages (2 new)");
}

#[test]
fn a_password_is_never_shown() {
    let place = Place::new();
    let variables = [("TURNLEDGER__STORE__URL", "redis://u:hunter2@host:1/0")];
    let run = place.run_with(&["config", "show", "--json"], "", &variables).exits(0);
    let source = json!("TURNLEDGER__STORE__URL");
    expect(&run, "store.url", json!("redis://u:***@host:1/0"), "environment", source);
    let human = place.run_with(&["config", "show"], "", &variables).exits(0);
    assert!(!format!("{}{}", human.stdout, human.stderr).contains("hunter2"));
    let wrong = [("TURNLEDGER__STORE__URL", "redis://u:hunter2@host:x/0")];
    let open = place.run_with(&["list"], "", &wrong).exits(1).says("redis");
    assert!(!open.stderr.contains("hunter2"), "{}", open.stderr);

    let query = "redis://host:1/0?protocol=resp3&pass=hunter2&token=hunter2&password=hunter2";
    let variables = [("TURNLEDGER__STORE__URL", query)];
    let run = place.run_with(&["config", "show", "--json"], "", &variables).exits(0);
    let shown = json!("redis://host:1/0?protocol=resp3&pass=***&token=***&password=***");
    expect(&run, "store.url", shown, "environment", json!("TURNLEDGER__STORE__URL"));
    let open = place.run_with(&["list"], "", &variables).exits(1);
    assert!(!open.stderr.contains("hunter2"), "{}", open.stderr);
}

#[test]
fn a_terminal_obeys_no_setting() {
    let place = Place::new();
    let run = place.run(&["config", "show", "--namespace", "a\u{202e}b\u{1b}[2J"]).exits(0);
    run.prints("a\\u{202e}b\\u{1b}[2J");
    let variables = [("TURNLEDGER__QUEUE__CAPACITY", "\u{202e}7")];
    let run = place.run_with(&["config", "show"], "", &variables).exits(0);
    run.says("is \"\\u{202e}7\"");
}

#[test]
fn people_get_a_table_and_the_file_that_was_read() {
    let place = Place::new();
    place.file("turnledger.toml", "[queue]\ncapacity = 1\n");
    let run = place.run(&["config", "show"]).exits(0);
    assert_eq!(run.stderr, "");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines[0], "settings file: turnledger.toml");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[1]), ["key", "value", "layer", "source"]);
    let capacity = lines.iter().find(|line| line.starts_with("queue.capacity")).unwrap();
    assert_eq!(words(capacity), ["queue.capacity", "1", "file", "turnledger.toml"]);
    let encoding = lines.iter().find(|line| line.starts_with("counter.encoding")).unwrap();
    assert_eq!(words(encoding), ["counter.encoding", "o200k_base", "default", "-"]);
}

#[test]
fn redis_is_shown_with_its_layers_and_without_its_password() {
    let place = Place::new();
    place.file("turnledger.toml", "[redis]\nhost = \"f\"\npassword = \"hunter2\"\n");
    let words = ["config", "show", "--json"];
    let run = place.run(&words).exits(0);
    expect(&run, "redis.url", Value::Null, "default", Value::Null);
    expect(&run, "redis.password", json!("***"), "file", json!("turnledger.toml"));
    expect(&run, "redis.port", json!(6379), "derived", json!("redis.host"));

    let variables = [
        ("REDIS_URL", "rediss://app:hunter2@cache:6379/0"),
        ("REDIS_POOL_SIZE", "25"),
        ("TURNLEDGER__REDIS__POOL__TIMEOUT", "10s"),
        ("REDIS_POOL_TIMEOUT", "20s"),
    ];
    let run = place.run_with(&words, "", &variables).exits(0);
    let url = json!("rediss://app:***@cache:6379/0");
    expect(&run, "redis.url", url, "environment", json!("REDIS_URL"));
    // What the file says of the address is replaced whole.
    expect(&run, "redis.host", Value::Null, "default", Value::Null);
    expect(&run, "redis.password", Value::Null, "default", Value::Null);
    expect(&run, "redis.pool.size", json!(25), "environment", json!("REDIS_POOL_SIZE"));
    expect(&run, "redis.pool.max_idle", json!(13), "derived", json!("redis.pool.size"));
    let prefixed = json!("TURNLEDGER__REDIS__POOL__TIMEOUT");
    expect(&run, "redis.pool.timeout", json!("10s"), "environment", prefixed);
    let run = run.says("warning: environment variable REDIS_POOL_TIMEOUT (\"20s\") is ignored");
    let human = place.run_with(&["config", "show"], "", &variables).exits(0);
    for shown in [&run, &human] {
        assert!(!format!("{}{}", shown.stdout, shown.stderr).contains("hunter2"));
    }
}

#[test]
fn a_preset_of_redis_is_shown_as_the_source_of_its_figures() {
    let place = Place::new();
    for (preset, size, max_idle, timeout) in [
        ("development", 20, 10, "10s"),
        ("high_throughput", 300, 150, "45s"),
        ("burst", 500, 100, "1m"),
    ] {
        let variables = [("REDIS_POOL_PRESET", preset)];
        let run = place.run_with(&["config", "show", "--json"], "", &variables).exits(0);
        let derived = |key: &str, value: Value| {
            expect(&run, key, value, "derived", json!("redis.pool.preset"));
        };
        derived("redis.pool.size", json!(size));
        derived("redis.pool.max_idle", json!(max_idle));
        derived("redis.pool.timeout", json!(timeout));
    }
}

#[test]
fn what_contradicts_in_redis_is_told() {
    let place = Place::new();
    let show = |variables: &[(&str, &str)], code: i32| {
        place.run_with(&["config", "show", "--json"], "", variables).exits(code)
    };
    let run = show(&[("REDIS_MAX_IDLE_CONNS", "200")], 0);
    let run = run.says("warning: redis.pool.max_idle is 200 (environment REDIS_MAX_IDLE_CONNS)");
    expect(&run, "redis.pool.max_idle", json!(100), "derived", json!("redis.pool.size"));

    let run = show(&[("REDIS_MIN_IDLE_CONNS", "51")], 1);
    run.says("redis.pool.min_idle is 51")
        .says("at most 50, which is redis.pool.max_idle (default)");
    let both = [("REDIS_URL", "redis://u:hunter2@h"), ("REDIS_HOST", "h")];
    let run = show(&both, 1).says("redis.url (REDIS_URL) and redis.host (REDIS_HOST)");
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);

    let unreadable = [("REDIS_URL", "redis://u:hunter2@h:port"), ("REDIS_POOL_SIZE", "0")];
    let run = show(&unreadable, 0)
        .says("environment variable REDIS_URL is ***")
        .says("environment variable REDIS_POOL_SIZE is \"0\"")
        .says("redis.pool.size is 100 (default)");
    expect(&run, "redis.url", json!("redis://127.0.0.1:6379/0"), "default", Value::Null);
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    let strict = ["config", "show", "--strict"];
    for variable in &unreadable {
        place.run_with(&strict, "", &[*variable]).exits(1).says(variable.0);
    }
    place.file("turnledger.toml", "[redis.pool]\nmax_idel = 1\n");
    show(&[], 1).says("redis.pool.max_idel").says("redis.pool.max_idle");
}
