//! What a node of a cluster says about all of them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How many slots the keys of a cluster are spread over.
pub(super) const SLOTS: u16 = 16_384;

/// A line of `CLUSTER NODES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) is_master: bool,
    /// Whether the node that was asked takes it for failed, or does not know it well yet.
    pub(super) is_doubtful: bool,
    /// The id of its master, for a replica.
    pub(super) master: Option<String>,
    pub(super) slots: Vec<RangeInclusive<u16>>,
}

/// Reads the answer to `CLUSTER NODES`.
pub(super) fn parse(text: &str) -> Option<Vec<Node>> {
    text.lines().map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Node> {
    let words: Vec<&str> = line.split(' ').collect();
    let [id, _address, flags, master, _ping, _pong, _epoch, _link, slots @ ..] = &words[..] else {
        return None;
    };
    let has = |flag: &str| flags.split(',').any(|found| found == flag);
    let slots = slots
        .iter()
        // Slots on the move stand in brackets.
        .filter(|slots| !slots.starts_with('['))
        .map(|slots| {
            let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Node {
        id: (*id).to_owned(),
        is_master: has("master"),
        is_doubtful: ["fail", "fail?", "handshake", "noaddr"].into_iter().any(has),
        master: (*master != "-").then(|| (*master).to_owned()),
        slots,
    })
}

/// Which node owns which slots, by the id of the node; nothing where a slot has no owner.
pub(super) fn owners(nodes: &[Node]) -> Option<BTreeMap<&str, Vec<RangeInclusive<u16>>>> {
    let mut owners = BTreeMap::new();
    let mut covered = 0;
    for node in nodes.iter().filter(|node| !node.slots.is_empty()) {
        covered += node.slots.iter().map(ExactSizeIterator::len).sum::<usize>();
        owners.insert(node.id.as_str(), node.slots.clone());
    }
    (covered == usize::from(SLOTS)).then_some(owners)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "\
aa 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-8000 8002 [8001->-bb]
bb 127.0.0.1:7001@17001 master - 0 1 2 connected 8001 8003-16383
cc 127.0.0.1:7002@17002,name slave,fail? aa 0 1 1 connected
";

    #[test]
    fn each_line_is_a_node() {
        let nodes = parse(NODES).unwrap();
        assert_eq!(nodes[0].slots, [0..=8000, 8002..=8002]);
        assert!(nodes[0].is_master && !nodes[0].is_doubtful);
        assert_eq!(nodes[0].master, None);
        assert!(!nodes[2].is_master && nodes[2].is_doubtful);
        assert_eq!(nodes[2].master.as_deref(), Some("aa"));
        assert_eq!(parse("aa 127.0.0.1:7000"), None);
    }

    #[test]
    fn owners_are_known_when_every_slot_has_one() {
        let nodes = parse(NODES).unwrap();
        let known = owners(&nodes).unwrap();
        assert_eq!(known.keys().collect::<Vec<_>>(), [&"aa", &"bb"]);
        assert_eq!(owners(&nodes[..1]), None);
    }
}
