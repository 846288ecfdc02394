//! What is dropped.

use memory_core::Message;
use memory_instance::{CountPolicy, MemoryError};

use super::polls::poll;
use super::scene::{At, Scene};
use crate::support::{PATIENCE, Words};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Append(CountPolicy),
    AppendMany(CountPolicy),
    Window,
    Settle,
    Sweep,
    Swap,
    Shutdown,
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was dropped while it waited, or before it began.
    Dropped,
    Done,
    /// It failed, and says that it did nothing.
    Failed,
    /// It failed, and may have happened.
    Unknown,
}

impl Ended {
    pub(super) fn is_over(self) -> bool {
        self != Self::Dropped
    }

    fn of<T>(ended: Option<Result<T, MemoryError>>) -> Self {
        match ended {
            None => Self::Dropped,
            Some(Ok(_)) => Self::Done,
            Some(Err(error)) if error.is_outcome_unknown() => Self::Unknown,
            Some(Err(_)) => Self::Failed,
        }
    }
}

impl Operation {
    pub(super) fn policy(self) -> CountPolicy {
        match self {
            Self::Append(policy) | Self::AppendMany(policy) => policy,
            _ => CountPolicy::Background,
        }
    }

    /// Whether it surely waits there where nothing is answered at once.
    pub(super) fn comes_to(self, at: At) -> bool {
        match (self, at) {
            (Self::Append(policy) | Self::AppendMany(policy), At::Counter(_)) => {
                policy == CountPolicy::Inline
            }
            // What it does with the former counter it leaves to the background.
            (Self::Swap, At::Counter(_)) => false,
            _ => true,
        }
    }

    /// The texts that it appends.
    pub(super) fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Append(_) => &["one and only"],
            Self::AppendMany(_) => &["first of", "three", "in one batch"],
            _ => &[],
        }
    }

    /// Polls it so many times at most, and drops it.
    pub(super) async fn run(self, scene: &Scene, polls: usize) -> Ended {
        let conversation = &scene.conversation;
        let messages = self.texts().iter().map(|text| Message::user(*text));
        let pass = async || scene.pass().await;
        match self {
            Self::Append(_) => {
                let message = Message::user(self.texts()[0]);
                Ended::of(poll(conversation.append(message), polls, pass).await)
            }
            Self::AppendMany(_) => {
                Ended::of(poll(conversation.append_many(messages), polls, pass).await)
            }
            Self::Window => Ended::of(poll(conversation.window(10_000), polls, pass).await),
            Self::Settle => Ended::of(poll(conversation.settle(PATIENCE), polls, pass).await),
            Self::Sweep => Ended::of(poll(scene.memory.sweep(), polls, pass).await),
            Self::Swap => {
                let swap = scene.memory.swap_counter(Words::new("more-words").opened());
                Ended::of(poll(swap, polls, pass).await)
            }
            Self::Shutdown => {
                let shutdown = async { Ok(scene.memory.shutdown(PATIENCE).await) };
                Ended::of(poll(shutdown, polls, pass).await)
            }
        }
    }
}
