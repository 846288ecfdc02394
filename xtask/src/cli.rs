//! What the commands are called and what they take.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{bench, chaos, ci, corpus, docs, hostile, lint, test, tidy};
use crate::error::Error;
use crate::project::Project;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the formatting, run clippy, and build each feature of each crate alone.
    Lint,
    /// Run every test and doctest of the workspace, and build the examples.
    Test {
        /// What is handed to the test runner, a filter for instance.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Run a bench, or list the benches.
    Bench {
        /// The bench to run; without it, the benches are listed.
        name: Option<String>,
        /// Write the page of `ledger`, `tokens` or `pool` from its stored results, without measuring.
        #[arg(long)]
        from_stored: bool,
        /// What is handed to the bench.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Kill writers and servers, take the power from disks, cut connections, and compare what is
    /// left with what was promised.
    Chaos {
        /// What the harness is told: `embedded --minutes 5 --seed 7`, `redis --minutes 5 --seed 7`,
        /// or `embedded --help` and `redis --help`.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Make 30 MB of real text in 13 kinds from what packages ship.
    Corpus {
        /// The folder that it is written to; `corpus` in the target folder if none is named.
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// Compare the counters with the reference over hostile strings, and over a corpus.
    Hostile {
        /// How many strings.
        #[arg(long, default_value_t = 1_000_000)]
        strings: u64,
        /// What the strings are made from: the same seed makes the same ones.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The folder of a corpus, to be compared first.
        #[arg(long)]
        corpus: Option<PathBuf>,
    },
    /// Build the documentation without a warning, and follow every relative link.
    Docs,
    /// Check the rules that no compiler knows: arrows, sizes, settings, metrics, leftovers.
    Tidy,
    /// Run lint, tidy, docs, test and two minutes of chaos, in this order, and stop at the first
    /// that fails.
    Ci {
        /// Leave the tests out, for a caller that runs them apart.
        #[arg(long)]
        skip_test: bool,
        /// Add what takes long: feature powerset, dependency audit, API comparison, mutants,
        /// twenty minutes of chaos, ten million hostile strings.
        #[arg(long)]
        full: bool,
    },
}

impl Arguments {
    /// Runs the command that was asked for.
    pub(crate) fn run(self) -> Result<(), Error> {
        let project = Project::load()?;
        match self.command {
            Command::Lint => lint::run(&project),
            Command::Test { arguments } => test::run(&project, &arguments),
            Command::Bench { name, from_stored, arguments } => {
                bench::run(&project, name.as_deref(), &arguments, from_stored)
            }
            Command::Chaos { arguments } => chaos::run(&project, &arguments),
            Command::Corpus { to } => corpus::run(&project, to),
            Command::Hostile { strings, seed, corpus } => {
                hostile::run(&project, strings, seed, corpus.as_deref())
            }
            Command::Docs => docs::run(&project),
            Command::Tidy => tidy::run(&project),
            Command::Ci { skip_test, full } => ci::run(&project, skip_test, full),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn chaos_is_told_everything_that_follows() {
        let words = ["xtask", "chaos", "embedded", "--minutes", "5", "--seed", "7"];
        let Command::Chaos { arguments } = Arguments::parse_from(words).command else {
            panic!("`chaos` parsed as another command");
        };
        assert_eq!(arguments, words[2..]);
    }

    #[test]
    fn what_follows_two_dashes_is_kept_as_it_stands() {
        let parsed = Arguments::parse_from(["xtask", "test", "--", "-E", "test(window)"]);
        let Command::Test { arguments } = parsed.command else {
            panic!("`test` parsed as another command");
        };
        assert_eq!(arguments, ["-E", "test(window)"]);
    }
}
