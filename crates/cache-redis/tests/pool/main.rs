//! The pool against a server that is a script, under a clock that stands still.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
mod cancelling;
mod diagnosing;
mod exclusives;
mod failures;
mod lanes;
mod proofs;
mod script;
mod sessions;
mod writes;
