//! The ledger on Redis: one round trip for an append and for a window.
