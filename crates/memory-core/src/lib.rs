//! Types and traits of conversation memory for LLM agents.
//!
//! This crate fixes the words that every other crate of Turnledger uses. It holds no runtime and
//! does no I/O, so a team can depend on it alone to write a store or a counter.
//!
//! - [`Message`]: one chat message in the OpenAI wire form, kept as it came.
//! - [`TokenCounter`] and [`RemoteCounter`]: what counts the tokens of a text.
//! - [`Framing`]: the versioned rule that turns counted texts into a message's [`Tally`].
//! - [`MemoryStore`]: where conversations live, and what a store promises.
//! - [`groups`](mod@groups) and [`window`]: which messages belong together, and which of them fit a budget.
//! - [`Limits`]: the bounds that input is checked against before any work is done.
//!
//! # Examples
//!
//! A message's tally, under a counter that counts words:
//!
//! ```
//! use memory_core::{Framing, Message};
//!
//! let words = |text: &str| Ok::<_, std::convert::Infallible>(text.split_whitespace().count() as u64);
//! let message = Message::user("three short words");
//! let tally = Framing::openai_chat_1().tally(&message, words)?;
//! assert_eq!(tally.tokens, 3 + 1 + 3); // the message itself, its role, its content
//! # Ok::<(), std::convert::Infallible>(())
//! ```

mod class;
mod clock;
mod counter;
mod framing;
pub mod groups;
mod ids;
mod ledger;
mod limits;
mod media;
mod message;
mod nonce;
mod redact;
mod store;
mod tally;
pub mod window;

pub use class::MessageClass;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use counter::{CacheLookups, CountError, RemoteCounter, TextCount, TokenCounter};
pub use framing::Framing;
pub use ids::{ConversationId, ConversationKey, CounterId, IdError, MessageId, Namespace};
pub use ledger::{CounterTotals, LedgerTotals, Totals};
pub use limits::{LimitError, LimitKind, Limits};
pub use media::MediaFigures;
pub use message::{
    Content, ContentPart, ImageDetail, Media, MediaKind, Message, MessageBuilder, MessageError,
    Role, ToolCall,
};
pub use nonce::{Epoch, Fingerprint, NonceError, Seq};
pub use redact::Redactor;
pub use store::{
    Append, Appended, AppendedMessage, Archive, Backlog, Capabilities, Claim, Claimed,
    ClaimedConversation, Cleared, ConversationSummary, Difference, Dropped, ListPage, ListQuery,
    MemoryStore, MemoryStoreExt, NewMessage, Page, PageQuery, PendingConversation, Probe, PutHead,
    Repair, RepairReport, Settle, Settled, Settlement, StableStart, StoreError, StoredMessage,
    Summary, TailWalk, Trim, Trimmed, WindowQuery, WindowRead,
};
pub use tally::{FinalReason, Tally, TallyState};
