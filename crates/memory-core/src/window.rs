//! Which messages fit a budget: the newest run of whole groups behind the head.
//!
//! [`select`] is a pure function over what a store returned. Stores never select.

use std::ops::Range;

use crate::class::MessageClass;
use crate::groups::groups;
use crate::message::Message;

/// What [`select`] chooses from.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    /// The budget of the whole window, in tokens.
    pub budget: u64,
    /// What is in every window: the head's tokens and the reply's priming.
    pub fixed: u64,
    /// The messages behind the head, oldest first and contiguous to the newest, each with the
    /// tokens that it is charged.
    pub tail: &'a [(&'a Message, u64)],
    /// Whether the tail begins where the head ends, so that nothing older could be read.
    pub reached_start: bool,
}

/// What [`select`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The longest run of whole groups that fits.
    Run(Run),
    /// All that was read fits, or cuts a group: read further back and select again.
    ReadMore,
}

/// The chosen end of the tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Where the run stands in the tail; it always reaches the tail's end.
    pub range: Range<usize>,
    /// Tokens of the whole window: what is fixed, and the run.
    pub tokens: u64,
}

/// Why there is no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// The head and the reply's priming alone are over the budget.
    #[error(
        "the head, if any, and the reply's priming take {tokens} tokens, and the budget is {budget}; raise the budget"
    )]
    HeadTooLarge {
        /// Tokens of the head and the priming.
        tokens: u64,
        /// The budget.
        budget: u64,
    },
    /// The newest group does not fit beside the head.
    #[error(
        "the newest group takes {tokens} tokens, and {left} of the budget of {budget} are left beside the head; raise the budget, or ask for an empty run"
    )]
    NewestGroupTooLarge {
        /// Tokens of the newest group.
        tokens: u64,
        /// What the head and the priming leave of the budget.
        left: u64,
        /// The budget.
        budget: u64,
    },
}

/// Chooses the longest run of whole groups, contiguous to the newest message, that fits.
///
/// # Errors
///
/// [`WindowError`] where not even the newest group fits.
///
/// # Examples
///
/// ```
/// use memory_core::Message;
/// use memory_core::window::{Candidates, Selection, select};
///
/// let (old, new) = (Message::user("old"), Message::user("new"));
/// let tail = [(&old, 10), (&new, 10)];
/// let candidates = Candidates { budget: 15, fixed: 3, tail: &tail, reached_start: true };
/// let Selection::Run(run) = select(&candidates)? else { unreachable!("everything was read") };
/// assert_eq!((run.range, run.tokens), (1..2, 13));
/// # Ok::<(), memory_core::window::WindowError>(())
/// ```
pub fn select(candidates: &Candidates<'_>) -> Result<Selection, WindowError> {
    let Candidates { budget, fixed, tail, reached_start } = *candidates;
    let Some(left) = budget.checked_sub(fixed) else {
        return Err(WindowError::HeadTooLarge { tokens: fixed, budget });
    };
    // What stands before the first boundary may belong to a call that was not read.
    let known = if reached_start {
        Some(0)
    } else {
        tail.iter().position(|(message, _)| MessageClass::of(message).is_boundary())
    };
    let Some(known) = known else { return Ok(Selection::ReadMore) };
    let mut start = tail.len();
    let mut taken = 0_u64;
    for group in groups(tail[known..].iter().map(|(message, _)| *message)).iter().rev() {
        let range = known + group.range.start..known + group.range.end;
        let tokens =
            tail[range.clone()].iter().fold(0, |sum: u64, (_, tokens)| sum.saturating_add(*tokens));
        if taken.saturating_add(tokens) > left {
            if start == tail.len() {
                return Err(WindowError::NewestGroupTooLarge { tokens, left, budget });
            }
            return Ok(Selection::Run(Run { range: start..tail.len(), tokens: fixed + taken }));
        }
        taken += tokens;
        start = range.start;
    }
    if reached_start {
        Ok(Selection::Run(Run { range: start..tail.len(), tokens: fixed + taken }))
    } else {
        Ok(Selection::ReadMore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ToolCall;

    fn tail() -> Vec<Message> {
        vec![
            Message::user("1"),
            Message::assistant_calling([
                ToolCall::function("a", "f", "{}"),
                ToolCall::function("b", "f", "{}"),
            ]),
            Message::tool("a", "3"),
            Message::tool("b", "4"),
            Message::assistant("5"),
        ]
    }

    /// Selects from messages of 10 tokens each.
    fn run(
        messages: &[Message],
        budget: u64,
        reached_start: bool,
    ) -> Result<Selection, WindowError> {
        let tail: Vec<_> = messages.iter().map(|message| (message, 10)).collect();
        select(&Candidates { budget, fixed: 3, tail: &tail, reached_start })
    }

    fn chosen(start: usize, tokens: u64) -> Selection {
        Selection::Run(Run { range: start..5, tokens })
    }

    #[test]
    fn a_run_is_the_longest_that_fits_and_never_splits_a_group() {
        let messages = tail();
        let too_large = WindowError::NewestGroupTooLarge { tokens: 10, left: 9, budget: 12 };
        assert_eq!(
            run(&messages, 2, true),
            Err(WindowError::HeadTooLarge { tokens: 3, budget: 2 })
        );
        assert_eq!(run(&messages, 12, true), Err(too_large));
        assert_eq!(run(&messages, 13, true), Ok(chosen(4, 13)));
        assert_eq!(run(&messages, 42, true), Ok(chosen(4, 13)));
        assert_eq!(run(&messages, 43, true), Ok(chosen(1, 43)));
        assert_eq!(run(&messages, 52, true), Ok(chosen(1, 43)));
        assert_eq!(run(&messages, 53, true), Ok(chosen(0, 53)));
        assert_eq!(run(&messages, u64::MAX, true), Ok(chosen(0, 53)));
    }

    #[test]
    fn a_tail_that_does_not_reach_the_start_says_when_it_is_too_short() {
        let messages = tail();
        assert_eq!(run(&messages, 53, false), Ok(Selection::ReadMore));
        assert_eq!(run(&messages, 52, false), Ok(chosen(1, 43)));
        // The results at the front belong to a call that was not read.
        let cut = &messages[2..];
        let tail: Vec<_> = cut.iter().map(|message| (message, 10)).collect();
        let select_cut =
            |budget| select(&Candidates { budget, fixed: 0, tail: &tail, reached_start: false });
        assert_eq!(select_cut(30), Ok(Selection::ReadMore));
        assert_eq!(
            select_cut(9),
            Err(WindowError::NewestGroupTooLarge { tokens: 10, left: 9, budget: 9 })
        );
        let only_results = &tail[..2];
        assert_eq!(
            select(&Candidates { budget: 5, fixed: 0, tail: only_results, reached_start: false }),
            Ok(Selection::ReadMore)
        );
    }

    #[test]
    fn an_empty_tail_is_an_empty_run() {
        let empty = Candidates { budget: 5, fixed: 3, tail: &[], reached_start: true };
        assert_eq!(select(&empty), Ok(Selection::Run(Run { range: 0..0, tokens: 3 })));
    }

    #[test]
    fn tokens_beyond_any_number_do_not_wrap() {
        let message = Message::user("x");
        let tail = [(&message, u64::MAX), (&message, u64::MAX)];
        let candidates = Candidates { budget: 9, fixed: 0, tail: &tail, reached_start: true };
        assert!(matches!(select(&candidates), Err(WindowError::NewestGroupTooLarge { .. })));
    }
}
