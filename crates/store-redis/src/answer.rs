//! Parts of the server's answers.

use cache_redis::connection::Value;

use crate::error::Fault;

/// The bytes of a text; none for nil.
pub(crate) fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        Value::Int(number) => Some(number.to_string().into_bytes()),
        _ => None,
    }
}

/// A number, also one that stands as a text.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

pub(crate) fn array(value: Value, what: &'static str) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(Fault::answer(what)),
    }
}

/// An array of texts.
pub(crate) fn texts(value: Value, what: &'static str) -> Result<Vec<Vec<u8>>, Fault> {
    let texts: Option<Vec<_>> = array(value, what)?.into_iter().map(bytes).collect();
    texts.ok_or_else(|| Fault::answer(what))
}

pub(crate) fn count(value: &Value, what: &'static str) -> Result<u64, Fault> {
    number(value).ok_or_else(|| Fault::answer(what))
}
