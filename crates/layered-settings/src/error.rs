//! What can go wrong.

use std::path::PathBuf;

use crate::layer::Layer;
use crate::shown;

/// Why settings cannot be declared, loaded or read.
///
/// No message shows a value that can hold a secret, nor a line of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A declaration contradicts itself or another one.
    #[error("the setting {key} {reason}")]
    Declaration {
        /// The declared key.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// A file that was named is not there.
    #[error("settings file {} does not exist", .path.display())]
    MissingFile {
        /// The file as it was named.
        path: PathBuf,
    },

    /// What is named like a settings file is a directory.
    #[error("settings file {} is a directory; name a file in it, or give it another name", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },

    /// What is named like a settings file is a link to nothing.
    #[error("settings file {} is a link to {}, which does not exist", .path.display(), .target.display())]
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// What it leads to.
        target: PathBuf,
    },

    /// A file is there but cannot be read.
    #[error("settings file {} cannot be read", .path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// A file's name does not end in a known extension.
    #[error("settings file {} must be named .toml, .yaml (or .yml) or .json", .path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },

    /// A file is longer than settings can sensibly be.
    #[error("settings file {} is longer than {limit} bytes", .path.display())]
    LargeFile {
        /// The file.
        path: PathBuf,
        /// The greatest allowed length in bytes.
        limit: u64,
    },

    /// A file's text does not follow its format.
    ///
    /// The parsers' own errors quote the text that they fail on, which may be a secret. So they
    /// are not kept as sources; what they say besides is in `reason`.
    #[error("settings file {}{}: {reason}", .path.display(), at_line(*.line))]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong, without any text of the file.
        reason: String,
    },

    /// A file has a key that no setting has.
    #[error("settings file {}: unknown key {key}{}", .path.display(), suggestion(.nearest.as_deref()))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key as the file spells it.
        key: String,
        /// The most similar known key.
        nearest: Option<String>,
    },

    /// A file has a setting as one key with a dot in it, which is another key than that in a section.
    #[error(
        "settings file {}: the key \"{key}\" has a dot in it; write it as the key {name} in the \
         section {section}",
        .path.display()
    )]
    DottedKey {
        /// The file.
        path: PathBuf,
        /// The key as the file spells it.
        key: String,
        /// The section that it belongs to.
        section: String,
        /// Its name there.
        name: String,
    },

    /// A file has a section that no setting is in.
    #[error(
        "settings file {}: unknown section [{section}], with the key {key}{}",
        .path.display(), suggestion(.nearest.as_deref())
    )]
    UnknownSection {
        /// The file.
        path: PathBuf,
        /// The section as the file spells it.
        section: String,
        /// A key in it.
        key: String,
        /// The most similar known key.
        nearest: Option<String>,
    },

    /// A file's value is not what its setting expects.
    #[error("settings file {}: {key} is {value}, expected {expected}", .path.display())]
    FileValue {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: String,
        /// The value, `***` where it can hold a secret.
        value: String,
        /// What a valid value is.
        expected: String,
    },

    /// A variable's value is not what its setting expects, and the loader is strict.
    #[error("environment variable {variable} is {value}, expected {expected} for {key}")]
    Variable {
        /// The variable.
        variable: String,
        /// The setting that it stands for.
        key: String,
        /// The value, `***` where it can hold a secret.
        value: String,
        /// What a valid value is.
        expected: String,
    },

    /// An explicit or computed value is not what its setting expects.
    #[error("{key} was given as {value}, expected {expected}")]
    GivenValue {
        /// The setting.
        key: String,
        /// The value, `***` where it can hold a secret.
        value: String,
        /// What a valid value is.
        expected: String,
    },

    /// Two ways to say the same thing are used side by side.
    #[error(
        "{one} and {other} exclude each other, and both are set in the layer {place}; remove one"
    )]
    Conflict {
        /// A key.
        one: String,
        /// Another one, which cannot stand beside it.
        other: String,
        /// The layer, and the file where it is one.
        place: String,
    },

    /// A value contradicts another setting.
    #[error("{key} is {value} ({place}), expected {expected}")]
    Contradiction {
        /// The setting.
        key: String,
        /// The value, `***` where it can hold a secret.
        value: String,
        /// The value's layer, and the variable, file or key in it.
        place: String,
        /// What a valid value is.
        expected: String,
    },

    /// A key is used that the schema does not declare.
    #[error("no setting is named {key}{}", suggestion(.nearest.as_deref()))]
    Undeclared {
        /// The key.
        key: String,
        /// The most similar known key.
        nearest: Option<String>,
    },

    /// A setting is read as a type that cannot hold its value.
    #[error("the setting {key} holds a value of the kind {kind}, which {wanted} cannot hold")]
    WrongType {
        /// The setting.
        key: String,
        /// The kind of its value.
        kind: &'static str,
        /// The type that it was read as.
        wanted: &'static str,
    },

    /// A setting that is needed has no value in any layer.
    #[error("{key} is not set; expected {expected}")]
    Unset {
        /// The setting.
        key: String,
        /// What a valid value is.
        expected: String,
    },

    /// The layers cannot be merged.
    #[error("the layer {layer} cannot be merged")]
    Merge {
        /// The layer that failed.
        layer: Layer,
        /// What the merging says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest
        .map(|known| format!("; the nearest known one is {}", shown::plain(known)))
        .unwrap_or_default()
}
