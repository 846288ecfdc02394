//! The question for slots, and its answer.

use std::sync::Arc;

use redis::{Value, cmd};

use super::link::LinkHandle;
use crate::cluster::{Cluster, Server, SlotRange};
use crate::{ConnectError, ConnectReason, Node};

/// The slots with their owners, as a node knows them.
pub(crate) async fn ask_for_slots(
    handle: LinkHandle,
    server: &Arc<Server>,
    cluster: &Cluster,
) -> Result<Vec<SlotRange>, ConnectError> {
    let failed = |reason| ConnectError::new(server.node().to_string(), reason);
    let mut connection = handle.connection;
    let answer = connection.send_packed_command(cmd("CLUSTER").arg("SLOTS")).await;
    let ranges = match answer {
        Ok(Value::Array(ranges)) => ranges,
        Ok(Value::ServerError(error)) => {
            return Err(failed(match error.code() {
                "NOPERM" | "NOAUTH" => ConnectReason::Login,
                "LOADING" => ConnectReason::Loading,
                _ => ConnectReason::NoCluster,
            }));
        }
        Ok(_) => return Err(failed(ConnectReason::Protocol)),
        Err(error) => return Err(failed(ConnectReason::Lost).caused_by(error)),
    };
    server.answered();
    let asked = server.node().host();
    let ranges: Vec<_> =
        ranges.into_iter().filter_map(|range| read_range(range, asked, cluster)).collect();
    if ranges.is_empty() { Err(failed(ConnectReason::NoSlots)) } else { Ok(ranges) }
}

/// The first and the last slot, the master, and its replicas.
fn read_range(range: Value, asked: &str, cluster: &Cluster) -> Option<SlotRange> {
    let Value::Array(parts) = range else { return None };
    let mut parts = parts.into_iter();
    let first = number(&parts.next()?)?;
    let last = number(&parts.next()?)?;
    let mut nodes = parts.map(|node| read_node(&node, asked, cluster));
    let master = nodes.next()??;
    Some(SlotRange { first, last, master, replicas: nodes.flatten().collect() })
}

/// A host and a port; a node that does not know its own name means the one that it was asked by.
fn read_node(node: &Value, asked: &str, cluster: &Cluster) -> Option<Arc<Server>> {
    let Value::Array(parts) = node else { return None };
    let host = match parts.first()? {
        Value::Nil => asked,
        Value::BulkString(host) if host.is_empty() => asked,
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        _ => return None,
    };
    // `?` stands for an address that is not known, and is none.
    Some(cluster.server(Node::new(host, number(parts.get(1)?)?)?))
}

fn number(value: &Value) -> Option<u16> {
    if let Value::Int(number) = value { u16::try_from(*number).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn ranges_have_a_master_and_replicas() {
        let cluster = Cluster::default();
        let node = |host: Value, port| Value::Array(vec![host, Value::Int(port), text("id")]);
        let read = |nodes: Vec<Value>| {
            let mut parts = vec![Value::Int(0), Value::Int(16383)];
            parts.extend(nodes);
            let range = read_range(Value::Array(parts), "asked", &cluster)?;
            assert_eq!((range.first, range.last), (0, 16383));
            let nodes = std::iter::once(&range.master).chain(&range.replicas);
            Some(nodes.map(|node| node.node().to_string()).collect::<Vec<_>>())
        };
        let named = node(text("10.0.0.1"), 7000);
        assert_eq!(read(vec![named.clone()]).unwrap(), ["10.0.0.1:7000"]);
        let nodes = vec![node(text(""), 1), node(Value::Nil, 2), node(text("::1"), 3)];
        assert_eq!(read(nodes).unwrap(), ["asked:1", "asked:2", "[::1]:3"]);
        assert_eq!(read(vec![named, node(text("?"), 7001)]).unwrap().len(), 1);
        assert!(read(vec![node(text("?"), 7001)]).is_none());
        assert!(read(vec![node(text("host"), 70_000)]).is_none());
        assert!(read(Vec::new()).is_none());
    }
}
