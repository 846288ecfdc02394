//! redb without the store around it: the same tables and the same bytes, written by one thread.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};

use super::outcome::Outcome;
use super::sync_count::CountedFile;

type Bytes = &'static [u8];

/// The three tables that an append without an id writes, as the store has them.
const CONVERSATIONS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("conversations");
const BLOCKS: TableDefinition<'_, (u64, u64), Bytes> = TableDefinition::new("blocks");
const PAYLOADS: TableDefinition<'_, u64, Bytes> = TableDefinition::new("payloads");

/// Rows of a block, as in the store.
const BLOCK: u64 = 32;

/// From one append to the next, so many conversations are passed: writers that come as they please
/// do not come in the order of their keys. It must share no divisor with their number.
const STRIDE: usize = 97;

/// What the writing thread keeps of a conversation, so that it need not read it back.
#[derive(Debug)]
struct RawConversation {
    key: Vec<u8>,
    number: u64,
    next_seq: u64,
    tokens: u64,
    rows: Vec<u8>,
}

/// A database that is written without the store.
#[derive(Debug)]
pub(super) struct Raw {
    database: Database,
    conversations: Vec<RawConversation>,
    position: u64,
    appended: usize,
    scratch: Vec<u8>,
    pub(super) syncs: Arc<AtomicU64>,
}

impl Raw {
    pub(super) fn create(path: &Path, cache_bytes: usize, names: &[String]) -> Outcome<Self> {
        let (file, syncs) = CountedFile::create(path)?;
        let database = Database::builder().set_cache_size(cache_bytes).create_with_backend(file)?;
        let conversations = names.iter().zip(0..).map(|(name, number)| {
            let mut key = 7_u64.to_be_bytes().to_vec();
            key.extend_from_slice(b"default");
            key.extend_from_slice(name.as_bytes());
            RawConversation { key, number, next_seq: 1, tokens: 0, rows: Vec::new() }
        });
        let conversations = conversations.collect();
        let scratch = Vec::new();
        Ok(Self { database, conversations, position: 0, appended: 0, scratch, syncs })
    }

    /// Appends so many payloads, taking every conversation once before any again, so many in one
    /// transaction.
    pub(super) fn append(
        &mut self,
        count: usize,
        batch: usize,
        payloads: &[Arc<str>],
    ) -> Outcome<()> {
        let mut left = count;
        while left > 0 {
            let now = left.min(batch);
            self.commit(now, payloads)?;
            left -= now;
        }
        Ok(())
    }

    fn commit(&mut self, count: usize, payloads: &[Arc<str>]) -> Outcome<()> {
        let transaction = self.database.begin_write()?;
        {
            let mut conversations = transaction.open_table(CONVERSATIONS)?;
            let mut blocks = transaction.open_table(BLOCKS)?;
            let mut log = transaction.open_table(PAYLOADS)?;
            for _ in 0..count {
                let place = self.appended * STRIDE % self.conversations.len();
                let payload = &payloads[self.appended % payloads.len()];
                let conversation = &mut self.conversations[place];
                conversation.entry(payload, &mut self.scratch);
                log.insert(self.position, self.scratch.as_slice())?;
                if let Some(block) = conversation.add(self.position, payload) {
                    let place = (conversation.number, block);
                    blocks.insert(place, conversation.rows.as_slice())?;
                    conversation.rows.clear();
                }
                conversation.record(&mut self.scratch);
                conversations.insert(conversation.key.as_slice(), self.scratch.as_slice())?;
                self.position += 1;
                self.appended += 1;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The number of syncs so far.
    pub(super) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// The bytes of keys and values that one append left in the tables, on average.
    pub(super) fn bytes_of_an_append(&self) -> Outcome<f64> {
        bytes_of_an_append(&self.database)
    }
}

impl RawConversation {
    /// The payload's entry in the log.
    fn entry(&self, payload: &str, out: &mut Vec<u8>) {
        out.clear();
        for number in [self.number, self.next_seq, 0] {
            put_number(out, number);
        }
        out.extend_from_slice(payload.as_bytes());
    }

    /// Adds a message's row; the index of the block where that makes it complete.
    fn add(&mut self, position: u64, payload: &str) -> Option<u64> {
        let tokens = 5 + payload.len().div_ceil(4) as u64;
        self.tokens += tokens;
        self.rows.extend_from_slice(b"ufingerpr");
        put_number(&mut self.rows, position);
        let mut tally = vec![0, b'x'];
        put_number(&mut tally, tokens);
        put_number(&mut self.rows, tally.len() as u64);
        self.rows.extend_from_slice(&tally);
        self.next_seq += 1;
        let complete = (self.next_seq - 1).is_multiple_of(BLOCK);
        complete.then(|| (self.next_seq - 2) / BLOCK)
    }

    /// The conversation's record, with the rows of the block that is not complete.
    fn record(&self, out: &mut Vec<u8>) {
        out.clear();
        put_number(out, self.number);
        out.extend_from_slice(b"sixteen-letters!");
        // Next, first, leading, pending from; the counter; no expiry, twice; one sum.
        for number in [self.next_seq, 1, 0, self.next_seq, 0, 0, 0, 1] {
            put_number(out, number);
        }
        let messages = self.next_seq - 1;
        for number in [0, self.tokens, messages, messages] {
            put_number(out, number);
        }
        out.extend_from_slice(&self.rows);
    }
}

/// Writes a number as the store does: seven bits a byte, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        // The mask leaves seven bits.
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// The same of any database with these tables, the store's own among them.
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(super) fn bytes_of_an_append(database: &Database) -> Outcome<f64> {
    let transaction = database.begin_read()?;
    let log = transaction.open_table(PAYLOADS)?;
    let stored = [
        transaction.open_table(CONVERSATIONS)?.stats()?.stored_bytes(),
        transaction.open_table(BLOCKS)?.stats()?.stored_bytes(),
        log.stats()?.stored_bytes(),
    ];
    Ok(stored.iter().sum::<u64>() as f64 / log.len()? as f64)
}
