//! The program's commands and what all of them take.

use clap::{Parser, Subcommand};

use super::conversation::{
    AppendArgs, ClearArgs, DropNewestArgs, ShowArgs, TotalsArgs, WindowArgs,
};
use super::count::CountArgs;
use super::examples;
use super::global::GlobalArgs;
use super::replay::ReplayArgs;
use super::store::{
    CompletionsArgs, ConfigArgs, CopyArgs, DoctorArgs, ExportArgs, ListArgs, SweepArgs,
};

/// Conversation memory for LLM agents: append without waiting for a tokenizer, exact totals, a
/// window that fits.
#[derive(Debug, Parser)]
#[command(
    name = "turnledger",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = examples::GENERAL
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Everything that the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Store(StoreCommand),

    /// Count the tokens of files, or of the lines of JSON lines, without a store
    #[command(after_help = examples::COUNT)]
    Count(CountArgs),

    /// Work with the settings
    #[command(after_help = examples::CONFIG)]
    Config(ConfigArgs),

    /// Print the settings, and look at the Redis that they lead to
    #[command(after_help = examples::DOCTOR)]
    Doctor(DoctorArgs),

    /// Print a completion script for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// What needs a store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Replay conversations from files, message by message, and say what they take
    #[command(after_help = examples::REPLAY)]
    Replay(ReplayArgs),

    /// Append messages to one conversation
    #[command(after_help = examples::APPEND)]
    Append(AppendArgs),

    /// Print the newest messages of a conversation that fit a token budget
    #[command(after_help = examples::WINDOW)]
    Window(WindowArgs),

    /// Page through a conversation's messages
    #[command(after_help = examples::SHOW)]
    Show(ShowArgs),

    /// Print a conversation's messages and tokens, under each counter that has counted it
    #[command(after_help = examples::TOTALS)]
    Totals(TotalsArgs),

    /// List the conversations of the namespace
    #[command(after_help = examples::LIST)]
    List(ListArgs),

    /// Write conversations as JSON lines that `replay` reads back
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),

    /// Copy conversations into another store; what is there already is not copied again
    #[command(after_help = examples::COPY)]
    Copy(CopyArgs),

    /// Drop the newest messages of a conversation
    #[command(after_help = examples::DROP_NEWEST)]
    DropNewest(DropNewestArgs),

    /// Remove all messages of a conversation
    #[command(after_help = examples::CLEAR)]
    Clear(ClearArgs),

    /// Count what an earlier process left uncounted
    #[command(after_help = examples::SWEEP)]
    Sweep(SweepArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_is_a_command_that_parses() {
        let mut command = Cli::command();
        let mut helps = vec![command.render_help().to_string()];
        let names: Vec<_> =
            command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        for name in names.iter().filter(|name| *name != "help") {
            let sub = command.find_subcommand_mut(name).expect("its name was just read");
            helps.push(sub.render_help().to_string());
        }
        let mut examples = 0;
        for help in helps {
            let (_, after) = help.split_once("Examples:").expect("every help has examples");
            for line in after.lines().filter_map(|line| line.trim().strip_prefix("$ ")) {
                // What stands behind a pipe or a redirection is the shell's.
                let own = line.rsplit('|').next().unwrap_or(line);
                let own = own.split(['>', '<']).next().unwrap_or(own).trim();
                if let Err(error) = Cli::try_parse_from(words(own)) {
                    panic!("{own}: {error}");
                }
                examples += 1;
            }
        }
        assert!(examples >= 20, "{examples} examples");
    }

    /// Splits at blanks outside of single and double quotes.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
        for character in line.chars() {
            match (character, quote) {
                (_, Some(open)) if character == open => quote = None,
                ('\'' | '"', None) => quote = Some(character),
                (' ', None) => words.push(std::mem::take(&mut word)),
                _ => word.push(character),
            }
        }
        words.push(word);
        words
    }
}
