//! The numbers of files, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::CliError;
use crate::output::{Output, plain};

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) tokens: u64,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    /// The tokens by the estimate, where it was asked for.
    pub(super) estimate: Option<u64>,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.estimate = self.estimate.zip(other.estimate).map(|(one, other)| one + other);
    }
}

/// How far an estimate is off, in per cent of the tokens; 0 where there are none.
#[expect(clippy::cast_precision_loss, reason = "a ratio is for people to read")]
pub(super) fn error_percent(tokens: u64, estimate: u64) -> f64 {
    if tokens == 0 { 0.0 } else { (estimate as f64 / tokens as f64 - 1.0) * 100.0 }
}

/// One file, or all of them, as JSON.
#[derive(Serialize)]
struct Encoded<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    tokens: u64,
    bytes: u64,
    lines: u64,
    #[serde(flatten)]
    estimated: Option<Estimated>,
}

/// An estimate as JSON.
#[derive(Serialize)]
pub(super) struct Estimated {
    estimate: u64,
    error_percent: f64,
}

impl Estimated {
    pub(super) fn new(tokens: u64, estimate: u64) -> Self {
        // Two decimals say all that an estimate is good for.
        let error_percent = (error_percent(tokens, estimate) * 100.0).round() / 100.0;
        Self { estimate, error_percent }
    }
}

#[derive(Serialize)]
struct Total<'a> {
    total: Encoded<'a>,
}

fn encoded<'a>(file: Option<&'a str>, counts: &Counts) -> Encoded<'a> {
    let Counts { tokens, bytes, lines, estimate } = *counts;
    let estimated = estimate.map(|estimate| Estimated::new(tokens, estimate));
    Encoded { file, tokens, bytes, lines, estimated }
}

/// Prints a file's numbers as JSON.
pub(super) fn json(name: &str, counts: &Counts, output: &mut Output) -> Result<(), CliError> {
    output.json(&encoded(Some(name), counts))
}

/// Prints the sums of several files as JSON.
pub(super) fn json_total(total: &Counts, output: &mut Output) -> Result<(), CliError> {
    output.json(&Total { total: encoded(None, total) })
}

/// Lines of numbers that stand below each other, each with its name behind.
pub(super) fn columns(rows: &[(Option<String>, Counts)]) -> Vec<String> {
    let cells = |counts: &Counts| {
        let numbers =
            [Some(counts.tokens), Some(counts.bytes), Some(counts.lines), counts.estimate];
        let mut cells: Vec<_> = numbers.into_iter().flatten().map(|n| n.to_string()).collect();
        let error = counts.estimate.map(|estimate| error_percent(counts.tokens, estimate));
        cells.extend(error.map(|error| format!("{error:+.1}%")));
        cells
    };
    let table: Vec<_> = rows.iter().map(|(_, counts)| cells(counts)).collect();
    let width = |column: usize| {
        table
            .iter()
            .filter_map(|cells| cells.get(column))
            .map(String::len)
            .max()
            .unwrap_or_default()
    };
    let line = |(cells, (name, _)): (&Vec<String>, &(Option<String>, Counts))| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let separator = if column == 0 { "" } else { " " };
            let _ = write!(line, "{separator}{cell:>width$}", width = width(column));
        }
        if let Some(name) = name {
            let _ = write!(line, " {}", plain(name));
        }
        line
    };
    table.iter().zip(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_below_each_other() {
        let counts = |tokens, estimate| Counts { tokens, bytes: 4 * tokens, lines: 1, estimate };
        let rows = [(Some("a".to_owned()), counts(5, None)), (None, counts(1234, None))];
        assert_eq!(columns(&rows), ["   5   20 1 a", "1234 4936 1"]);
        let rows = [(Some("a\n".to_owned()), counts(200, Some(190)))];
        assert_eq!(columns(&rows), ["200 800 1 190 -5.0% a\\n"]);
        assert!(columns(&[]).is_empty());
    }

    #[test]
    fn an_estimate_s_error_is_signed_and_nothing_has_none() {
        let check = |tokens, estimate, expected: f64| {
            assert!((error_percent(tokens, estimate) - expected).abs() < 1e-9);
        };
        check(100, 108, 8.0);
        check(100, 50, -50.0);
        check(0, 0, 0.0);
    }

    #[test]
    fn sums_have_an_estimate_only_where_all_have() {
        let one = Counts { tokens: 1, bytes: 2, lines: 3, estimate: Some(4) };
        let mut sum = one;
        sum.add(one);
        assert_eq!(sum, Counts { tokens: 2, bytes: 4, lines: 6, estimate: Some(8) });
        sum.add(Counts { estimate: None, ..one });
        assert_eq!(sum.estimate, None);
    }
}
