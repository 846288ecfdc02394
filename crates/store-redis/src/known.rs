//! What this process remembers of conversations, so that it needs no look before it acts.
//!
//! All of it is a guess: others may have changed the conversation since. Every answer is checked
//! against what was guessed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::element::Code;
use crate::keys::Name;
use crate::state::State;

/// What is remembered of one conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Guess {
    /// The only counter that it was counted under; none where there are more.
    pub(crate) only: Option<Code>,
    /// No payload is larger.
    pub(crate) largest: u64,
    /// When it ends, in milliseconds since 1970; 0 where that is not known.
    pub(crate) ends: u64,
    /// How many elements of the lists are its head; none where a trim has fixed that.
    pub(crate) leading: Option<usize>,
    /// Tokens of a message at the end, at least; 0 where that is not known.
    pub(crate) tokens: u64,
    /// The seq of the lists' first element.
    pub(crate) physical: u64,
}

/// Bounded memory of guesses.
#[derive(Debug)]
pub(crate) struct Known {
    most: usize,
    both: Mutex<Generations>,
}

/// What was used lately is in the young one; a full one becomes the old one.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Name, Guess>,
    old: HashMap<Name, Guess>,
}

impl Known {
    /// Remembers up to twice as many conversations.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, both: Mutex::default() }
    }

    pub(crate) fn get(&self, name: &Name) -> Option<Guess> {
        let mut both = self.both.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guess) = both.young.get(name) {
            return Some(*guess);
        }
        let (name, guess) = both.old.remove_entry(name)?;
        self.insert(&mut both, name, guess);
        Some(guess)
    }

    /// Remembers a state, and what `change` adds to it.
    pub(crate) fn note(&self, name: &Name, state: &State, change: impl FnOnce(&mut Guess)) {
        let mut both = self.both.lock().unwrap_or_else(PoisonError::into_inner);
        let former = both.young.get(name).or_else(|| both.old.get(name)).copied();
        let only = (state.counters.len() == 1).then_some(state.current);
        let (largest, physical) = (state.largest, state.physical);
        let mut guess = match former {
            Some(former) => Guess { only, largest, physical, ..former },
            None => Guess { only, largest, physical, ends: 0, leading: Some(1), tokens: 0 },
        };
        if state.cut.is_some() {
            guess.leading = None;
        }
        change(&mut guess);
        if let Some(stored) = both.young.get_mut(name) {
            *stored = guess;
        } else {
            self.insert(&mut both, name.clone(), guess);
        }
    }

    /// Remembers when a conversation ends, of which something is remembered.
    pub(crate) fn note_end(&self, name: &Name, ends: u64) {
        let mut both = self.both.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *both;
        if let Some(guess) = young.get_mut(name).or_else(|| old.get_mut(name)) {
            guess.ends = ends;
        }
    }

    pub(crate) fn forget(&self, name: &Name) {
        let mut both = self.both.lock().unwrap_or_else(PoisonError::into_inner);
        both.young.remove(name);
        both.old.remove(name);
    }

    fn insert(&self, both: &mut Generations, name: Name, guess: Guess) {
        if both.young.len() >= self.most {
            both.old = std::mem::take(&mut both.young);
        }
        both.young.insert(name, guess);
    }
}

#[cfg(test)]
mod tests {
    use cache_redis::connection::Value;
    use memory_core::Namespace;

    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let state = vec![Value::BulkString("abcdefghijklmnopAbC".into()), Value::Int(1)];
        let state = State::decode(state).unwrap().unwrap();
        let known = Known::new(2);
        let name = |text: &str| Name::of_namespace(&Namespace::new(text).unwrap());
        known.note(&name("used"), &state, |guess| guess.tokens = 7);
        for other in ["a", "b", "c", "d", "e"] {
            known.note(&name(other), &state, |_| {});
            assert_eq!(known.get(&name("used")).map(|guess| guess.tokens), Some(7), "{other}");
        }
        assert_eq!(known.get(&name("a")), None);
        known.forget(&name("used"));
        assert_eq!(known.get(&name("used")), None);
    }
}
