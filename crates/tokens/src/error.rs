//! What can go wrong before anything is counted.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why a counting pool was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The queue's capacity is out of bounds.
    #[error("queue capacity {capacity} is out of bounds; choose 1 to {max}")]
    Capacity {
        /// What was asked for.
        capacity: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// The number of workers is out of bounds.
    #[error("{workers} worker threads are out of bounds; choose 1 to {max}")]
    Workers {
        /// What was asked for.
        workers: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// No count ends within no time.
    #[error("the time after which a count is taken to hang is zero; choose more")]
    HungAfter,
    /// The system refused a thread.
    #[error("worker thread {name} could not be started; lower the number of workers")]
    Spawn {
        /// The thread's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A count that did not end, as the source of a [`CountError::Failed`].
///
/// Its worker was replaced as far as may be. While the count goes on, other jobs with the same texts
/// get the same answer at once.
///
/// [`CountError::Failed`]: memory_core::CountError::Failed
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the count had not ended after {after:?}")]
pub struct HungCount {
    /// How long it had been allowed to take.
    pub after: Duration,
}

/// Why there is no counter to count with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No counter has this name.
    #[error(transparent)]
    Unknown(#[from] UnknownCounter),
    /// What makes a counter of one's own failed.
    #[error("counter {name} could not be loaded")]
    Factory {
        /// The name that the counter was registered by.
        name: String,
        /// What its factory said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A tokenizer's file could not be read.
    #[error("the tokenizer {file} cannot be read")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no tokenizer that can be used.
    #[error("{file} is no tokenizer.json that can be used")]
    Tokenizer {
        /// The file, or the name that was given for it.
        file: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The least likeness, from 0 to 1, for a name to be offered in place of another.
const NEAR: f64 = 0.75;

/// So many near names are told at most, and so many characters of the name asked for.
const NEAR_NAMES: usize = 3;
const NAME_CHARACTERS: usize = 64;

/// A name that is no known counter, encoding or model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCounter {
    name: String,
    near: Vec<String>,
    known: Vec<String>,
    has_models: bool,
}

impl UnknownCounter {
    /// A name that is neither among `counters` nor among `models`.
    pub(crate) fn new<'a>(
        name: &str,
        counters: impl IntoIterator<Item = &'a str>,
        models: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let name: String = name.chars().take(NAME_CHARACTERS).collect();
        let known: Vec<String> = counters.into_iter().map(str::to_owned).collect();
        let models: Vec<&str> = models.into_iter().collect();
        let lowercase = name.to_lowercase();
        let mut near: Vec<(f64, &str)> = known
            .iter()
            .map(String::as_str)
            .chain(models.iter().copied())
            .map(|known| (strsim::jaro_winkler(&lowercase, &known.to_lowercase()), known))
            .filter(|(likeness, _)| *likeness >= NEAR)
            .collect();
        near.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        let near = near.into_iter().take(NEAR_NAMES).map(|(_, known)| known.to_owned()).collect();
        Self { name, near, known, has_models: !models.is_empty() }
    }

    /// The name that was asked for, cut after 64 characters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The known name that is nearest to it, where one is near.
    pub fn nearest(&self) -> Option<&str> {
        self.near.first().map(String::as_str)
    }

    /// The known names of counters and models that are near to it, the nearest first; at most
    /// three.
    pub fn near(&self) -> &[String] {
        &self.near
    }

    /// The name of every known counter; models are not listed.
    pub fn known(&self) -> &[String] {
        &self.known
    }
}

impl fmt::Display for UnknownCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.known.is_empty(), self.has_models) {
            (true, _) => "model",
            (false, false) => "encoding",
            (false, true) => "encoding or model",
        };
        write!(f, "unknown {what} {:?}; ", self.name)?;
        if !self.near.is_empty() {
            write!(f, "did you mean {}? ", self.near.join(" or "))?;
        }
        match (self.known.is_empty(), self.has_models) {
            (true, _) => f.write_str("known are OpenAI's models by their names, such as gpt-4o"),
            (false, false) => write!(f, "known are {}", self.known.join(", ")),
            (false, true) => {
                let known = self.known.join(", ");
                write!(f, "known are {known}, and models by their names, such as gpt-4o")
            }
        }
    }
}

impl std::error::Error for UnknownCounter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_told_with_what_is_near() {
        let check = |name: &str, near: &[&str], expected: &str| {
            let known = ["o200k_base", "o200k_harmony", "cl100k_base", "House"];
            let error = UnknownCounter::new(name, known, ["gpt-4o", "gpt-4.1", "o3"]);
            assert_eq!(error.near(), near, "{name}");
            assert_eq!(error.nearest(), near.first().copied(), "{name}");
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.known(), known);
        };
        let rest = "known are o200k_base, o200k_harmony, cl100k_base, House, and models by their \
                    names, such as gpt-4o";
        check(
            "o200k",
            &["o200k_base", "o200k_harmony"],
            &format!(
                "unknown encoding or model \"o200k\"; did you mean o200k_base or o200k_harmony? \
                 {rest}"
            ),
        );
        let unknown = |name: &str, nearest: &str| {
            format!("unknown encoding or model {name:?}; did you mean {nearest}? {rest}")
        };
        check(
            "CL100K_BASE",
            &["cl100k_base", "o200k_base"],
            &unknown("CL100K_BASE", "cl100k_base or o200k_base"),
        );
        check("house", &["House"], &unknown("house", "House"));
        check("gpt4o", &["gpt-4o", "gpt-4.1"], &unknown("gpt4o", "gpt-4o or gpt-4.1"));
        for far in ["", "zzz"] {
            check(far, &[], &format!("unknown encoding or model {far:?}; {rest}"));
        }
    }

    #[test]
    fn a_long_name_is_cut() {
        let name = "é".repeat(1000);
        assert_eq!(UnknownCounter::new(&name, ["e"], []).name().chars().count(), 64);
    }
}
