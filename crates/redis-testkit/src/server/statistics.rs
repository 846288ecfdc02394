//! What a server counts.

use std::collections::BTreeMap;

use super::instance::RedisServer;
use crate::error::Error;

/// How often a command ran, as the server counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CommandStats {
    /// Calls that ran.
    pub calls: u64,
    /// Microseconds that they took in the server, all together.
    pub microseconds: u64,
    /// Calls that were refused before they ran.
    pub rejected: u64,
    /// Calls that failed while they ran.
    pub failed: u64,
}

impl RedisServer {
    /// The fields of a section of `INFO`, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] where the server does not answer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn info(&self, section: &str) -> Result<BTreeMap<String, String>, Error> {
        let words = ["INFO", section];
        let reply = self.command(&words).await?;
        let text = reply.text().ok_or_else(|| self.answer_lacks(&words, "a text"))?;
        Ok(fields(text))
    }

    /// How often each command ran since the start or the last reset, by its name in lower case; a
    /// subcommand is `client|list`.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] where the server does not answer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn command_stats(&self) -> Result<BTreeMap<String, CommandStats>, Error> {
        let fields = self.info("commandstats").await?;
        let stats = fields.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix("cmdstat_")?.to_owned(), CommandStats::parse(value)))
        });
        Ok(stats.collect())
    }

    /// Sets the counts of the commands, and of errors, to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] where the server does not answer.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have reset them.
    pub async fn reset_stats(&self) -> Result<(), Error> {
        self.command(&["CONFIG", "RESETSTAT"]).await.map(drop)
    }
}

impl CommandStats {
    /// Reads `calls=1,usec=5,usec_per_call=5.00,rejected_calls=0,failed_calls=0`.
    fn parse(text: &str) -> Self {
        let mut stats = Self::default();
        for (name, value) in text.split(',').filter_map(|pair| pair.split_once('=')) {
            let number = value.parse().unwrap_or_default();
            match name {
                "calls" => stats.calls = number,
                "usec" => stats.microseconds = number,
                "rejected_calls" => stats.rejected = number,
                "failed_calls" => stats.failed = number,
                _ => {}
            }
        }
        stats
    }
}

/// Lines of `name:value`, as `INFO` and `CLUSTER INFO` print them.
pub(crate) fn fields(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_end().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_line_by_line() {
        let read = fields("# Replication\r\nrole:master\r\nslave0:ip=127.0.0.1,port=1\r\n\r\n");
        assert_eq!(read["role"], "master");
        assert_eq!(read["slave0"], "ip=127.0.0.1,port=1");
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn counts_of_a_command_are_read_by_name() {
        let text = "calls=7,usec=30,usec_per_call=4.29,rejected_calls=2,failed_calls=1";
        let expected = CommandStats { calls: 7, microseconds: 30, rejected: 2, failed: 1 };
        assert_eq!(CommandStats::parse(text), expected);
    }
}
