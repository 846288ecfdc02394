//! The tables of the file.

use std::sync::Arc;

use memory_core::{ConversationId, ConversationKey, Limits, Namespace};
use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::bytes::{Damage, text};
use crate::error::Fault;

/// The version of what the tables hold. A file of a later version is refused; one of the first is
/// made to be of this one when it is opened, by [`upgrade`].
pub(crate) const FORMAT: u64 = 2;
/// The version that had no [`FALLBACKS`].
pub(crate) const FIRST_FORMAT: u64 = 1;

/// [`FORMAT`] in [`META`], as eight bytes with the lowest first.
pub(crate) const META_FORMAT: &str = "format";
/// The key of the digests in [`META`], 32 random bytes.
pub(crate) const META_DIGEST_KEY: &str = "digest key";
/// All smaller conversation numbers may be in use, in [`META`].
pub(crate) const META_NUMBERS: &str = "numbers";
/// All smaller payload positions may be in use, in [`META`].
pub(crate) const META_POSITIONS: &str = "positions";
/// What a namespace's name follows in [`META`] where all of it is to be counted by one counter; the
/// value is a [`Recount`](crate::recount::Recount).
pub(crate) const META_RECOUNT: &str = "recount of ";
/// Behind every name that begins with [`META_RECOUNT`].
pub(crate) const META_RECOUNT_END: &str = "recount of!";

/// A key of bytes.
pub(crate) type Bytes = &'static [u8];

/// What is known of the file itself.
pub(crate) const META: TableDefinition<'_, &str, Bytes> = TableDefinition::new("meta");
/// A conversation's [`storage_key`] to its record.
pub(crate) const CONVERSATIONS: TableDefinition<'_, Bytes, Bytes> =
    TableDefinition::new("conversations");
/// Conversation number and block index to the rows of a complete block.
pub(crate) const BLOCKS: TableDefinition<'_, (u64, u64), Bytes> = TableDefinition::new("blocks");
/// The log of payloads: messages of all conversations in the order of their commits, so that one
/// transaction for many conversations fills few pages.
pub(crate) const PAYLOADS: TableDefinition<'_, u64, Bytes> = TableDefinition::new("payloads");
/// Conversation number and digest of a caller's id to seq and digest of the content.
pub(crate) const IDS: TableDefinition<'_, (u64, u128), (u64, u128)> = TableDefinition::new("ids");
/// A conversation's [`storage_key`], where something is pending, to its number and the code of its
/// current counter.
pub(crate) const PENDING: TableDefinition<'_, Bytes, (u64, u32)> = TableDefinition::new("pending");
/// The same for what fallbacks counted.
pub(crate) const FALLBACKS: TableDefinition<'_, Bytes, (u64, u32)> =
    TableDefinition::new("fallbacks");
/// Conversation number and block index to the index behind the last block that nobody needs.
pub(crate) const GARBAGE: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("garbage");
/// When a conversation may have expired, in milliseconds, and its [`storage_key`].
pub(crate) const EXPIRIES: TableDefinition<'_, (u64, Bytes), ()> = TableDefinition::new("expiries");
/// A counter's code to its id.
pub(crate) const COUNTERS: TableDefinition<'_, u32, &str> = TableDefinition::new("counters");

/// Stands for the end of a conversation in [`GARBAGE`]: all blocks, and the ids as well.
pub(crate) const EVERYTHING: u64 = u64::MAX;

/// All tables, open for writing.
pub(crate) struct Tables<'t> {
    pub(crate) meta: Table<'t, &'static str, Bytes>,
    pub(crate) conversations: Table<'t, Bytes, Bytes>,
    pub(crate) blocks: Table<'t, (u64, u64), Bytes>,
    pub(crate) payloads: Table<'t, u64, Bytes>,
    pub(crate) ids: Table<'t, (u64, u128), (u64, u128)>,
    pub(crate) pending: Table<'t, Bytes, (u64, u32)>,
    pub(crate) fallbacks: Table<'t, Bytes, (u64, u32)>,
    pub(crate) garbage: Table<'t, (u64, u64), u64>,
    pub(crate) expiries: Table<'t, (u64, Bytes), ()>,
    pub(crate) counters: Table<'t, u32, &'static str>,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            meta: transaction.open_table(META)?,
            conversations: transaction.open_table(CONVERSATIONS)?,
            blocks: transaction.open_table(BLOCKS)?,
            payloads: transaction.open_table(PAYLOADS)?,
            ids: transaction.open_table(IDS)?,
            pending: transaction.open_table(PENDING)?,
            fallbacks: transaction.open_table(FALLBACKS)?,
            garbage: transaction.open_table(GARBAGE)?,
            expiries: transaction.open_table(EXPIRIES)?,
            counters: transaction.open_table(COUNTERS)?,
        })
    }
}

/// Makes a file of the [`FIRST_FORMAT`] one of this [`FORMAT`].
///
/// Its records and rows stay as they are: those of this format differ only where a fallback has
/// counted, which no program of the first format had done.
pub(crate) fn upgrade(transaction: &WriteTransaction) -> Result<(), Fault> {
    let mut tables = Tables::open(transaction)?;
    tables.meta.insert(META_FORMAT, FORMAT.to_le_bytes().as_slice())?;
    Ok(())
}

/// A number in [`META`].
pub(crate) fn meta_number(
    meta: &impl ReadableTable<&'static str, Bytes>,
    name: &'static str,
) -> Result<u64, Fault> {
    let Some(value) = meta.get(name)? else {
        return Err(Damage("it lacks a number that every store has").into());
    };
    let bytes =
        value.value().try_into().map_err(|_| Damage("it holds a number of a wrong size"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// Where a conversation stands in the tables: the length of the namespace, the namespace, the id.
///
/// The length comes first, so that no id can reach into another namespace.
pub(crate) fn storage_key(key: &ConversationKey) -> Vec<u8> {
    let mut bytes = namespace_prefix(&key.namespace);
    bytes.extend_from_slice(key.id.as_str().as_bytes());
    bytes
}

/// What the keys of a namespace begin with.
pub(crate) fn namespace_prefix(namespace: &Namespace) -> Vec<u8> {
    let namespace = namespace.as_str().as_bytes();
    let mut bytes = Vec::with_capacity(LENGTH_BYTES + namespace.len() + 64);
    bytes.extend_from_slice(&(namespace.len() as u64).to_be_bytes());
    bytes.extend_from_slice(namespace);
    bytes
}

/// Behind every key of a namespace: no text has this byte.
pub(crate) fn namespace_end(namespace: &Namespace) -> Vec<u8> {
    let mut bytes = namespace_prefix(namespace);
    bytes.push(0xff);
    bytes
}

/// Reads back what [`storage_key`] wrote.
pub(crate) fn parse_storage_key(bytes: &[u8]) -> Result<ConversationKey, Damage> {
    let damage = Damage("it holds a conversation whose name cannot be read");
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(damage)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| damage)?;
    let (namespace, id) = rest.split_at_checked(length).ok_or(damage)?;
    // What is stored was within the limits of whoever stored it.
    let limits = Limits { id_bytes: usize::MAX, ..Limits::default() };
    let namespace = Namespace::within(text(namespace)?, &limits).map_err(|_| damage)?;
    let id = ConversationId::within(text(id)?, &limits).map_err(|_| damage)?;
    Ok(ConversationKey::new(namespace, id))
}

const LENGTH_BYTES: usize = 8;

/// All tables, open for reading at one moment.
pub(crate) struct View {
    transaction: Arc<ReadTransaction>,
}

macro_rules! readable {
    ($($name:ident: $definition:ident, $key:ty, $value:ty;)+) => {
        impl View {
            $(pub(crate) fn $name(&self) -> Result<redb::ReadOnlyTable<$key, $value>, Fault> {
                Ok(self.transaction.open_table($definition)?)
            })+
        }
    };
}

readable! {
    meta: META, &'static str, Bytes;
    conversations: CONVERSATIONS, Bytes, Bytes;
    blocks: BLOCKS, (u64, u64), Bytes;
    payloads: PAYLOADS, u64, Bytes;
    pending: PENDING, Bytes, (u64, u32);
    fallbacks: FALLBACKS, Bytes, (u64, u32);
}

impl View {
    pub(crate) const fn new(transaction: Arc<ReadTransaction>) -> Self {
        Self { transaction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(namespace: &str, id: &str) -> ConversationKey {
        ConversationKey::new(Namespace::new(namespace).unwrap(), ConversationId::new(id).unwrap())
    }

    #[test]
    fn keys_of_one_namespace_stand_together_and_apart_from_others() {
        let names = [("a", "b"), ("a", "\u{10ffff}\0"), ("ab", "b"), ("b", "\0"), ("a\0", "x")];
        for (namespace, id) in names {
            let own = storage_key(&key(namespace, id));
            assert_eq!(parse_storage_key(&own), Ok(key(namespace, id)));
            for (other, _) in names {
                let other = Namespace::new(other).unwrap();
                let inside = namespace_prefix(&other) <= own && own < namespace_end(&other);
                assert_eq!(inside, other.as_str() == namespace, "{namespace:?} in {other:?}");
            }
        }
    }

    #[test]
    fn what_is_no_key_is_damage() {
        let check = |bytes: &[u8]| assert!(parse_storage_key(bytes).is_err(), "{bytes:?}");
        check(&[]);
        check(&[0, 0, 0, 0, 0, 0, 0, 9, b'a']);
        check(&[0, 0, 0, 0, 0, 0, 0, 1, b'a']);
        check(&[0, 0, 0, 0, 0, 0, 0, 1, 0xff, b'a']);
    }
}
