//! The first words on a connection: login, database, and a look at who answers.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, ServerError, Value, cmd};
use tokio::task::unconstrained;

use super::link::Login;
use crate::{ConnectError, ConnectReason};

/// What has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Any server that is ready.
    Server,
    /// A master: a sentinel's word may be older than the last fail-over.
    Master,
}

/// Logs in, chooses the database and checks who answers, in one round trip.
pub(super) async fn log_in(
    connection: &mut MultiplexedConnection,
    login: &Login,
    address: &str,
) -> Result<(), ConnectError> {
    let failed = |reason| ConnectError::new(address, reason);
    let question = cmd(if login.expected == Expected::Master { "ROLE" } else { "PING" });
    let (mut for_login, mut for_database) = (connection.clone(), connection.clone());
    // Three requests and not a pipeline, since a server without a place for another client
    // answers the first one only. They are sent in this order: each is polled before the next one,
    // and the runtime's budget makes none wait.
    let (authenticated, selected, answer) = unconstrained(async {
        tokio::join!(
            biased;
            send(&mut for_login, authentication(login)),
            send(&mut for_database, selection(login)),
            connection.send_packed_command(&question),
        )
    })
    .await;
    if let Some(error) = refusal(authenticated, address)? {
        return Err(failed(reason_of(&error, ConnectReason::Login)).caused_by(Code::of(&error)));
    }
    if let Some(error) = refusal(selected, address)? {
        return Err(failed(reason_of(&error, ConnectReason::Database)).caused_by(Code::of(&error)));
    }
    match answer {
        Ok(Value::ServerError(error)) => {
            // A user who may not send PING has shown as well that the server is there.
            if login.expected == Expected::Server && error.code() == "NOPERM" {
                return Ok(());
            }
            let reason = reason_of(&error, ConnectReason::Protocol);
            Err(failed(reason).caused_by(Code::of(&error)))
        }
        Ok(answer) if login.expected == Expected::Server || is_master(&answer) => Ok(()),
        Ok(_) => Err(failed(ConnectReason::NotMaster)),
        Err(error) => Err(lost(address, error)),
    }
}

/// The code of a server's refusal; its text may repeat arguments.
#[derive(Debug, thiserror::Error)]
#[error("the server answered {0}")]
struct Code(String);

impl Code {
    fn of(error: &ServerError) -> Self {
        Self(error.code().to_owned())
    }
}

async fn send(connection: &mut MultiplexedConnection, command: Option<Cmd>) -> RedisResult<Value> {
    match command {
        Some(command) => connection.send_packed_command(&command).await,
        None => Ok(Value::Okay),
    }
}

fn authentication(login: &Login) -> Option<Cmd> {
    let credentials = login.credentials.as_ref()?;
    let mut command = cmd("AUTH");
    if let Some(user) = credentials.user() {
        command.arg(user);
    }
    command.arg(credentials.password().expose());
    Some(command)
}

fn selection(login: &Login) -> Option<Cmd> {
    (login.database > 0).then(|| {
        let mut command = cmd("SELECT");
        command.arg(login.database);
        command
    })
}

fn refusal(answer: RedisResult<Value>, address: &str) -> Result<Option<ServerError>, ConnectError> {
    match answer {
        Ok(Value::ServerError(error)) => Ok(Some(error)),
        Ok(_) => Ok(None),
        Err(error) => Err(lost(address, error)),
    }
}

/// A connection that ended: by a TLS alert if the server does not like the client's certificate.
fn lost(address: &str, error: redis::RedisError) -> ConnectError {
    let reason = if crate::connect::is_tls(&error) {
        ConnectReason::Tls
    } else if error.kind() == redis::ErrorKind::Parse {
        ConnectReason::Protocol
    } else {
        ConnectReason::Lost
    };
    ConnectError::new(address, reason).caused_by(error)
}

fn reason_of(error: &ServerError, otherwise: ConnectReason) -> ConnectReason {
    match error.code() {
        "LOADING" => ConnectReason::Loading,
        "NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED" => ConnectReason::Login,
        "ERR" if error.details().is_some_and(|text| text.contains("max number of clients")) => {
            ConnectReason::TooManyClients
        }
        "MASTERDOWN" => ConnectReason::NotMaster,
        _ => otherwise,
    }
}

fn is_master(role: &Value) -> bool {
    let Value::Array(parts) = role else { return false };
    match parts.first() {
        Some(Value::BulkString(word)) => word == b"master",
        Some(Value::SimpleString(word)) => word == "master",
        _ => false,
    }
}
