//! `append`.

use serde_json::json;

use crate::support::Place;

#[test]
fn one_message_by_options() {
    let place = Place::new();
    let run = place.on_store(&["append", "a", "--role", "user", "--content", "--hello"]).exits(0);
    run.prints("#1: 6 tokens (exact)").prints("1 message, 6 tokens, 0 pending");
    let run = place
        .on_store(&["append", "a", "--role", "assistant", "--content", "Hi", "--json"])
        .exits(0);
    let line = &run.json()[0];
    assert_eq!(
        (&line["conversation"], &line["seq"], &line["new"]),
        (&json!("a"), &json!(2), &json!(true))
    );
    assert_eq!((&line["tokens"], &line["state"]), (&json!(5), &json!("exact")));
    assert_eq!(line["totals"], json!({"messages": 2, "tokens": 11, "pending": 0}));
}

#[test]
fn messages_on_standard_input() {
    let place = Place::new();
    let pretty = "{\n \"role\": \"user\",\n \"content\": \"one\"\n}\n";
    place.on_store_with(&["append", "a"], pretty).exits(0).prints("#1");
    let lines = "{\"role\":\"assistant\",\"content\":\"two\"}\n\n{\"role\":\"user\",\"content\":\"three\"}\r\n";
    let run = place.on_store_with(&["append", "a", "--json"], lines).exits(0);
    let seqs: Vec<_> = run.json().iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [2, 3]);
}

#[test]
fn every_policy_settles_before_the_end() {
    for policy in ["background", "adaptive", "inline"] {
        let place = Place::new();
        let long = "a message of some length ".repeat(400);
        let words = [
            "append",
            "a",
            "--role",
            "user",
            "--content",
            &long,
            "--count-policy",
            policy,
            "--json",
        ];
        let line = &place.on_store(&words).exits(0).json()[0];
        assert_eq!(
            (&line["state"], &line["totals"]["pending"]),
            (&json!("exact"), &json!(0)),
            "{policy}"
        );
        let totals = place.on_store(&["totals", "a", "--json"]).exits(0).json();
        assert_eq!((&totals[0]["tokens"], &totals[0]["pending"]), (&line["tokens"], &json!(0)));
    }
}

#[test]
fn all_messages_are_checked_before_the_first_is_stored() {
    let check = |input: &str, line: &str, reason: &str| {
        let place = Place::new();
        let run = place.on_store_with(&["append", "a"], input).exits(1).says(line).says(reason);
        assert!(!run.stderr.contains("hush"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
        place.on_store(&["totals", "a"]).exits(1).says("there is no conversation \"a\"");
    };
    check(
        "{\"role\":\"user\",\"content\":\"x\"}\n{\"role\":\"hero\",\"content\":\"hush\"}",
        "line 2",
        "`hero`",
    );
    check("{\"role\":\"user\",\"content\":\"x\"}\nhush", "line 2", "caused by");
    check("{\"content\":\"hush\"}", "line 1", "no role");
    check("", "standard input", "no message");
    check(" \n", "standard input", "no message");
}

#[test]
fn more_messages_than_a_batch_may_hold_are_appended_in_order() {
    let place = Place::new();
    let lines: Vec<_> =
        (0..25).map(|n| format!("{{\"role\":\"user\",\"content\":\"{n}\"}}")).collect();
    let lines = lines.join("\n");
    let words = ["--store", "file:memory.redb", "append", "a", "--json"];
    let run =
        place.run_with(&words, &lines, &[("TURNLEDGER__LIMITS__BATCH_MESSAGES", "10")]).exits(0);
    let seqs: Vec<_> = run.json().iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=25).collect::<Vec<_>>());
}

#[test]
fn an_id_makes_a_message_repeatable() {
    let place = Place::new();
    let append = |content: &str| {
        place.on_store(&[
            "append",
            "a",
            "--id",
            "m1",
            "--role",
            "user",
            "--content",
            content,
            "--json",
        ])
    };
    assert_eq!(append("x").exits(0).json()[0]["new"], true);
    let again = append("x").exits(0).json();
    assert_eq!((&again[0]["new"], &again[0]["seq"]), (&json!(false), &json!(1)));
    append("hush").exits(1).says("conflict").says("\"m1\"");
    place
        .on_store(&["append", "a", "--id", "m1", "--role", "user", "--content", "x"])
        .exits(0)
        .prints("known already");
    let two = "{\"role\":\"user\"}\n{\"role\":\"user\"}";
    place.on_store_with(&["append", "a", "--id", "m2"], two).exits(2).says("--id");
    place
        .on_store(&["append", "a", "--id", "", "--role", "user", "--content", "x"])
        .exits(2)
        .says("--id");
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let place = Place::new();
    place.on_store(&["append", "a", "--role", "user"]).exits(2).says("--content");
    place.on_store(&["append", "a", "--content", "x"]).exits(2).says("--role");
    place.on_store(&["append", "a", "--role", "hero", "--content", "x"]).exits(2).says("hero");
    place.on_store(&["append"]).exits(2);
    place
        .on_store(&["append", "", "--role", "user", "--content", "x"])
        .exits(2)
        .says("conversation id");
    place
        .on_store(&["append", &"i".repeat(257), "--role", "user", "--content", "x"])
        .exits(2)
        .says("256");
}
