//! All behaviours by name, and what runs them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::subject::Subject;
use super::{
    abilities, batches, cancellation, claims, concurrency, conflicts, drops, fallbacks, isolation,
    ledger, limits, lists, lives, order, pages, recounts, repeats, settling, stale, trims,
    two_counters, windows,
};
use crate::verdict::{Failures, Verdict};

type Check = for<'a> fn(&'a Subject) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// One promised behaviour of a store.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// The function's name.
    pub name: &'static str,
    check: Check,
}

impl Behaviour {
    /// Checks it.
    ///
    /// # Errors
    ///
    /// [`Violation`](crate::Violation) where the store does not behave so.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what the check wrote by then stays in a namespace of its own.
    pub async fn check(&self, subject: &Subject) -> Verdict {
        (self.check)(subject).await
    }
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Behaviour").field(&self.name).finish()
    }
}

macro_rules! behaviours {
    ($($module:ident :: { $($name:ident),+ $(,)? })+) => {
        /// Every behaviour of the suite. All of them can run on one store, one after the other or
        /// at once, unless its clock is given: then one after the other.
        pub const BEHAVIOURS: &[Behaviour] = &[$($(
            Behaviour {
                name: stringify!($name),
                check: |subject| Box::pin($module::$name(subject)),
            },
        )+)+];
    };
}

behaviours! {
    order::{
        seqs_count_up_from_one_without_gaps, reads_are_chronological_and_whole,
        the_epoch_of_the_first_append_stays,
    }
    batches::{a_batch_answers_for_each_message_in_order, a_batch_without_messages_writes_nothing}
    ledger::{
        totals_equal_the_sum_of_tallies_at_every_step, a_conversation_that_never_was_is_empty,
        every_tally_state_survives, payloads_survive_byte_for_byte,
    }
    repeats::{
        a_repeat_has_the_seq_and_tally_of_the_first, a_repeat_within_a_batch_is_one_message,
        a_batch_may_mix_known_and_new, a_repeat_of_a_trimmed_message_has_no_tally,
        a_repeat_under_another_counter_leaves_the_current_one, ids_belong_to_one_conversation,
    }
    conflicts::{
        a_conflict_writes_nothing, a_conflict_in_a_batch_writes_none_of_it,
        a_conflict_within_a_batch_writes_none_of_it, a_trimmed_id_still_conflicts,
    }
    drops::{
        dropping_gives_seqs_and_ids_back, dropping_more_than_there_are_empties,
        dropping_none_does_nothing, dropping_reaches_into_the_head,
        dropping_into_the_head_behind_a_trim_leaves_the_gap,
    }
    settling::{
        settling_replaces_what_is_expected, a_settlement_applies_once,
        a_settlement_of_another_expectation_is_skipped, a_call_does_not_build_on_itself,
        settlements_stand_each_for_itself,
        settling_reaches_the_head,
    }
    stale::{
        another_epoch_settles_nothing, another_fingerprint_settles_nothing,
        a_seq_handed_out_again_is_not_settled, a_trimmed_message_is_not_settled,
        a_life_that_ended_is_not_settled,
    }
    two_counters::{
        a_second_counter_settles_from_nothing, set_counter_makes_uncounted_messages_pending,
        an_append_makes_its_counter_current, counters_stand_in_the_order_of_first_use,
    }
    claims::{
        a_claim_gives_each_pending_once, a_lease_ends_by_the_clock,
        settling_the_last_pending_ends_the_lease, a_named_claim_ignores_the_lease,
        a_named_claim_pages_by_after, a_limited_claim_leaves_the_rest,
        a_claim_leaves_other_counters_alone, the_one_who_appends_has_a_grace,
        pending_lists_what_waits_and_nothing_else,
    }
    fallbacks::{
        a_fallback_is_not_pending, a_fallback_never_replaces_a_count,
        a_claim_of_fallbacks_leaves_the_pendings, settling_the_last_fallback_ends_the_lease,
        fallbacks_are_listed_as_long_as_they_last,
    }
    recounts::{
        a_recount_reaches_what_nobody_touches, a_recount_ends, the_latest_recount_holds,
    }
    windows::{
        a_window_reaches_the_newest_and_covers_the_budget, a_window_counts_estimates_at_half,
        a_window_holds_a_whole_group_beyond_the_budget, a_window_knows_when_it_reached_the_start,
        a_window_takes_the_uncounted_for_half_at_most, a_window_keeps_the_head_apart,
        a_window_reads_no_more_than_twice_its_need,
    }
    pages::{pages_follow_each_other, a_page_after_the_last_is_empty}
    trims::{
        a_trim_takes_whole_groups, a_trim_keeps_the_head, a_trim_gives_no_seq_back,
        a_trim_is_idempotent, a_trim_of_another_epoch_does_nothing,
        a_trim_to_nothing_leaves_a_living_conversation,
    }
    lives::{
        clearing_begins_a_new_life, clearing_twice_removes_once, expiry_ends_a_conversation,
        an_expiry_can_be_taken_back, a_life_without_messages_goes_on,
    }
    lists::{listing_pages_through_every_conversation_once, a_cleared_conversation_is_not_listed}
    isolation::{namespaces_see_nothing_of_each_other, hostile_ids_are_conversations_of_their_own}
    concurrency::{concurrent_appends_are_each_whole, concurrent_repeats_are_one_message,
        concurrent_settles_apply_once, concurrent_claims_share_nothing}
    cancellation::{a_dropped_append_is_whole_or_absent, a_dropped_settle_is_whole_or_absent}
    limits::{a_batch_over_the_limit_is_refused, a_message_over_the_limit_is_refused}
    abilities::{
        what_a_store_cannot_do_is_unsupported, a_sound_store_needs_no_repair, a_probe_names_the_backend,
    }
}

/// Checks every behaviour, and says which ones are not as promised.
///
/// `make` is called once for each behaviour. It may open a new store each time or hand out the
/// same one. The concurrent behaviours use tasks where a tokio runtime with several threads runs
/// them.
///
/// # Errors
///
/// [`Failures`] with the name of each behaviour that failed.
///
/// # Cancel safety
///
/// Cancel safe: what was written by then stays in namespaces of its own.
pub async fn all<S: Into<Subject>>(make: impl AsyncFn() -> S) -> Result<(), Failures> {
    let mut broken = Vec::new();
    for behaviour in BEHAVIOURS {
        let subject = make().await.into();
        if let Err(violation) = behaviour.check(&subject).await {
            broken.push((behaviour.name, violation));
        }
    }
    Failures::verdict("store", broken)
}
