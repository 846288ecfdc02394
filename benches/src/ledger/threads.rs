//! What each thread of this program has worked so far.

use std::fs::{read_dir, read_to_string};
use std::time::Duration;

use super::outcome::Outcome;

/// Threads and their processor time.
#[derive(Debug)]
pub(super) struct Worked(Vec<(u64, String, Duration)>);

impl Worked {
    /// Reads the times of all threads.
    pub(super) fn now() -> Outcome<Self> {
        let mut threads = Vec::new();
        for entry in read_dir("/proc/self/task")? {
            let path = entry?.path();
            // A thread may end meanwhile.
            let Ok(name) = read_to_string(path.join("comm")) else { continue };
            let Ok(times) = read_to_string(path.join("schedstat")) else { continue };
            let number = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let nanos = times.split_whitespace().next().unwrap_or_default().parse()?;
            threads.push((number.parse()?, name.trim().to_owned(), Duration::from_nanos(nanos)));
        }
        Ok(Self(threads))
    }

    /// The time since then of all threads whose names begin with `prefix`.
    pub(super) fn since(&self, before: &Self, prefix: &str) -> Duration {
        let earlier = |number: u64| before.0.iter().find(|(other, ..)| *other == number);
        let threads = self.0.iter().filter(|(_, name, _)| name.starts_with(prefix));
        let times = threads.map(|(number, _, time)| {
            time.saturating_sub(earlier(*number).map_or(Duration::ZERO, |(.., earlier)| *earlier))
        });
        times.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_later_counts() {
        let threads = |times: &[(u64, &str, u64)]| {
            let thread = |(number, name, seconds): &(u64, &str, u64)| {
                (*number, (*name).to_owned(), Duration::from_secs(*seconds))
            };
            Worked(times.iter().map(thread).collect())
        };
        let before = threads(&[(1, "write", 5), (2, "read", 1)]);
        let after = threads(&[(1, "write", 7), (2, "read", 9), (3, "write", 1)]);
        assert_eq!(after.since(&before, "wri"), Duration::from_secs(3));
        assert_eq!(after.since(&before, ""), Duration::from_secs(11));
        assert!(Worked::now().unwrap().since(&threads(&[]), "") > Duration::ZERO);
    }
}
