//! Against other tokenizers, in every kind of text.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::settings::{KINDS, Settings};
use crate::ledger::{Goal, Outcome, Reference, Section, Series, Verdict, tokenizer_json};

/// Bytes of a message.
const MESSAGE: usize = 2000;
/// Bytes of a short message, in a row of its own.
const SHORT: usize = 200;
const OURS: &str = "turnledger";

/// What one counter did in one round.
struct Turn {
    name: String,
    megabytes_per_second: f64,
    tokens: u64,
}

/// One kind of text: each counter's speed, and ours over the fastest other.
struct Row {
    title: String,
    speeds: BTreeMap<String, Series>,
    ratio: Series,
    /// Why the row counts for nothing.
    void: Option<String>,
}

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let program = settings.competitors.as_deref();
    let program = program.ok_or("--competitors must name the program that counts with others")?;
    let directory = settings.common.store_directory()?;
    let tokenizer = directory.path().join("tokenizer.json");
    std::fs::write(&tokenizer, tokenizer_json()?)?;
    let mut reference = Reference::new();
    let kinds = KINDS.map(|kind| (kind, MESSAGE));
    let mut rows: Vec<(&str, usize, Row)> = kinds
        .into_iter()
        .chain([("english_chat", SHORT)])
        .map(|(kind, bytes)| (kind, bytes, Row::new(kind, bytes)))
        .collect();
    for round in 0..settings.common.rounds {
        for (kind, bytes, row) in &mut rows {
            settings.common.begin_round(&mut reference)?;
            row.add(race(program, &settings.path(kind), &tokenizer, *bytes, round)?);
        }
    }
    let rows: Vec<Row> = rows.into_iter().map(|(.., row)| row).collect();
    let (kinds, short) = rows.split_at(KINDS.len());
    let mut verdicts: Vec<Verdict> =
        kinds.iter().map(|row| row.verdict(Goal::AtLeast(1.2))).collect();
    verdicts.extend(short.iter().map(|row| row.verdict(Goal::AtLeast(1.5))));
    let medians = Series {
        rounds: kinds.iter().map(Row::median).collect(),
        ..Series::new("the kinds' ratios", "×")
    };
    let median = medians.verdict("in the median kind, over the fastest other", None);
    let goal = Goal::AtLeast(1.6);
    verdicts.push(Verdict {
        goal: Some(goal),
        passed: Some(goal.is_met(median.measured)),
        ..median
    });
    let mut series = vec![medians];
    for row in rows {
        series.push(row.ratio);
        series.extend(row.speeds.into_values());
    }
    series.push(reference.into_series());
    Ok(Section {
        name: String::new(),
        title: "Against other tokenizers".to_owned(),
        method: "o200k_base, one thread. A text of each kind is cut into messages of 2,000 bytes \
                 (200 in the row of short messages). A new process for each text and round lets \
                 every counter count the first half of the messages, which fills its caches, and \
                 times the second half once; the counters take turns in being first. The time is \
                 that for which the thread had a processor. Every counter is used in the way that \
                 costs it least. A ratio is ours over the fastest other of the same process. A row \
                 in which two counters disagree about the tokens is void."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}

/// Has each counter count a text, in a process of its own.
fn race(
    program: &Path,
    text: &Path,
    tokenizer: &Path,
    bytes: usize,
    round: usize,
) -> Outcome<Vec<Turn>> {
    let output = Command::new(program)
        .args([text, tokenizer])
        // A step that no number of counters divides puts each of them first in its turn.
        .args([bytes.to_string(), (5 * round).to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{} failed on {}", program.display(), text.display()).into());
    }
    String::from_utf8(output.stdout)?.lines().map(Turn::parse).collect()
}

impl Turn {
    fn parse(line: &str) -> Outcome<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, seconds, tokens, bytes] = words[..] else {
            return Err(format!("the program of the competitors wrote {line:?}").into());
        };
        let (seconds, bytes): (f64, f64) = (seconds.parse()?, bytes.parse()?);
        let megabytes_per_second = bytes / seconds / 1e6;
        Ok(Self { name: name.to_owned(), megabytes_per_second, tokens: tokens.parse()? })
    }
}

impl Row {
    fn new(kind: &str, bytes: usize) -> Self {
        let title = format!("{kind}, {bytes} B");
        let ratio = Series::new(&format!("{title}: ours over the fastest other"), "×");
        Self { title, speeds: BTreeMap::new(), ratio, void: None }
    }

    fn add(&mut self, turns: Vec<Turn>) {
        let ours = turns.iter().find(|turn| turn.name == OURS);
        let others = turns.iter().filter(|turn| turn.name != OURS);
        let fastest = others.map(|turn| turn.megabytes_per_second).fold(f64::NAN, f64::max);
        self.ratio.rounds.push(ours.map_or(f64::NAN, |ours| ours.megabytes_per_second / fastest));
        if turns.iter().any(|turn| turn.tokens != turns[0].tokens) {
            let told: Vec<_> =
                turns.iter().map(|turn| format!("{} {}", turn.name, turn.tokens)).collect();
            self.void = Some(told.join(", "));
        }
        for turn in turns {
            let name = format!("{}: {}", self.title, turn.name);
            let speed = self.speeds.entry(turn.name).or_insert_with(|| Series::new(&name, "MB/s"));
            speed.rounds.push(turn.megabytes_per_second);
        }
    }

    /// The ratio; zero where the row counts for nothing.
    fn median(&self) -> f64 {
        if self.void.is_some() { 0.0 } else { self.ratio.median() }
    }

    fn verdict(&self, goal: Goal) -> Verdict {
        let claim = match &self.void {
            None => format!("{}, over the fastest other", self.title),
            Some(told) => format!("{}: void, the totals differ: {told}", self.title),
        };
        let measured = self.median();
        let passed = Some(goal.is_met(measured));
        Verdict { claim, measured, unit: "×".to_owned(), goal: Some(goal), passed, wished: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(lines: &[&str]) -> Vec<Turn> {
        lines.iter().map(|line| Turn::parse(line).unwrap()).collect()
    }

    #[test]
    fn ours_is_held_against_the_fastest_other() {
        let mut row = Row::new("rust", 2000);
        row.add(turns(&["a 0.5 7 1000000", "turnledger 0.25 7 1000000", "b 1.0 7 1000000"]));
        assert!((row.median() - 2.0).abs() < 1e-9);
        assert_eq!(row.verdict(Goal::AtLeast(2.0)).passed, Some(true));
        assert_eq!(row.speeds.len(), 3);
    }

    #[test]
    fn a_row_whose_totals_differ_is_void() {
        let mut row = Row::new("rust", 2000);
        row.add(turns(&["turnledger 0.1 7 1000", "b 1.0 8 1000"]));
        let verdict = row.verdict(Goal::AtLeast(1.0));
        assert_eq!(verdict.passed, Some(false));
        assert!(verdict.claim.ends_with("turnledger 7, b 8"), "{}", verdict.claim);
        assert!(Turn::parse("turnledger 0.1").is_err());
    }
}
