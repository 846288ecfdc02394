//! What every counter promises, one function for each line of its contract.
//!
//! [`all`] runs them all; [`equals`] compares a counter with counts that are known to be right.
//!
//! # Errors
//!
//! Each behaviour returns a [`Violation`](crate::Violation) where the counter does not behave so.

#![expect(clippy::missing_errors_doc, reason = "the behaviours share what is said above")]

mod contract;
mod hostile;
mod suite;
mod vectors;

pub use contract::{
    both_ways_to_count_agree, bounds_hold, counting_is_deterministic, no_text_panics,
    safe_cuts_add_up, special_tokens_are_ordinary_text, the_empty_text_has_no_tokens,
    the_id_is_stable, threads_agree,
};
pub use hostile::{hostile_text, hostile_texts};
pub use suite::{BEHAVIOURS, Behaviour, all};
pub use vectors::equals;
