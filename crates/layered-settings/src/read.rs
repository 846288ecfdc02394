//! From a value to the type that a program asks for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::secret::Secret;
use crate::url::Url;
use crate::value::Value;

/// A type that [`Settings::get`](crate::Settings::get) can read.
///
/// Implement it for an enumeration of yours to read a choice:
///
/// ```
/// use layered_settings::{FromValue, Loader, Schema, Setting, Value};
///
/// #[derive(Debug, PartialEq)]
/// enum Durability { Sync, Relaxed }
///
/// impl FromValue<'_> for Durability {
///     fn from_value(value: &Value) -> Option<Self> {
///         match <&str>::from_value(value)? {
///             "sync" => Some(Self::Sync),
///             "relaxed" => Some(Self::Relaxed),
///             _ => None,
///         }
///     }
/// }
///
/// let durability = Setting::choice("store.durability", &["sync", "relaxed"]).default_value("sync");
/// let settings = Loader::new(Schema::new([durability])?).build()?;
/// assert_eq!(settings.get::<Durability>("store.durability")?, Durability::Sync);
/// # Ok::<_, layered_settings::SettingsError>(())
/// ```
pub trait FromValue<'a>: Sized {
    /// Reads a value that is present; none where the type cannot hold it.
    fn from_value(value: &'a Value) -> Option<Self>;

    /// What stands for a value that is absent or off; none where the type needs a value.
    fn from_absent() -> Option<Self> {
        None
    }
}

impl<'a, T: FromValue<'a>> FromValue<'a> for Option<T> {
    fn from_value(value: &'a Value) -> Option<Self> {
        T::from_value(value).map(Some)
    }

    fn from_absent() -> Option<Self> {
        Some(None)
    }
}

impl<'a> FromValue<'a> for &'a str {
    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromValue<'_> for String {
    fn from_value(value: &Value) -> Option<Self> {
        <&str>::from_value(value).map(str::to_owned)
    }
}

impl FromValue<'_> for bool {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }
}

impl FromValue<'_> for Duration {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Duration(duration) => Some(*duration),
            _ => None,
        }
    }
}

impl<'a> FromValue<'a> for &'a Path {
    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Path(path) => Some(path),
            _ => None,
        }
    }
}

impl FromValue<'_> for PathBuf {
    fn from_value(value: &Value) -> Option<Self> {
        <&Path>::from_value(value).map(Path::to_path_buf)
    }
}

impl FromValue<'_> for Secret {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }
}

impl FromValue<'_> for Url {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Url(url) => Some(url.clone()),
            _ => None,
        }
    }
}

macro_rules! read_numbers {
    ($($number:ty),*) => {$(
        impl FromValue<'_> for $number {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Integer(number) => (*number).try_into().ok(),
                    Value::Size(bytes) => (*bytes).try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

read_numbers!(u8, u16, u32, u64, usize, i32, i64);
