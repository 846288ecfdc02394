//! The question that sentinels are asked.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, Value, cmd};

use super::check::{self, Expected};
use super::dialer::ByteStream;
use super::link::Login;
use crate::{ConnectError, ConnectReason, Credentials};

/// The host and port of a service's master, if the sentinel at the other end knows one.
pub(crate) async fn master_of(
    stream: Box<dyn ByteStream>,
    service: &str,
    credentials: Option<&Credentials>,
    address: &str,
) -> Result<Option<(String, u16)>, ConnectError> {
    let nothing = RedisConnectionInfo::default().set_skip_set_lib_name();
    let lost = |error| ConnectError::new(address, ConnectReason::Lost).caused_by(error);
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let made = MultiplexedConnection::new_with_config(&nothing, stream, config).await;
    let (mut connection, driver) = made.map_err(lost)?;
    let login =
        Login { credentials: credentials.cloned(), database: 0, expected: Expected::Server };
    let asked = async {
        check::log_in(&mut connection, &login, address).await?;
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
        connection.send_packed_command(&question).await.map_err(lost)
    };
    tokio::select! {
        answer = asked => Ok(host_and_port(answer?)),
        () = driver => Err(ConnectError::new(address, ConnectReason::Lost)),
    }
}

fn host_and_port(answer: Value) -> Option<(String, u16)> {
    let (host, port) = redis::from_redis_value::<(String, u16)>(answer).ok()?;
    Some((host, port))
}
