//! What was measured, as it is stored and shown.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::machine::Machine;

/// Everything that a run of the program found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// What was typed.
    pub command: String,
    /// The machine.
    pub machine: Machine,
    /// What was measured.
    pub sections: Vec<Section>,
}

/// Some alternatives that were measured side by side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Section {
    /// What it is called on the command line.
    #[serde(default)]
    pub name: String,
    /// What it is about.
    pub title: String,
    /// How it was measured.
    pub method: String,
    /// When it was measured.
    #[serde(default)]
    pub date: String,
    /// Which share of the machine other programs took meanwhile, from 0 to 1.
    #[serde(default)]
    pub others: f64,
    /// What was held against a goal.
    pub verdicts: Vec<Verdict>,
    /// What each round found.
    pub series: Vec<Series>,
}

/// One figure, for each round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Series {
    /// What the figure is.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The figure of each round.
    pub rounds: Vec<f64>,
}

/// A figure, and the goal that it is held against where there is one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// What is claimed.
    pub claim: String,
    /// The median of the rounds.
    pub measured: f64,
    /// Its unit.
    pub unit: String,
    /// The goal; none where the figure is only told.
    pub goal: Option<Goal>,
    /// Whether the goal is met; none where there is none.
    pub passed: Option<bool>,
    /// Whether the goal is only wished for, and may be missed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wished: bool,
}

/// What a figure shall be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
}

impl Report {
    /// A report of this machine without sections.
    pub fn new(command: &str, machine: Machine) -> Self {
        Self { command: command.to_owned(), machine, sections: Vec::new() }
    }

    /// Adds a section, in place of an earlier one of its name, and keeps the sections in the order
    /// of these names.
    pub fn put(&mut self, section: Section, order: &[&str]) {
        self.sections.retain(|other| other.name != section.name);
        self.sections.push(section);
        let place = |section: &Section| order.iter().position(|name| *name == section.name);
        self.sections.sort_by_key(place);
    }
}

impl Series {
    /// A figure without rounds.
    pub fn new(name: &str, unit: &str) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), rounds: Vec::new() }
    }

    /// The median of the rounds.
    pub fn median(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(f64::total_cmp);
        let Some(last) = rounds.len().checked_sub(1) else { return f64::NAN };
        f64::midpoint(rounds[last / 2], rounds[last.div_ceil(2)])
    }

    /// Holds the median against a goal.
    pub fn verdict(&self, claim: &str, goal: Option<Goal>) -> Verdict {
        let measured = self.median();
        Verdict {
            claim: claim.to_owned(),
            measured,
            unit: self.unit.clone(),
            goal,
            passed: goal.map(|goal| goal.is_met(measured)),
            wished: false,
        }
    }

    /// The same under the series' own name.
    pub fn to_verdict(&self, goal: Option<Goal>) -> Verdict {
        self.verdict(&self.name, goal)
    }
}

impl Verdict {
    /// The same with a goal that may be missed.
    #[must_use]
    pub fn only_wished(self) -> Self {
        Self { wished: true, ..self }
    }

    fn missed(&self) -> bool {
        self.passed == Some(false) && !self.wished
    }
}

impl Goal {
    /// Whether a figure is what it shall be; a figure that is no number never is.
    pub fn is_met(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(least) => measured >= least,
            Self::AtMost(most) => measured <= most,
        }
    }
}

impl Section {
    /// Whether a goal was missed that may not be.
    pub fn missed(&self) -> bool {
        self.verdicts.iter().any(Verdict::missed)
    }

    /// The section as text for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for verdict in &self.verdicts {
            let goal = match verdict.goal {
                None => "told only".to_owned(),
                Some(Goal::AtLeast(least)) => format!("goal ≥ {least} {}", verdict.unit),
                Some(Goal::AtMost(most)) => format!("goal ≤ {most} {}", verdict.unit),
            };
            let word = match verdict.passed {
                None => "    ",
                Some(true) => "pass",
                Some(false) if verdict.wished => "miss",
                Some(false) => "MISS",
            };
            let Verdict { claim, measured, unit, .. } = verdict;
            let _ = writeln!(text, "  {word}  {claim}: {measured:.3} {unit} ({goal})");
        }
        for series in &self.series {
            let rounds: Vec<_> = series.rounds.iter().map(|value| format!("{value:.2}")).collect();
            let (name, unit, median) = (&series.name, &series.unit, series.median());
            let _ = writeln!(text, "        {name}: {median:.2} {unit}  [{}]", rounds.join(" "));
        }
        let _ = writeln!(text, "        others took {:.0} % of the machine", self.others * 100.0);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let check = |rounds: &[f64], expected: f64| {
            let series = Series { rounds: rounds.to_vec(), ..Series::new("figure", "µs") };
            assert!((series.median() - expected).abs() < 1e-9, "{rounds:?}");
        };
        check(&[3.0], 3.0);
        check(&[9.0, 1.0, 2.0], 2.0);
        check(&[1.0, 2.0, 9.0, 4.0], 3.0);
        assert!(Series::new("figure", "µs").median().is_nan());
    }

    #[test]
    fn a_goal_is_met_at_its_own_value_and_never_by_no_number() {
        let check = |goal: Goal, measured: f64, met: bool| {
            assert_eq!(goal.is_met(measured), met, "{goal:?} {measured}");
        };
        check(Goal::AtLeast(2.0), 2.0, true);
        check(Goal::AtLeast(2.0), 1.9, false);
        check(Goal::AtLeast(2.0), f64::NAN, false);
        check(Goal::AtMost(2.0), 2.0, true);
        check(Goal::AtMost(2.0), 2.1, false);
        check(Goal::AtMost(2.0), f64::NAN, false);
    }
}
