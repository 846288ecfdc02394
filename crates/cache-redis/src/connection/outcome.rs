//! What became of a request, in the words of the pool.

use redis::{ErrorKind, RedisError, RedisResult, Value};

use super::commands::{Kind, Operation, TRANSACTION};
use super::request::Request;
use crate::{PoolError, ServerDetail};

/// Whether a connection cannot go on after this error.
pub(super) fn is_fatal(error: &RedisError) -> bool {
    error.is_io_error() || error.kind() == ErrorKind::Parse || error.is_unrecoverable_error()
}

/// Whether an answer says that the server is not the master any more.
pub(super) fn is_demoted(request: Request<'_>, answer: &RedisResult<Value>) -> bool {
    let says_so =
        |value: &Value| matches!(value, Value::ServerError(error) if error.code() == "READONLY");
    match (request, answer) {
        (_, Ok(value @ Value::ServerError(_))) => says_so(value),
        (Request::Many(_), Ok(Value::Array(answers))) => answers.iter().any(says_so),
        (_, Err(error)) => {
            // A transaction that was aborted carries what its commands were refused with.
            !is_fatal(error)
                && error.clone().into_server_errors().is_some_and(|errors| {
                    errors.iter().any(|(_, error)| error.code() == "READONLY")
                })
        }
        _ => false,
    }
}

/// Whether what was asked may have changed something, once it was sent.
pub(super) fn may_change(operation: Operation) -> bool {
    operation.kind != Kind::Read
}

/// The answer of a single command, or of a pipeline as a whole.
pub(super) fn of_answer(
    operation: Operation,
    answer: RedisResult<Value>,
) -> Result<Value, PoolError> {
    match answer {
        // It is that of MULTI, after which the server took the commands one by one.
        Ok(Value::ServerError(error)) if operation.name == TRANSACTION => {
            Err(PoolError::NotAtomic {
                code: error.code().to_owned(),
                detail: ServerDetail(error.details().unwrap_or_default().to_owned()),
            })
        }
        Ok(Value::ServerError(error)) => Err(PoolError::Server {
            operation: operation.name,
            code: error.code().to_owned(),
            detail: ServerDetail(error.details().unwrap_or_default().to_owned()),
        }),
        Ok(value) => Ok(value),
        Err(error) if is_fatal(&error) => Err(PoolError::ConnectionLost {
            operation: operation.name,
            outcome_unknown: may_change(operation),
            source: error.into(),
        }),
        Err(error) => Err(aborted(operation, error)),
    }
}

/// A transaction that the server aborted, or a request that the client refused.
fn aborted(operation: Operation, error: RedisError) -> PoolError {
    let code = error.code().unwrap_or("ERR").to_owned();
    let Some(errors) = error.into_server_errors() else {
        return PoolError::Server {
            operation: operation.name,
            code,
            detail: ServerDetail::default(),
        };
    };
    // The first refusal says why; EXECABORT, which comes last, says only that there was one.
    let first = errors.first().map(|(_, error)| error);
    PoolError::Server {
        operation: operation.name,
        code: first.map_or(code, |error| error.code().to_owned()),
        detail: ServerDetail(
            first.and_then(|error| error.details()).unwrap_or_default().to_owned(),
        ),
    }
}
