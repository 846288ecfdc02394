//! How many histories, how long, from which seed.

use std::collections::hash_map::RandomState;
use std::env;
use std::error::Error;
use std::hash::{BuildHasher, Hasher};

/// How many histories to run, how long they are, and the seed that they are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How many histories.
    pub histories: u32,
    /// Most steps of a history, at least 1.
    pub steps: usize,
    /// The seed: the same seed draws the same histories.
    pub seed: u64,
}

/// A variable that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable} is not a whole number; unset it, or give one")]
pub struct ConfigError {
    variable: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl Config {
    /// The defaults, overridden by the environment.
    ///
    /// # Errors
    ///
    /// As for [`overridden_by_environment`](Self::overridden_by_environment).
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::default().overridden_by_environment()
    }

    /// Takes what the environment names instead of what stands here: `TURNLEDGER_HISTORIES`,
    /// `TURNLEDGER_HISTORY_STEPS` and `TURNLEDGER_HISTORY_SEED`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where one of them is set to what is no whole number.
    pub fn overridden_by_environment(self) -> Result<Self, ConfigError> {
        Ok(Self {
            histories: number("TURNLEDGER_HISTORIES")?.unwrap_or(self.histories),
            steps: number("TURNLEDGER_HISTORY_STEPS")?.unwrap_or(self.steps),
            seed: number("TURNLEDGER_HISTORY_SEED")?.unwrap_or(self.seed),
        })
    }
}

impl Default for Config {
    /// 256 histories of at most 40 steps, from a seed that is new each time.
    fn default() -> Self {
        Self { histories: 256, steps: 40, seed: RandomState::new().build_hasher().finish() }
    }
}

fn number<T>(variable: &'static str) -> Result<Option<T>, ConfigError>
where
    T: std::str::FromStr<Err: Error + Send + Sync + 'static>,
{
    let text = env::var(variable).ok().filter(|text| !text.is_empty());
    let read = text.map(|text| text.parse()).transpose();
    read.map_err(|source: T::Err| ConfigError { variable, source: Box::new(source) })
}
