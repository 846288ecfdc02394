//! How far back a window's read goes.

use std::ops::ControlFlow;

use crate::class::MessageClass;

/// The rule that says how much of a conversation's end a window needs.
///
/// A store walks from the newest message to older ones and gives each to [`push`](Self::push)
/// until that breaks. What was walked over is then the tail: it fills the budget even if pending
/// messages cost no more than their lower bounds, and begins with a message that no group reaches
/// across.
///
/// # Examples
///
/// ```
/// use memory_core::{MessageClass, TailWalk};
///
/// let mut walk = TailWalk::new(100, 20);
/// assert!(walk.push(MessageClass::Result, 70).is_continue());
/// assert!(walk.push(MessageClass::Result, 70).is_continue()); // over the budget, but inside a group
/// assert!(walk.push(MessageClass::Call, 10).is_break());
/// ```
#[derive(Debug, Clone)]
pub struct TailWalk {
    left: u64,
    filled: bool,
}

impl TailWalk {
    /// Begins a walk for a window of `budget` tokens, of which the head takes at least `head`.
    pub const fn new(budget: u64, head: u64) -> Self {
        Self { left: budget.saturating_sub(head), filled: false }
    }

    /// Takes the next older message, with the least that it costs; breaks where no older one is
    /// needed.
    pub fn push(&mut self, class: MessageClass, lower_bound: u64) -> ControlFlow<()> {
        match self.left.checked_sub(lower_bound) {
            Some(left) if !self.filled => self.left = left,
            _ => self.filled = true,
        }
        if self.filled && class.is_boundary() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MessageClass::{Assistant, Call, Result, User};

    #[test]
    fn a_walk_ends_at_the_first_boundary_beyond_the_budget() {
        let check = |budget, messages: &[(MessageClass, u64)], taken: Option<usize>| {
            let mut walk = TailWalk::new(budget, 0);
            let end = messages.iter().position(|(class, cost)| walk.push(*class, *cost).is_break());
            assert_eq!(end.map(|index| index + 1), taken, "{budget} {messages:?}");
        };
        check(10, &[(User, 5), (User, 5)], None);
        check(10, &[(User, 5), (User, 5), (User, 1)], Some(3));
        check(0, &[(Assistant, 1), (User, 1)], Some(1));
        check(10, &[(Result, 8), (Result, 8), (Call, 0), (User, 1)], Some(3));
        check(10, &[(Result, 11), (Result, 1), (Call, 1)], Some(3));
    }
}
