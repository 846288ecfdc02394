//! The page of figures, from what a bench stored.

use std::fmt::Write as _;

use serde_json::Value;

/// The page in Markdown.
pub(super) fn page(title: &str, stored: &str, results: &Value) -> String {
    let machine = &results["machine"];
    let mut page = format!(
        "# {title}\n\n\
         Written by `{command}` from what it stored in\n\
         [{stored}](../{stored}), where every round stands.\n\
         Do not edit it by hand: `{command} --from-stored` writes it anew.\n\n\
         Measured on {processor}, {cores} cores, {kernel}, {rustc}, profile {profile}.\n\n\
         Alternatives take turns in every round, and a figure is the median of the rounds. A ratio\n\
         is taken within each round, so it holds up where the machine's speed drifts. Times do not:\n\
         beside them stands a reference loop that does the same work in each round. The share of\n\
         the machine that other programs took meanwhile is told for each section.\n",
        command = text(&results["command"]),
        processor = text(&machine["processor"]),
        cores = text(&machine["cores"]),
        kernel = text(&machine["kernel"]),
        rustc = text(&machine["rustc"]),
        profile = text(&machine["profile"]),
    );
    for section in items(&results["sections"]) {
        write_section(&mut page, section);
    }
    page
}

fn write_section(page: &mut String, section: &Value) {
    let others = section["others"].as_f64().unwrap_or_default() * 100.0;
    let _ = write!(
        page,
        "\n## {}\n\n{}\n\nMeasured on {} with `{}`; other programs took {others:.0} % of the machine.\n\n",
        text(&section["title"]),
        text(&section["method"]),
        text(&section["date"]),
        text(&section["name"]),
    );
    page.push_str("| what | goal | measured | |\n|---|---|---|---|\n");
    for verdict in items(&section["verdicts"]) {
        let unit = text(&verdict["unit"]);
        let measured = verdict["measured"].as_f64();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            text(&verdict["claim"]),
            goal(&verdict["goal"], &unit),
            measured.map_or_else(|| "none".to_owned(), |value| amount(value, &unit)),
            match verdict["passed"].as_bool() {
                Some(true) => "met",
                Some(false) if verdict["wished"] == true => "missed",
                Some(false) => "**missed**",
                None => "",
            },
        );
    }
    page.push_str("\n| figure | median | lowest | highest |\n|---|---|---|---|\n");
    for series in items(&section["series"]) {
        let unit = text(&series["unit"]);
        let mut rounds: Vec<f64> =
            items(&series["rounds"]).iter().filter_map(Value::as_f64).collect();
        rounds.sort_by(f64::total_cmp);
        let (Some(lowest), Some(highest)) = (rounds.first(), rounds.last()) else { continue };
        let last = rounds.len() - 1;
        let median = f64::midpoint(rounds[last / 2], rounds[last.div_ceil(2)]);
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            text(&series["name"]),
            amount(median, &unit),
            number(*lowest),
            number(*highest),
        );
    }
}

fn goal(goal: &Value, unit: &str) -> String {
    match (goal["at_least"].as_f64(), goal["at_most"].as_f64()) {
        (Some(least), _) => format!("≥ {}", amount(least, unit)),
        (_, Some(most)) => format!("≤ {}", amount(most, unit)),
        _ => String::new(),
    }
}

fn amount(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value)).trim_end().to_owned()
}

/// A number with about three digits that say something, and commas between thousands.
fn number(value: f64) -> String {
    let size = value.abs();
    if size < 10.0 {
        return format!("{value:.2}");
    }
    if size < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_short() {
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected);
        check(0.0, "0.00");
        check(1.234, "1.23");
        check(12.34, "12.3");
        check(123.4, "123");
        check(1234.0, "1,234");
        check(-123_456.0, "-123,456");
        check(1_234_567.0, "1,234,567");
    }

    #[test]
    fn a_page_shows_goals_and_medians() {
        let verdict = |goal: Value, passed: Value| json!({ "claim": "claim", "unit": "µs", "measured": 4.0, "goal": goal, "passed": passed });
        let results = json!({ "command": "bench", "machine": {}, "sections": [{
            "title": "Title", "method": "Method.", "others": 0.25, "name": "name", "date": "today",
            "verdicts": [
                verdict(json!({ "at_most": 5.0 }), json!(true)),
                verdict(json!({ "at_least": 5.0 }), json!(false)),
                verdict(json!(null), json!(null)),
            ],
            "series": [{ "name": "figure", "unit": "µs", "rounds": [3.0, 1.0, 2.0] }],
        }]});
        let page = page("Benchmarks", "benches/results/ledger.json", &results);
        for line in [
            "## Title",
            "Measured on today with `name`; other programs took 25 % of the machine.",
            "| claim | ≤ 5.00 µs | 4.00 µs | met |",
            "| claim | ≥ 5.00 µs | 4.00 µs | **missed** |",
            "| claim |  | 4.00 µs |  |",
            "| figure | 2.00 µs | 1.00 | 3.00 |",
        ] {
            assert!(page.lines().any(|found| found == line), "no line {line:?} in\n{page}");
        }
    }
}
