//! Which file is read, and what is said where it cannot be.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use crate::common::schema;
use layered_settings::{Loader, Settings, SettingsError};
use tempfile::TempDir;

fn load(path: impl Into<PathBuf>) -> Result<Settings, SettingsError> {
    Loader::new(schema()).file(path).build()
}

#[test]
fn a_named_file_must_exist() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("none.toml");
    let error = load(&path).unwrap_err();
    assert!(matches!(error, SettingsError::MissingFile { .. }));
    assert_eq!(error.to_string(), format!("settings file {} does not exist", path.display()));
}

#[test]
fn the_first_file_of_a_search_is_read_and_told() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let search = || {
        let candidates = [path("x/1.toml"), path("2.toml"), path("2.toml/3.toml"), path("4.yaml")];
        Loader::new(schema()).search(candidates)
    };
    assert_eq!(search().build().unwrap().file(), None);

    fs::write(path("4.yaml"), "redis: {pool: {size: 4}}").unwrap();
    let settings = search().build().unwrap();
    assert_eq!(settings.file(), Some(path("4.yaml").as_path()));
    assert_eq!(settings.get::<u32>("redis.pool.size").unwrap(), 4);

    fs::write(path("2.toml"), "counter.label = 'two'").unwrap();
    let settings = search().build().unwrap();
    assert_eq!(settings.file(), Some(path("2.toml").as_path()));
    assert_eq!(settings.get::<u32>("redis.pool.size").unwrap(), 100);

    let named = search().file(path("4.yaml")).build().unwrap();
    assert_eq!(named.file(), Some(path("4.yaml").as_path()));
}

#[test]
fn an_unusable_file_is_named_with_the_reason() {
    let directory = TempDir::new().unwrap();
    let check = |name: &str, content: &[u8], expected: &str| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert_eq!(error, format!("settings file {}{expected}", path.display()));
    };
    check("s.ini", b"", " must be named .toml, .yaml (or .yml) or .json");
    check("s", b"", " must be named .toml, .yaml (or .yml) or .json");
    check("s.toml", b"[counter]\nlabel = \"\xff\"", ", line 2: not valid UTF-8");
    check("s.toml", &"#".repeat((1 << 20) + 1).into_bytes(), " is longer than 1048576 bytes");
    check("s.json", b"{\"counter\": {}}}", ", line 1: trailing characters");
    check("s.json", b"{}\n\"canary\"", ", line 2: trailing characters");
    check("s.toml", b"\n[counter\nlabel = 'canary'", ", line 2: unclosed table, expected `]`");
    check(
        "s.toml",
        b"counter.encoding = 'canary",
        ", line 1: invalid literal string, expected `'`",
    );

    let path = directory.path().join("long.toml");
    fs::write(&path, "#".repeat(1 << 20)).unwrap();
    assert!(load(&path).is_ok());
}

#[test]
fn a_directory_in_the_place_of_a_file_is_told() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("directory.toml");
    fs::create_dir(&path).unwrap();
    let expected = format!(
        "settings file {} is a directory; name a file in it, or give it another name",
        path.display()
    );
    assert_eq!(load(&path).unwrap_err().to_string(), expected);
    let searched = Loader::new(schema()).search([&path]).build();
    assert_eq!(searched.unwrap_err().to_string(), expected);
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_told_and_not_passed_over() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("link.toml");
    std::os::unix::fs::symlink("gone.toml", &path).unwrap();
    let expected =
        format!("settings file {} is a link to gone.toml, which does not exist", path.display());
    assert_eq!(load(&path).unwrap_err().to_string(), expected);
    let searched = Loader::new(schema()).search([&path]).build();
    assert_eq!(searched.unwrap_err().to_string(), expected);
    fs::write(directory.path().join("gone.toml"), "counter.label = 'x'").unwrap();
    assert_eq!(load(&path).unwrap().get::<&str>("counter.label").unwrap(), "x");
}

#[cfg(unix)]
#[test]
fn what_the_system_says_is_kept() {
    let directory = TempDir::new().unwrap();
    // Links that lead to each other.
    let path = directory.path().join("a.toml");
    std::os::unix::fs::symlink("b.toml", &path).unwrap();
    std::os::unix::fs::symlink("a.toml", directory.path().join("b.toml")).unwrap();
    let error = load(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("settings file {} cannot be read", path.display()));
    assert!(error.source().is_some());
}
