//! A connection of the tests' own to a server.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, Value,
};

use super::reply::Reply;
use crate::error::Error;

/// A server that answers nothing for this long is paused or hung.
const LIMIT: Duration = Duration::from_secs(5);

/// Commands whose second word is a part of the name.
const CONTAINERS: [&str; 5] = ["CLIENT", "CLUSTER", "CONFIG", "INFO", "SENTINEL"];

/// Asks a server over its Unix socket, and connects anew where the connection is gone.
pub(super) struct Control {
    port: u16,
    socket: PathBuf,
    /// A user's name and password; without a name it is the default user's password.
    credentials: Option<(Option<String>, String)>,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Control {
    pub(super) fn new(
        port: u16,
        socket: PathBuf,
        credentials: Option<(Option<String>, String)>,
    ) -> Self {
        Self { port, socket, credentials, connection: Mutex::new(None) }
    }

    /// Sends a command and waits for the answer.
    ///
    /// The connection may be one of before a restart, or of a runtime that has ended, so that a
    /// command which finds it gone goes once more over a new one.
    pub(super) async fn query<W: AsRef<[u8]>>(&self, words: &[W]) -> Result<Reply, Error> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word.as_ref());
        }
        if let Some(mut connection) = self.kept() {
            match command.query_async::<Value>(&mut connection).await {
                Err(error) if error.is_unrecoverable_error() => self.forget(),
                answer => return answer.map(Reply::from_value).map_err(|e| self.error(words, e)),
            }
        }
        let mut connection = self.connect().await.map_err(|error| self.error(words, error))?;
        *self.lock() = Some(connection.clone());
        let answer = command.query_async::<Value>(&mut connection).await;
        answer.map(Reply::from_value).map_err(|error| self.error(words, error))
    }

    /// Closes the connection; the next command makes another.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn kept(&self) -> Option<MultiplexedConnection> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some((name, password)) = &self.credentials {
            login = login.set_password(password);
            if let Some(name) = name {
                login = login.set_username(name);
            }
        }
        let info = ConnectionAddr::Unix(self.socket.clone())
            .into_connection_info()?
            .set_redis_settings(login);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT));
        Client::open(info)?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// An error that names the command.
    fn error<W: AsRef<[u8]>>(&self, words: &[W], error: RedisError) -> Error {
        let (port, command) = (self.port, name_of(words));
        match error.code() {
            Some(code) => {
                let reply = format!("{code} {}", error.detail().unwrap_or_default());
                Error::Refused { port, command, reply }
            }
            None => Error::Unreachable { port, command, source: Box::new(error) },
        }
    }
}

/// A command's name, of one word or two; what follows it may be a secret.
pub(super) fn name_of<W: AsRef<[u8]>>(words: &[W]) -> String {
    let word = |place: usize| words.get(place).map(|word| String::from_utf8_lossy(word.as_ref()));
    let first = word(0).unwrap_or_default();
    match word(1) {
        Some(second) if CONTAINERS.contains(&&*first) => format!("{first} {second}"),
        _ => first.into_owned(),
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("socket", &self.socket).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_named_without_what_they_are_told() {
        assert_eq!(name_of(&["AUTH", "secret"]), "AUTH");
        assert_eq!(name_of(&["CLUSTER", "SETSLOT", "7"]), "CLUSTER SETSLOT");
        assert_eq!(name_of(&["PING"]), "PING");
        assert_eq!(name_of::<&str>(&[]), "");
    }
}
