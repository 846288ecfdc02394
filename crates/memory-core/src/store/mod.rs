//! Where conversations live, and what a store promises.

mod admin;
mod capabilities;
mod contract;
mod error;
mod ext;
mod forward;
mod read;
mod walk;
mod write;

pub use admin::{
    Archive, Cleared, ConversationSummary, Difference, ListPage, ListQuery, Probe, PutHead, Repair,
    RepairReport, StableStart, Summary,
};
pub use capabilities::Capabilities;
pub use contract::MemoryStore;
pub use error::StoreError;
pub use ext::MemoryStoreExt;
pub use read::{
    Backlog, Claim, Claimed, ClaimedConversation, Page, PageQuery, PendingConversation,
    StoredMessage, WindowQuery, WindowRead,
};
pub use walk::TailWalk;
pub use write::{
    Append, Appended, AppendedMessage, Dropped, NewMessage, Settle, Settled, Settlement, Trim,
    Trimmed,
};
