//! What a store can do.

/// What a store can do, so that callers and conformance suites know what to ask of it.
///
/// An operation that a store cannot do is a typed error,
/// [`StoreError::Unsupported`](crate::StoreError::Unsupported).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact about a store")]
#[non_exhaustive]
pub struct Capabilities {
    /// The backend's name, for messages: `embedded`, `redis`.
    pub backend: &'static str,
    /// Whether an acknowledged append survives the end of the process.
    pub durable: bool,
    /// Whether several processes can use the store at once.
    pub shared: bool,
    /// Whether [`trim`](crate::MemoryStore::trim) works.
    pub trim: bool,
    /// Whether [`expire`](crate::MemoryStore::expire) works.
    pub expire: bool,
    /// Whether [`put_head`](crate::MemoryStore::put_head) works.
    pub put_head: bool,
    /// Whether [`archive`](crate::MemoryStore::archive) works.
    pub archive: bool,
    /// Whether [`stable_start`](crate::MemoryStore::stable_start) works.
    pub stable_start: bool,
    /// Whether [`repair`](crate::MemoryStore::repair) works.
    pub repair: bool,
    /// Whether [`recount`](crate::MemoryStore::recount) works.
    pub recount: bool,
}

impl Capabilities {
    /// A store that can do what every store must, and nothing else.
    pub const fn minimal(backend: &'static str) -> Self {
        Self {
            backend,
            durable: false,
            shared: false,
            trim: false,
            expire: false,
            put_head: false,
            archive: false,
            stable_start: false,
            repair: false,
            recount: false,
        }
    }
}
