//! The names under which everything is kept, so that no id can reach another one's.
//!
//! A conversation's name is the length of its namespace, a colon, the namespace and the id, byte by
//! byte: `5:alicechat-1`. No two conversations have the same, whatever their bytes are. A key is
//! the prefix, a tag in braces, a letter and that name. The braces are the first in the key, since
//! a prefix has none, so they alone decide on the slot of a cluster.

use std::io::Write as _;

use memory_core::{ConversationId, ConversationKey, Limits, Namespace};

use crate::tag::{TAGS, Tag};

/// The name of a conversation, as it stands in keys and indexes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name(Vec<u8>);

impl Name {
    pub(crate) fn of(key: &ConversationKey) -> Self {
        let mut name =
            Vec::with_capacity(NUMBER + key.namespace.as_str().len() + key.id.as_str().len());
        write_namespace(&mut name, &key.namespace);
        name.extend_from_slice(key.id.as_str().as_bytes());
        Self(name)
    }

    /// What the names of all conversations of a namespace begin with, and no other's.
    pub(crate) fn of_namespace(namespace: &Namespace) -> Self {
        let mut name = Vec::with_capacity(NUMBER + namespace.as_str().len());
        write_namespace(&mut name, namespace);
        Self(name)
    }

    /// Reads back what [`of`](Self::of) wrote; none for anything else.
    pub(crate) fn parse(name: &[u8]) -> Option<ConversationKey> {
        let colon = name.iter().position(|byte| *byte == b':')?;
        let length: usize = std::str::from_utf8(&name[..colon]).ok()?.parse().ok()?;
        let (namespace, id) = name[colon + 1..].split_at_checked(length)?;
        let limits = Limits { id_bytes: usize::MAX, ..Limits::default() };
        let namespace = Namespace::within(std::str::from_utf8(namespace).ok()?, &limits).ok()?;
        let id = ConversationId::within(std::str::from_utf8(id).ok()?, &limits).ok()?;
        Some(ConversationKey::new(namespace, id))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes of a length in a name, and of the colon behind it, as a rule.
const NUMBER: usize = 4;

fn write_namespace(name: &mut Vec<u8>, namespace: &Namespace) {
    let text = namespace.as_str();
    // A vector takes all that is written to it.
    let _ = write!(name, "{}:", text.len());
    name.extend_from_slice(text.as_bytes());
}

/// The keys of one conversation, and those of the indexes of its tag.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) name: Name,
    /// One behind the other: every append makes them anew, and one piece of memory costs less than
    /// six.
    bytes: Vec<u8>,
    /// How long each of a conversation's own keys is.
    own: usize,
    /// How long the key of an index is.
    index: usize,
}

/// How many keys are a conversation's own; the others are those of indexes.
const OWN: usize = 4;

impl Keys {
    pub(crate) fn meta(&self) -> &[u8] {
        self.all()[0]
    }

    pub(crate) fn tallies(&self) -> &[u8] {
        self.all()[1]
    }

    pub(crate) fn payloads(&self) -> &[u8] {
        self.all()[2]
    }

    pub(crate) fn ids(&self) -> &[u8] {
        self.all()[3]
    }

    pub(crate) fn pendings(&self) -> &[u8] {
        self.all()[4]
    }

    pub(crate) fn fallbacks(&self) -> &[u8] {
        self.all()[5]
    }

    /// In the order in which scripts take them: meta, tallies, payloads, ids, and the indexes of
    /// pendings and of fallbacks.
    pub(crate) fn all(&self) -> [&[u8]; 6] {
        let (own, indexes) = self.bytes.split_at(OWN * self.own);
        let own = |place: usize| &own[place * self.own..][..self.own];
        let (pendings, fallbacks) = indexes.split_at(self.index);
        [own(0), own(1), own(2), own(3), pendings, fallbacks]
    }

    /// Those that hold the conversation.
    pub(crate) fn own(&self) -> [&[u8]; OWN] {
        let [meta, tallies, payloads, ids, ..] = self.all();
        [meta, tallies, payloads, ids]
    }
}

/// What all keys of a store begin with.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(Vec<u8>);

impl Prefix {
    /// Takes a prefix without braces; none for another one.
    pub(crate) fn new(text: &str) -> Option<Self> {
        (!text.contains(['{', '}'])).then(|| Self(text.as_bytes().to_vec()))
    }

    pub(crate) fn keys(&self, key: &ConversationKey) -> Keys {
        self.keys_of(Name::of(key))
    }

    pub(crate) fn keys_of(&self, name: Name) -> Keys {
        let tag = Tag::of(name.bytes());
        let index = self.0.len() + Tag::LENGTH + 1;
        let own = index + name.bytes().len();
        let mut bytes = Vec::with_capacity(OWN * own + 2 * index);
        for letter in [b'm', b't', b'p', b'i'] {
            self.write_tagged(&mut bytes, tag, letter, name.bytes());
        }
        for letter in [b'x', b'y'] {
            self.write_tagged(&mut bytes, tag, letter, b"");
        }
        Keys { name, bytes, own, index }
    }

    /// The key of the schema, which names the format.
    pub(crate) fn schema(&self) -> Vec<u8> {
        [&self.0, b"schema".as_slice()].concat()
    }

    /// The key of the counters' codes.
    pub(crate) fn counters(&self) -> Vec<u8> {
        [&self.0, b"counters".as_slice()].concat()
    }

    /// The key of the notes on recounts.
    pub(crate) fn recounts(&self) -> Vec<u8> {
        [&self.0, b"recounts".as_slice()].concat()
    }

    /// The keys of an index, one for each tag: `x` of pendings, `y` of fallbacks.
    pub(crate) fn indexes(&self, letter: u8) -> impl Iterator<Item = Vec<u8>> {
        (0..TAGS).map(move |tag| self.tagged(Tag::from(tag), letter, b""))
    }

    /// A pattern that all meta keys of a namespace match, and no other.
    pub(crate) fn pattern(&self, namespace: &Namespace) -> Vec<u8> {
        let name = Name::of_namespace(namespace);
        let mut pattern = escaped(&self.0);
        pattern.extend_from_slice(b"{???}m");
        pattern.extend(escaped(name.bytes()));
        pattern.push(b'*');
        pattern
    }

    /// The conversation whose meta key this is.
    pub(crate) fn parse_meta(&self, key: &[u8]) -> Option<ConversationKey> {
        let rest = key.strip_prefix(self.0.as_slice())?;
        Name::parse(rest.get(Tag::LENGTH..)?.strip_prefix(b"m")?)
    }

    fn tagged(&self, tag: Tag, letter: u8, name: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.0.len() + Tag::LENGTH + 1 + name.len());
        self.write_tagged(&mut key, tag, letter, name);
        key
    }

    fn write_tagged(&self, keys: &mut Vec<u8>, tag: Tag, letter: u8, name: &[u8]) {
        keys.extend_from_slice(&self.0);
        keys.extend_from_slice(&tag.in_braces());
        keys.push(letter);
        keys.extend_from_slice(name);
    }
}

/// Bytes that a pattern takes for themselves.
fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(bytes.len() + 8);
    for byte in bytes {
        if b"*?[]\\^-".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(namespace: &str, id: &str) -> ConversationKey {
        let namespace = Namespace::new(namespace).unwrap();
        ConversationKey::new(namespace, ConversationId::new(id).unwrap())
    }

    #[test]
    fn braces_of_a_prefix_are_refused() {
        assert!(Prefix::new("app:").is_some());
        assert!(Prefix::new("").is_some());
        assert!(Prefix::new("{app}").is_none());
        assert!(Prefix::new("a}").is_none());
    }

    #[test]
    fn keys_begin_with_prefix_and_tag() {
        let keys = Prefix::new("app:").unwrap().keys(&key("alice", "chat-1"));
        let text = String::from_utf8(keys.meta().to_vec()).unwrap();
        assert_eq!(&text[..5], "app:{");
        assert_eq!(&text[8..], "}m5:alicechat-1");
        assert_eq!(keys.pendings().len(), "app:{000}x".len());
        assert!(keys.all().iter().all(|key| key[..9] == keys.meta()[..9]));
    }

    #[test]
    fn a_pattern_takes_signs_for_themselves() {
        let prefix = Prefix::new("a*").unwrap();
        let pattern = prefix.pattern(&Namespace::new("[x]?\\").unwrap());
        assert_eq!(pattern, b"a\\*{???}m5:\\[x\\]\\?\\\\*");
    }

    proptest! {
        #[test]
        fn names_are_apart_and_read_back(
            one in ("[a{}:*\0\n0-9é]{1,6}", "[a{}:*\0\n0-9é]{1,6}"),
            other in ("[a{}:*\0\n0-9é]{1,6}", "[a{}:*\0\n0-9é]{1,6}"),
        ) {
            let (own, others) = (key(&one.0, &one.1), key(&other.0, &other.1));
            let prefix = Prefix::new("p:").unwrap();
            let keys = prefix.keys(&own);
            prop_assert_eq!(Name::parse(keys.name.bytes()), Some(own.clone()));
            prop_assert_eq!(prefix.parse_meta(keys.meta()), Some(own.clone()));
            prop_assert_eq!(Name::of(&own) == Name::of(&others), own == others);
        }

        #[test]
        fn no_bytes_make_parsing_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = Name::parse(&bytes);
            let _ = Prefix::new("p:").unwrap().parse_meta(&bytes);
        }
    }
}
