//! The examples of the pages on settings work, and say what the pages say they do.

use turnledger::settings::{Layer, Sources};

const PAGE: &str = include_str!("../../../docs/configuration/settings.md");
const REDIS: &str = include_str!("../../../docs/configuration/redis.md");

/// The first example of a language on the page.
fn example(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let start = PAGE.find(&fence).expect("the page has an example of each language") + fence.len();
    let end = PAGE[start..].find("```").expect("an example ends");
    &PAGE[start..start + end]
}

#[test]
fn the_three_files_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let shown: Vec<Vec<String>> = ["toml", "yaml", "json"]
        .into_iter()
        .map(|language| {
            let path = folder.path().join(format!("example.{language}"));
            std::fs::write(&path, example(language)).unwrap();
            let loaded = Sources::new().file(path).load().unwrap();
            let changed = loaded.settings.iter().filter(|setting| setting.layer() == Layer::File);
            changed.map(|setting| format!("{} = {}", setting.key(), setting.value())).collect()
        })
        .collect();
    let expected = [
        "counter.encoding = cl100k_base",
        "sweep.interval = 2s",
        "store.url = file:/var/lib/agent/memory.redb",
        "store.cache_bytes = 134217728 (128 MiB)",
    ];
    assert_eq!(shown, [expected, expected, expected]);
}

#[test]
fn the_ranges_are_those_of_the_settings() {
    let loaded = Sources::new().load().unwrap();
    for setting in loaded.settings.iter() {
        let row = format!("| `{}` |", setting.key());
        let page = if setting.setting().section() == "redis" { REDIS } else { PAGE };
        let line = page.lines().find(|line| line.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("the page has no row for {}", setting.key()));
        let expected = setting.setting().expected();
        // The bounds of a range, and the words of a choice, stand in the row as they are checked.
        let range = expected.split(", such as ").next().unwrap_or_default();
        let bounds = range.split([' ', ',']).filter(|word| {
            let bound = word.bytes().any(|byte| byte.is_ascii_digit());
            bound || expected.starts_with("one of ") && word.len() > 4
        });
        for bound in bounds {
            assert!(line.contains(bound), "{}: {bound} is not in its row", setting.key());
        }
    }
}

#[test]
fn the_examples_of_redis_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("example.toml");
    let examples: Vec<_> = REDIS.split("```toml\n").skip(1).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        std::fs::write(&path, &example[..example.find("```").unwrap()]).unwrap();
        let loaded = Sources::new().file(&path).load().unwrap();
        assert!(loaded.warnings.is_empty());
    }
}

#[test]
fn the_presets_are_those_of_the_page() {
    let keys = ["redis.pool.size", "redis.pool.max_idle", "redis.pool.timeout"];
    let heading = format!("| Preset | `{}` |", keys.join("` | `"));
    let table = &REDIS[REDIS.find(&heading).expect("the page has the table of presets")..];
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let preset = Sources::new().explicit("redis.pool.preset", cells[1]).load().unwrap();
        let written = keys
            .into_iter()
            .zip(&cells[2..])
            .fold(Sources::new(), |given, (key, text)| given.explicit(key, *text));
        let written = written.load().unwrap();
        for key in keys {
            let [one, other] =
                [&preset, &written].map(|loaded| loaded.settings.resolved(key).unwrap().value());
            assert_eq!(one, other, "{key} of {row}");
        }
    }
}
