//! The connections that a server sees.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::instance::RedisServer;
use crate::error::Error;

/// A connection of a client, as `CLIENT LIST` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Client {
    /// The server's number for it; none is used twice.
    pub id: u64,
    /// The client's end: `127.0.0.1:50000`.
    pub address: String,
    /// What it calls itself; empty where it does not.
    pub name: String,
    /// The user that it is logged in as.
    pub user: String,
    /// The last command, in lower case.
    pub command: String,
    /// The flags: `N` for none, `x` within MULTI, `P` subscribed, `b` blocked, and others.
    pub flags: String,
    /// Seconds since it was accepted.
    pub age: u64,
    /// Seconds since its last command.
    pub idle: u64,
}

impl Client {
    fn parse(line: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.find_map(|(found, value)| (found == name).then(|| value.to_owned()))
        };
        let number = |name: &str| value(name)?.parse().ok();
        Some(Self {
            id: number("id")?,
            address: value("addr")?,
            name: value("name").unwrap_or_default(),
            user: value("user").unwrap_or_default(),
            command: value("cmd").unwrap_or_default(),
            flags: value("flags")?,
            age: number("age").unwrap_or_default(),
            idle: number("idle").unwrap_or_default(),
        })
    }

    /// Whether it is a client of the code under test: no link of replication (`M`, `S`), no control
    /// connection (`U`, over the Unix socket), no Sentinel.
    fn is_of_test(&self) -> bool {
        !self.flags.contains(['M', 'S', 'U']) && !self.name.starts_with("sentinel-")
    }
}

impl RedisServer {
    /// The clients that are connected now: neither the control connection, nor links of
    /// replication, nor Sentinels.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] where the server does not answer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn clients(&self) -> Result<Vec<Client>, Error> {
        let words = ["CLIENT", "LIST"];
        let reply = self.command(&words).await?;
        let text = reply.text().ok_or_else(|| self.answer_lacks(&words, "a text"))?;
        let mut clients = Vec::new();
        for line in text.lines() {
            let client = Client::parse(line);
            let client = client.ok_or_else(|| self.answer_lacks(&words, "a client's fields"))?;
            if client.is_of_test() {
                clients.push(client);
            }
        }
        Ok(clients)
    }

    /// How many sockets of clients were open at the same time, at some moment within this call.
    ///
    /// One list is not enough: a server may see a new socket before it sees that an older one was
    /// closed. A socket that both the first and the third list show was open, for its client too,
    /// when the first one was made.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] where the server does not answer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn sockets(&self) -> Result<usize, Error> {
        let ids = |clients: Vec<Client>| -> BTreeSet<u64> {
            clients.into_iter().map(|client| client.id).collect()
        };
        let first = ids(self.clients().await?);
        self.clients().await?;
        let third = ids(self.clients().await?);
        Ok(first.intersection(&third).count())
    }

    /// Closes every client's connection, and returns how many there were. The control connection,
    /// replicas and Sentinels keep theirs.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] where the server does not answer.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have closed some of them.
    pub async fn kill_clients(&self) -> Result<usize, Error> {
        // Sent together, so that no client can answer the end of one connection with that of others.
        let kill = async |client: Client| {
            self.command(&["CLIENT", "KILL", "ID", &client.id.to_string()]).await
        };
        let replies = try_join_all(self.clients().await?.into_iter().map(kill)).await?;
        Ok(replies.iter().filter(|reply| reply.integer() == Some(1)).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_is_read_by_name() {
        let line = "id=3 addr=127.0.0.1:50212 laddr=127.0.0.1:7000 fd=8 name=pool age=9 idle=2 \
                    flags=N db=0 multi=-1 cmd=client|setinfo user=default resp=2";
        let client = Client::parse(line).unwrap();
        assert_eq!((client.id, client.age, client.idle), (3, 9, 2));
        assert_eq!((&*client.address, &*client.name), ("127.0.0.1:50212", "pool"));
        assert_eq!((&*client.command, &*client.user), ("client|setinfo", "default"));
        assert_eq!(Client::parse("addr=127.0.0.1:1 flags=N"), None);
    }

    fn check_counts(flags: &str, name: &str, expected: bool) {
        let line = format!("id=1 addr=a name={name} age=0 idle=0 flags={flags} cmd=get user=u");
        assert_eq!(Client::parse(&line).unwrap().is_of_test(), expected, "{line}");
    }

    #[test]
    fn only_clients_of_the_test_count() {
        check_counts("N", "", true);
        check_counts("P", "app", true);
        check_counts("xd", "", true);
        check_counts("U", "", false);
        check_counts("S", "", false);
        check_counts("M", "", false);
        check_counts("P", "sentinel-0f8e-pubsub", false);
    }
}
