//! A connection of the `redis` crate on a socket of the pool.

use std::fmt;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::check::{self, Expected};
use super::driver::{Pulse, drive};
use super::outcome;
use super::session::Session;
use crate::connect::Socket;
use crate::pool::{AtTimes, Count, Generation};
use crate::{ConnectError, ConnectReason, Credentials, PoolSettings, RedisSettings};

/// What every connection says first.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(super) credentials: Option<Credentials>,
    pub(super) database: u32,
    pub(super) expected: Expected,
}

impl Login {
    /// The login of the settings; the server that answers may have to be a master.
    pub(crate) fn new(settings: &RedisSettings, must_be_master: bool) -> Self {
        Self {
            credentials: settings.credentials.clone(),
            database: settings.database,
            expected: if must_be_master { Expected::Master } else { Expected::Server },
        }
    }
}

/// One connection, logged in and checked. Dropping it closes its socket.
pub(crate) struct Link {
    pub(super) connection: MultiplexedConnection,
    pub(crate) generation: Generation,
    pub(crate) born: Instant,
    /// When it was last given back, or came to be.
    pub(crate) idle_since: Instant,
    /// Counts it among the idle ones while it is; there once it was.
    pub(crate) idle: Option<AtTimes>,
    pub(super) session: Session,
    /// Whether its user has asked the server to end it.
    is_ending: bool,
    in_flight: Count,
    pulse: Arc<Pulse>,
    driver: AbortHandle,
}

impl Link {
    /// Makes a connection of a socket: logs in, and checks what answers.
    ///
    /// `ended` is called once if the server or the network ends it.
    pub(crate) async fn open(
        socket: Socket,
        login: &Login,
        address: &str,
        bounds: &PoolSettings,
        generation: Generation,
        ended: impl FnOnce() + Send + 'static,
    ) -> Result<Self, ConnectError> {
        let nothing = RedisConnectionInfo::default().set_skip_set_lib_name();
        // A place for each command that a lane may have in flight, so that none waits to be sent
        // and all keep their order, and one for the PING that follows a cancelled one.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(bounds.lane_depth + 1);
        let in_flight = socket.in_flight();
        let made = MultiplexedConnection::new_with_config(&nothing, socket, config).await;
        let (connection, driver) =
            made.map_err(|error| ConnectError::new(address, ConnectReason::Lost).caused_by(error))?;
        let pulse = Arc::new(Pulse::new(bounds.response_timeout));
        let mut link = Self {
            connection,
            generation,
            born: Instant::now(),
            idle_since: Instant::now(),
            idle: None,
            session: Session::default(),
            is_ending: false,
            in_flight,
            driver: drive(driver, Arc::clone(&pulse), ended),
            pulse,
        };
        check::log_in(&mut link.connection, login, address).await?;
        Ok(link)
    }

    /// Closes it, whatever is in flight on it.
    pub(crate) fn cut(&self) {
        self.pulse.stop();
        self.driver.abort();
    }

    /// Whether neither the server nor the network has ended it yet.
    pub(crate) fn is_alive(&self) -> bool {
        self.pulse.is_alive()
    }

    /// Where those who share it count their commands in flight.
    pub(crate) fn in_flight(&self) -> Count {
        self.in_flight.clone()
    }

    /// Notes that its end will be no failure, since its user asks for it.
    pub(super) fn expect_end(&mut self) {
        self.is_ending = true;
        self.pulse.stop();
    }

    /// Whether its user has asked for its end.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// Whether nothing of its last user is left on it.
    pub(crate) fn is_clean(&self) -> bool {
        self.session.is_clean()
    }

    /// A handle that commands are sent with.
    pub(crate) fn handle(&self) -> LinkHandle {
        LinkHandle { connection: self.connection.clone(), pulse: Arc::clone(&self.pulse) }
    }

    /// Waits until everything is answered that was sent before.
    pub(crate) async fn fence(mut connection: MultiplexedConnection) -> bool {
        match connection.send_packed_command(&redis::cmd("PING")).await {
            Ok(_) => true,
            Err(error) => !outcome::is_fatal(&error),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Link").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The end of the driver is none of the connection's then.
        self.pulse.stop();
        self.driver.abort();
    }
}

/// What sends commands over a link that somebody else keeps.
#[derive(Clone)]
pub(crate) struct LinkHandle {
    pub(super) connection: MultiplexedConnection,
    pub(super) pulse: Arc<Pulse>,
}

impl LinkHandle {
    /// Waits until everything is answered that was sent before; false if the connection failed.
    pub(crate) async fn fence(self) -> bool {
        Link::fence(self.connection).await
    }
}

impl fmt::Debug for LinkHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkHandle")
    }
}
