//! What a server has counted between two moments.

use std::collections::BTreeMap;

use redis_testkit::{CommandStats, RedisServer};

use crate::ledger::Outcome;

/// The server's counts at a moment.
#[derive(Debug)]
pub(super) struct Counts {
    commands: BTreeMap<String, CommandStats>,
    received: u64,
}

impl Counts {
    /// Asks the server.
    pub(super) async fn now(server: &RedisServer) -> Outcome<Self> {
        let commands = server.command_stats().await?;
        let received = field(server, "stats", "total_net_input_bytes").await?;
        Ok(Self { commands, received })
    }

    /// What came in since then.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn since(&self, before: &Self) -> Sent {
        let calls = self.commands.iter().map(|(name, stats)| {
            let earlier = before.commands.get(name).copied().unwrap_or_default();
            (name.clone(), stats.calls.saturating_sub(earlier.calls))
        });
        Sent {
            calls: calls.filter(|(name, calls)| *calls > 0 && name != "info").collect(),
            bytes: self.received.saturating_sub(before.received) as f64,
        }
    }

    /// The microseconds since then of commands of these names. That of EXEC and of a script
    /// contains all that it runs.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn microseconds_since(&self, before: &Self, names: &[&str]) -> f64 {
        let of = |counts: &Self| -> u64 {
            let stats = names.iter().filter_map(|name| counts.commands.get(*name));
            stats.map(|stats| stats.microseconds).sum()
        };
        of(self).saturating_sub(of(before)) as f64
    }
}

/// What a server was sent between two moments.
#[derive(Debug)]
pub(super) struct Sent {
    /// How often each command ran, but for those that ask the server.
    pub(super) calls: BTreeMap<String, u64>,
    bytes: f64,
}

impl Sent {
    /// Fails where others sent other commands, or more or fewer bytes by two in a hundred.
    pub(super) fn check_same(&self, others: &str, sent: &Self) -> Outcome<()> {
        if self.calls != sent.calls {
            return Err(
                format!("the store sent {:?}, {others} {:?}", self.calls, sent.calls).into()
            );
        }
        if (self.bytes / sent.bytes - 1.0).abs() > 0.02 {
            return Err(
                format!("the store sent {} bytes, {others} {}", self.bytes, sent.bytes).into()
            );
        }
        Ok(())
    }
}

/// A number of what a server tells of itself.
pub(super) async fn field(server: &RedisServer, section: &str, name: &str) -> Outcome<u64> {
    let info = server.info(section).await?;
    let value = info.get(name).ok_or_else(|| format!("INFO {section} does not tell {name}"))?;
    Ok(value.parse()?)
}
