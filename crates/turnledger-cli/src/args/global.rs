//! The options that stand with every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::output::shell_word;

/// Options of every command; each is a setting that wins over environment and file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Where conversations are kept: `file:PATH`, `redis://HOST` (`redis-sentinel://` and
    /// `redis-cluster://` too), or `memory:` for this run only
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,

    /// The vocabulary that tokens are counted with, such as `o200k_base`, or a model's name
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) encoding: Option<String>,

    /// The tenant whose conversations are meant
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,

    /// A settings file: TOML, YAML or JSON
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// When messages are counted
    #[arg(long, global = true, value_name = "POLICY")]
    pub(crate) count_policy: Option<CountPolicyName>,

    /// Take an environment variable that cannot be read as an error, not as a warning
    #[arg(long, global = true)]
    pub(crate) strict: bool,
}

/// The count policies by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CountPolicyName {
    /// Estimate at once, count afterwards
    Background,
    /// Count at once what is cheap, the rest afterwards
    Adaptive,
    /// Count before the message is stored
    Inline,
}

impl CountPolicyName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Adaptive => "adaptive",
            Self::Inline => "inline",
        }
    }
}

impl GlobalArgs {
    /// The options that were given, as they are written in a shell, each behind a blank.
    pub(crate) fn in_shell(&self) -> String {
        let config = self.config.as_ref().map(|path| path.to_string_lossy());
        let policy = self.count_policy.map(CountPolicyName::as_str);
        let given = [
            ("--store", self.store.as_deref()),
            ("--encoding", self.encoding.as_deref()),
            ("--namespace", self.namespace.as_deref()),
            ("--config", config.as_deref()),
            ("--count-policy", policy),
        ];
        let mut words: String = given
            .into_iter()
            .filter_map(|(option, value)| Some(format!(" {option} {}", shell_word(value?))))
            .collect();
        if self.strict {
            words.push_str(" --strict");
        }
        words
    }

    /// The settings that were given as options, with their keys.
    pub(crate) fn explicit(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("store.url", self.store.as_deref()),
            ("counter.encoding", self.encoding.as_deref()),
            ("memory.namespace", self.namespace.as_deref()),
            ("counter.policy", self.count_policy.map(CountPolicyName::as_str)),
        ]
        .into_iter()
        .filter_map(|(key, text)| Some((key, text?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_a_shell_reads_them() {
        assert_eq!(GlobalArgs::default().in_shell(), "");
        let given = GlobalArgs {
            store: Some("file:a b.redb".into()),
            namespace: Some("t".into()),
            strict: true,
            ..GlobalArgs::default()
        };
        assert_eq!(given.in_shell(), " --store 'file:a b.redb' --namespace t --strict");
    }

    #[test]
    fn only_options_that_were_given_are_settings() {
        assert_eq!(GlobalArgs::default().explicit().count(), 0);
        let given = GlobalArgs {
            encoding: Some("cl100k_base".into()),
            count_policy: Some(CountPolicyName::Inline),
            ..GlobalArgs::default()
        };
        let settings: Vec<_> = given.explicit().collect();
        assert_eq!(settings, [("counter.encoding", "cl100k_base"), ("counter.policy", "inline")]);
    }
}
