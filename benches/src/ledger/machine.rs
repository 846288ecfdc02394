//! The machine, and what other programs do on it meanwhile.

use std::fs::read_to_string;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;

/// The machine that measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Processor cores that the program may use.
    pub cores: usize,
    /// The processor, as the system names it.
    pub processor: String,
    /// The system's kernel.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// How the program was built.
    pub profile: String,
}

/// The processors' time so far, in the system's ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Every tick of every processor.
    all: u64,
    /// Ticks without work.
    idle: u64,
    /// Ticks that this program worked, and those that it started and saw end.
    own: u64,
}

impl Machine {
    /// Asks the system.
    ///
    /// # Errors
    ///
    /// Where the system does not tell.
    pub fn describe() -> Outcome<Self> {
        let processors = read_to_string("/proc/cpuinfo")?;
        let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.and_then(|rest| rest.split_once(':')).map_or("unknown", |(_, name)| name);
        let release = read_to_string("/proc/sys/kernel/osrelease")?;
        let rustc = Command::new("rustc").arg("--version").output()?.stdout;
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: model.trim().to_owned(),
            kernel: format!("Linux {}", release.trim()),
            rustc: String::from_utf8(rustc)?.trim().to_owned(),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        })
    }
}

impl Load {
    /// Reads the system's counters.
    ///
    /// # Errors
    ///
    /// Where the system has none, or others than expected.
    pub fn now() -> Outcome<Self> {
        let (system, own) = (read_to_string("/proc/stat")?, read_to_string("/proc/self/stat")?);
        Self::parse(&system, &own).ok_or_else(|| "the system's load cannot be read".into())
    }

    fn parse(system: &str, own: &str) -> Option<Self> {
        let ticks = system.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
        // Guests' time, behind the first eight, is part of the user's time.
        let ticks: Vec<u64> = ticks.take(8).filter_map(|word| word.parse().ok()).collect();
        // The program's name stands in brackets and may hold anything.
        let (_, own) = own.rsplit_once(')')?;
        let own: Vec<&str> = own.split_whitespace().collect();
        // In user mode and in the kernel, then the same of its children.
        let own: Option<Vec<u64>> = own.get(11..15)?.iter().map(|word| word.parse().ok()).collect();
        Some(Self {
            all: ticks.iter().sum(),
            idle: ticks.get(3)? + ticks.get(4)?,
            own: own?.iter().sum(),
        })
    }

    /// The share of the machine that other programs took since then, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "ticks since the start are far below 2^52")]
    pub fn others_since(&self, before: &Self) -> f64 {
        let all = self.all.saturating_sub(before.all);
        let idle = self.idle.saturating_sub(before.idle);
        let own = self.own.saturating_sub(before.own);
        if all == 0 { 0.0 } else { all.saturating_sub(idle + own) as f64 / all as f64 }
    }
}

/// The day, as `2026-01-31`.
pub(super) fn day(since_1970: Duration) -> String {
    // Howard Hinnant's algorithm for days to a civil date, in a calendar that begins in March.
    let days = since_1970.as_secs() / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

impl Machine {
    /// Today, by the machine's clock.
    ///
    /// # Errors
    ///
    /// Where the clock stands before 1970.
    pub fn today() -> Outcome<String> {
        Ok(day(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        let check = |days: u64, date: &str| {
            assert_eq!(day(Duration::from_secs(days * 86_400 + 86_399)), date);
        };
        check(0, "1970-01-01");
        check(58, "1970-02-28");
        check(59, "1970-03-01");
        check(11_016, "2000-02-29");
        check(20_453, "2025-12-31");
        check(20_454, "2026-01-01");
    }

    #[test]
    fn what_others_took_is_neither_idle_nor_ours() {
        let own = |user, kernel| format!("7 (a) b) S 1 1 1 0 0 0 0 0 0 0 {user} {kernel} 1 2");
        let before = Load::parse("cpu  10 0 10 50 10 0 0 0 5 0\ncpu0 1", &own(3, 1)).unwrap();
        let after = Load::parse("cpu  60 0 20 80 20 0 0 0 9 0\ncpu0 1", &own(30, 4)).unwrap();
        assert_eq!((before.all, before.idle, before.own), (80, 60, 7));
        assert!((after.others_since(&before) - 0.3).abs() < 1e-9);
        assert!(Load::parse("intr 1", &own(1, 1)).is_none());
    }
}
