//! What every store promises, one function for each behaviour.
//!
//! [`all`] runs them all; [`BEHAVIOURS`] lists them by name, for one test each. What a store
//! cannot do it says in its capabilities, and the checks of that ask for the typed error instead.
//!
//! # Errors
//!
//! Each behaviour returns a [`Violation`](crate::Violation) where the store does not behave so.
//!
//! # Cancel safety
//!
//! Each behaviour is cancel safe: what it wrote by then stays in namespaces of its own.

#![expect(clippy::missing_errors_doc, reason = "the behaviours share what is said above")]

mod abilities;
mod batches;
mod cancellation;
mod claims;
mod concurrency;
mod conflicts;
mod drops;
mod fallbacks;
mod isolation;
mod ledger;
mod limits;
mod lists;
mod lives;
mod order;
mod pages;
mod recounts;
mod repeats;
mod scene;
mod settling;
mod stale;
mod subject;
mod suite;
mod trims;
mod two_counters;
mod windows;

pub use abilities::{
    a_probe_names_the_backend, a_sound_store_needs_no_repair, what_a_store_cannot_do_is_unsupported,
};
pub use batches::{
    a_batch_answers_for_each_message_in_order, a_batch_without_messages_writes_nothing,
};
pub use cancellation::{a_dropped_append_is_whole_or_absent, a_dropped_settle_is_whole_or_absent};
pub use claims::{
    a_claim_gives_each_pending_once, a_claim_leaves_other_counters_alone,
    a_lease_ends_by_the_clock, a_limited_claim_leaves_the_rest, a_named_claim_ignores_the_lease,
    a_named_claim_pages_by_after, pending_lists_what_waits_and_nothing_else,
    settling_the_last_pending_ends_the_lease, the_one_who_appends_has_a_grace,
};
pub use concurrency::{
    concurrent_appends_are_each_whole, concurrent_claims_share_nothing,
    concurrent_repeats_are_one_message, concurrent_settles_apply_once,
};
pub use conflicts::{
    a_conflict_in_a_batch_writes_none_of_it, a_conflict_within_a_batch_writes_none_of_it,
    a_conflict_writes_nothing, a_trimmed_id_still_conflicts,
};
pub use drops::{
    dropping_gives_seqs_and_ids_back, dropping_into_the_head_behind_a_trim_leaves_the_gap,
    dropping_more_than_there_are_empties, dropping_none_does_nothing,
    dropping_reaches_into_the_head,
};
pub use fallbacks::{
    a_claim_of_fallbacks_leaves_the_pendings, a_fallback_is_not_pending,
    a_fallback_never_replaces_a_count, fallbacks_are_listed_as_long_as_they_last,
    settling_the_last_fallback_ends_the_lease,
};
pub use isolation::{
    hostile_ids_are_conversations_of_their_own, namespaces_see_nothing_of_each_other,
};
pub use ledger::{
    a_conversation_that_never_was_is_empty, every_tally_state_survives,
    payloads_survive_byte_for_byte, totals_equal_the_sum_of_tallies_at_every_step,
};
pub use limits::{a_batch_over_the_limit_is_refused, a_message_over_the_limit_is_refused};
pub use lists::{
    a_cleared_conversation_is_not_listed, listing_pages_through_every_conversation_once,
};
pub use lives::{
    a_life_without_messages_goes_on, an_expiry_can_be_taken_back, clearing_begins_a_new_life,
    clearing_twice_removes_once, expiry_ends_a_conversation,
};
pub use order::{
    reads_are_chronological_and_whole, seqs_count_up_from_one_without_gaps,
    the_epoch_of_the_first_append_stays,
};
pub use pages::{a_page_after_the_last_is_empty, pages_follow_each_other};
pub use recounts::{
    a_recount_ends, a_recount_reaches_what_nobody_touches, the_latest_recount_holds,
};
pub use repeats::{
    a_batch_may_mix_known_and_new, a_repeat_has_the_seq_and_tally_of_the_first,
    a_repeat_of_a_trimmed_message_has_no_tally,
    a_repeat_under_another_counter_leaves_the_current_one, a_repeat_within_a_batch_is_one_message,
    ids_belong_to_one_conversation,
};
pub use settling::{
    a_call_does_not_build_on_itself, a_settlement_applies_once,
    a_settlement_of_another_expectation_is_skipped, settlements_stand_each_for_itself,
    settling_reaches_the_head, settling_replaces_what_is_expected,
};
pub use stale::{
    a_life_that_ended_is_not_settled, a_seq_handed_out_again_is_not_settled,
    a_trimmed_message_is_not_settled, another_epoch_settles_nothing,
    another_fingerprint_settles_nothing,
};
pub use subject::Subject;
pub use suite::{BEHAVIOURS, Behaviour, all};
pub use trims::{
    a_trim_gives_no_seq_back, a_trim_is_idempotent, a_trim_keeps_the_head,
    a_trim_of_another_epoch_does_nothing, a_trim_takes_whole_groups,
    a_trim_to_nothing_leaves_a_living_conversation,
};
pub use two_counters::{
    a_second_counter_settles_from_nothing, an_append_makes_its_counter_current,
    counters_stand_in_the_order_of_first_use, set_counter_makes_uncounted_messages_pending,
};
pub use windows::{
    a_window_counts_estimates_at_half, a_window_holds_a_whole_group_beyond_the_budget,
    a_window_keeps_the_head_apart, a_window_knows_when_it_reached_the_start,
    a_window_reaches_the_newest_and_covers_the_budget, a_window_reads_no_more_than_twice_its_need,
    a_window_takes_the_uncounted_for_half_at_most,
};

pub(crate) use windows::check_read;
