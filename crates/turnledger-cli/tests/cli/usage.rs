//! The command line itself: help, version, completions, and what makes no sense.

use crate::support::Place;

const COMMANDS: [&str; 14] = [
    "replay",
    "append",
    "window",
    "show",
    "totals",
    "list",
    "export",
    "copy",
    "drop-newest",
    "clear",
    "sweep",
    "count",
    "config",
    "completions",
];

#[test]
fn help_has_every_command_and_examples() {
    let place = Place::new();
    let general = place.run(&["--help"]).exits(0).prints("Examples:").prints("Exit codes:");
    for command in COMMANDS {
        assert!(general.stdout.contains(&format!("\n  {command}")), "{command}");
        let help = place.run(&[command, "--help"]).exits(0).prints("Usage: turnledger");
        let help = help
            .prints("Examples:")
            .prints("  $ ")
            .prints("--store <URL>")
            .prints("--config <FILE>");
        assert_eq!(help.stderr, "");
    }
    place.run(&["help", "replay"]).exits(0).prints("--budget");
    place.run(&["config", "show", "--help"]).exits(0).prints("--json");
}

#[test]
fn the_version_is_that_of_the_package() {
    let run = Place::new().run(&["--version"]).exits(0);
    assert_eq!(run.stdout, format!("turnledger {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = place
            .run(&["completions", shell])
            .exits(0)
            .prints("drop-newest")
            .prints("count-policy");
        assert_eq!(run.stderr, "", "{shell}");
    }
    place.run(&["completions", "cobol"]).exits(2).says("cobol");
}

#[test]
fn what_makes_no_sense_exits_with_2() {
    let place = Place::new();
    let check = |words: &[&str], reason: &str| {
        let run = place.run(words).exits(2).says(reason);
        assert_eq!(run.stdout, "", "{words:?}");
    };
    check(&[], "Usage: turnledger");
    check(&["repaly"], "repaly");
    check(&["--colour"], "--colour");
    check(&["replay"], "<FILE>");
    check(&["replay", "x", "--budget", "many"], "many");
    check(&["replay", "x", "--budget", "-1"], "-1");
    check(&["replay", "x", "--tallies"], "--json");
    check(&["config"], "show");
    check(&["copy"], "--to");
    check(&["list", "--count-policy", "eager"], "background, adaptive, inline");
    check(&["list", "--encoding", "p50k"], "counter.encoding was given as \"p50k\"");
    check(&["list", "--store", "memory.redb"], "file:PATH");
    check(&["list", "--store", "redis://localhost/x"], "redis-sentinel://host,host/service");
    check(&["list", "--store", "sqlite:x"], "sqlite");
    check(&["list", "--store", "file:"], "path is missing");
    check(&["copy", "--to", "sqlite:x", "--store", "memory:"], "sqlite");
}

#[test]
fn a_wrong_store_in_the_environment_is_a_failure_not_a_usage_error() {
    let place = Place::new();
    let run = place.run_with(&["list"], "", &[("TURNLEDGER__STORE__URL", "sqlite:x")]).exits(1);
    run.says("sqlite");
}

#[test]
fn logs_come_only_where_they_are_asked_for() {
    let place = Place::new();
    let words = ["--store", "memory:", "append", "a", "--role", "user", "--content", "hush"];
    let quiet = place.run(&words).exits(0);
    assert_eq!(quiet.stderr, "store: memory:\n");
    let loud = place.run_with(&words, "", &[("RUST_LOG", "trace")]).exits(0);
    assert!(!loud.stderr.contains("hush"), "{}", loud.stderr);
    assert_eq!(loud.stdout, quiet.stdout);
}
