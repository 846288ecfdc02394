//! What a program should tell its operator, and can run with.

use std::fmt;

use crate::error::suggestion;

/// Something wrong that did not stop the loading.
///
/// This crate prints nothing: a program shows the warnings where its operator looks. They hold no
/// value that can be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A variable is not what its setting expects, so that a lower layer holds.
    IgnoredVariable {
        /// The variable.
        variable: String,
        /// The setting that it stands for.
        key: String,
        /// The variable's value, `***` where it can hold a secret.
        value: String,
        /// What a valid value is.
        expected: String,
        /// The value that holds instead, without secrets, and where it comes from.
        used: String,
    },

    /// Two variables stand for one setting and differ.
    OverriddenVariable {
        /// The variable that has no effect.
        variable: String,
        /// Its value, `***` where it can hold a secret.
        value: String,
        /// The setting that both stand for.
        key: String,
        /// The variable that holds.
        by: String,
        /// Its value, `***` where it can hold a secret.
        used: String,
    },

    /// A variable has the program's prefix, but no setting is named so.
    UnknownVariable {
        /// The variable.
        variable: String,
        /// The most similar known variable.
        nearest: Option<String>,
    },

    /// A value was replaced, because it contradicts another setting.
    Adjusted {
        /// The setting.
        key: String,
        /// The value that was given, without secrets, and where it came from.
        given: String,
        /// The value that holds.
        used: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IgnoredVariable { variable, key, value, expected, used } => write!(
                formatter,
                "environment variable {variable} is {value}, expected {expected}; it is ignored, \
                 and {key} is {used}",
            ),
            Self::OverriddenVariable { variable, value, key, by, used } => write!(
                formatter,
                "environment variable {variable} ({value}) is ignored, because {by} ({used}) \
                 differs from it and stands for {key} too",
            ),
            Self::UnknownVariable { variable, nearest } => write!(
                formatter,
                "environment variable {variable} names no setting{}",
                suggestion(nearest.as_deref()),
            ),
            Self::Adjusted { key, given, used, reason } => {
                write!(formatter, "{key} is {given}, but {used} is used: {reason}")
            }
        }
    }
}
