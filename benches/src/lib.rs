//! What Turnledger costs, measured side by side with what it replaces.

pub mod chaos;
pub mod ledger;
pub mod pool;
pub mod program;
pub mod redis;
pub mod tokens;
