//! Ports that are free, and that outgoing connections of other programs do not take while a server
//! on them is down.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

use crate::error::Error;

/// Below the ports that systems hand to outgoing connections (Linux begins at 32768): one of those
/// could take the port of a server that was killed and is to come back on it.
const RANGE: Range<u16> = 14_000..32_000;

const ATTEMPTS: usize = 100;

/// An address of this machine that no other can reach.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A port that nothing listens on at this moment.
pub(crate) fn free() -> Result<u16, Error> {
    listen().map(|(_, port)| port)
}

/// A listener on a free port.
pub(crate) fn listen() -> Result<(TcpListener, u16), Error> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..ATTEMPTS {
        let port = fastrand::u16(RANGE);
        match TcpListener::bind(local(port)) {
            Ok(listener) => return Ok((listener, port)),
            Err(error) => last = error,
        }
    }
    Err(Error::NoPort { attempts: ATTEMPTS, source: last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_not_handed_out() {
        let (_listener, taken) = listen().unwrap();
        for _ in 0..ATTEMPTS {
            let (_other, port) = listen().unwrap();
            assert_ne!(port, taken);
            assert!(RANGE.contains(&port));
        }
    }
}
