//! One command of a key at a time.
//!
//! A node may send a command on to another one, and those behind it must not overtake it there. So
//! each command of a key waits for the answer to the one before it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard};
use tokio::task::unconstrained;

use crate::lanes::KeyHasher;

type Gates = HashMap<u64, Arc<Gate<()>>, KeyHasher>;

/// The keys that have commands under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyTurns(Arc<Mutex<Gates>>);

/// The right to send a command of a key, until it is dropped.
#[derive(Debug)]
pub(crate) struct KeyTurn {
    key: u64,
    turns: KeyTurns,
    gate: Option<Arc<Gate<()>>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl KeyTurns {
    /// Waits for the turn of a key's command, in the order of the first polls. A future that is
    /// dropped gives up its place.
    pub(crate) async fn turn(&self, key: u64) -> KeyTurn {
        let gate = Arc::clone(self.gates().entry(key).or_default());
        let mut turn =
            KeyTurn { key, turns: self.clone(), gate: Some(Arc::clone(&gate)), held: None };
        // The runtime's budget must not let a later one come first.
        turn.held = Some(unconstrained(gate.lock_owned()).await);
        turn
    }

    fn gates(&self) -> std::sync::MutexGuard<'_, Gates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for KeyTurn {
    fn drop(&mut self) {
        self.held = None;
        let mut gates = self.turns.gates();
        // Within the lock, so that the last of those who leave together sees that it is the last.
        self.gate = None;
        if gates.get(&self.key).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn a_key_has_one_turn_at_a_time_and_is_forgotten_after_the_last() {
        let turns = KeyTurns::default();
        let first = turns.turn(1).await;
        let other = turns.turn(2).await;
        let mut second = pin!(turns.turn(1));
        let mut third = Box::pin(turns.turn(1));
        poll_fn(|context| {
            assert!(second.as_mut().poll(context).is_pending());
            assert!(third.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(first);
        let second = second.await;
        drop(second);
        // It was given the turn, and gives it up.
        drop(third);
        assert_eq!(turns.gates().len(), 1);
        drop(other);
        assert!(turns.gates().is_empty());
    }
}
