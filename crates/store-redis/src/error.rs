//! What can go wrong here beyond what every store can meet, and how the pool's errors map.

use std::error::Error;
use std::time::Duration;

use cache_redis::PoolError;
use cache_redis::connection::ServerError;
use memory_core::{ConversationKey, LimitError, StoreError};

use crate::damage::Damage;

/// The causes that only this store has. They stand as the source of a [`StoreError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisStoreError {
    /// The prefix has a brace, which would decide on the slots of a cluster.
    #[error("the prefix of the keys has a brace; leave {{ and }} out of it")]
    Prefix,
    /// The server is older than the commands that the store needs.
    #[error(
        "the server's version is {found}, and the store needs 7.0 or later, of Redis or Valkey"
    )]
    Version {
        /// The version that the server tells.
        found: String,
    },
    /// The server answered with something else than the command's answer.
    #[error("the server's answer to {what} is not of its form")]
    Answer {
        /// The command, or what was asked for.
        what: &'static str,
    },
    /// The conversation was found to be damaged when some of the write was done already.
    #[error(
        "the conversation is damaged: {detail}; repair it, and look whether the write is there"
    )]
    DamagedConversation {
        /// What contradicts what.
        detail: &'static str,
    },
    /// A tally is larger than 2^40 tokens, so that sums stay whole numbers in scripts.
    #[error("a tally of {tokens} tokens is more than the {most} that a tally can have")]
    Tally {
        /// The tokens of the tally.
        tokens: u64,
        /// The most tokens of a tally.
        most: u64,
    },
    /// A batch takes more bytes than a connection that others share is to carry at once.
    #[error("a batch of {bytes} bytes is more than the {most} that one can have; split it")]
    Batch {
        /// The bytes of its messages.
        bytes: u64,
        /// The most bytes of a batch.
        most: u64,
    },
    /// A wait for replicas may take longer than an answer may.
    #[error(
        "redis.pool.response_timeout is {response_timeout:?}, and with store.wait_replicas an \
         append is answered after up to {waits:?}: make it longer than that"
    )]
    ResponseTimeout {
        /// The longest time to an answer.
        response_timeout: Duration,
        /// The longest wait for replicas.
        waits: Duration,
    },
    /// A repair has more to write than one write may carry.
    #[error("a repair of {bytes} bytes is more than the {most} that one can write; clear it")]
    Repair {
        /// The bytes of ids and tallies that would be written.
        bytes: u64,
        /// The most bytes of a repair.
        most: u64,
    },
    /// Fewer replicas than asked for told in time that they have an append.
    #[error(
        "{answered} of {wanted} replicas told in time that they have the append; the master has it"
    )]
    Replicas {
        /// How many were to have it.
        wanted: u32,
        /// How many have it.
        answered: u64,
    },
    /// The server refused an append that replicas were to have.
    #[error("the server refused the append with {code}")]
    Refused {
        /// The code of the refusal.
        code: String,
    },
    /// All codes that a counter could have are taken.
    #[error("no code is left for another counter; use another prefix of the keys")]
    NoCode,
    /// A conversation was changed again and again while it was read in steps.
    #[error("the conversation was changed all the time while it was read; try again")]
    Busy,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness(#[source] Box<dyn Error + Send + Sync>),
}

impl RedisStoreError {
    /// Whether the same may succeed in a moment.
    fn is_retryable(&self) -> bool {
        match self {
            Self::Busy => true,
            Self::Refused { code } => {
                // The same as of the pool's errors.
                let codes = [
                    "LOADING",
                    "READONLY",
                    "MASTERDOWN",
                    "CLUSTERDOWN",
                    "TRYAGAIN",
                    "MOVED",
                    "ASK",
                    "BUSY",
                ];
                codes.contains(&code.as_str())
            }
            _ => false,
        }
    }
}

/// Why one operation did not succeed.
#[derive(Debug)]
pub(crate) enum Fault {
    Pool(PoolError),
    /// Something failed before the operation itself was sent.
    Before(PoolError),
    Damaged(Damage),
    /// A script ended half-way.
    Script(PoolError),
    /// Something was found when the operation may have been done already.
    Late(RedisStoreError),
    Own(RedisStoreError),
    Refused(StoreError),
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match &error {
            PoolError::Server { code, detail, .. } => match code.as_str() {
                "DAMAGED" => Self::Damaged(Damage::of_script(detail.expose())),
                "WRONGTYPE" => Self::Damaged(Damage::TYPE),
                _ => Self::Pool(error),
            },
            _ => Self::Pool(error),
        }
    }
}

impl From<Damage> for Fault {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<RedisStoreError> for Fault {
    fn from(error: RedisStoreError) -> Self {
        Self::Own(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<LimitError> for Fault {
    fn from(error: LimitError) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault {
    /// An answer of another form than the command's.
    pub(crate) const fn answer(what: &'static str) -> Self {
        Self::Own(RedisStoreError::Answer { what })
    }

    /// What a script was answered with. One that fails half-way does not undo what it did.
    pub(crate) fn of_script(error: PoolError) -> Self {
        match &error {
            PoolError::Server { code, .. } if code == "WRONGTYPE" => {
                Self::Late(RedisStoreError::DamagedConversation { detail: Damage::TYPE.0 })
            }
            PoolError::Server { code, detail, .. }
                if code == "ERR" && detail.expose().contains("script: ") =>
            {
                Self::Script(error)
            }
            _ => error.into(),
        }
    }

    /// What a script was answered with in a pipeline.
    pub(crate) fn of_refusal(error: &ServerError) -> Self {
        let (code, detail) = (error.code(), error.details().unwrap_or_default());
        let refused = RedisStoreError::Refused { code: code.to_owned() };
        match code {
            "DAMAGED" => Self::Damaged(Damage::of_script(detail)),
            "WRONGTYPE" => {
                Self::Late(RedisStoreError::DamagedConversation { detail: Damage::TYPE.0 })
            }
            "ERR" if detail.contains("script: ") => Self::Late(refused),
            _ => Self::Own(refused),
        }
    }

    /// The same where it was found in the answer to a write, which is done by then.
    pub(crate) fn late(self) -> Self {
        match self {
            Self::Damaged(Damage(detail)) => {
                Self::Late(RedisStoreError::DamagedConversation { detail })
            }
            Self::Own(error @ RedisStoreError::Answer { .. }) => Self::Late(error),
            fault => fault,
        }
    }

    /// Whether a script was not run because the server does not know it by its name.
    pub(crate) fn is_unknown_script(&self) -> bool {
        match self {
            Self::Pool(PoolError::Server { code, .. })
            | Self::Own(RedisStoreError::Refused { code }) => code == "NOSCRIPT",
            _ => false,
        }
    }

    /// Whether the server may have done what was asked.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Pool(error) => error.is_outcome_unknown(),
            Self::Script(_) | Self::Late(_) => true,
            _ => false,
        }
    }

    /// Whether the same may succeed in a moment.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Pool(error) | Self::Before(error) => error.is_retryable(),
            Self::Own(error) => error.is_retryable(),
            Self::Refused(error) => error.is_retryable(),
            Self::Damaged(_) | Self::Script(_) | Self::Late(_) => false,
        }
    }

    /// The error of an operation on a conversation, or with none on the store.
    pub(crate) fn explain(
        self,
        operation: &'static str,
        key: Option<&ConversationKey>,
    ) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Damaged(Damage(detail)) => match key {
                Some(key) => StoreError::DamagedConversation { key: key.clone(), detail },
                None => StoreError::Damaged { what: "the store on Redis".to_owned(), detail },
            },
            Self::Own(error) => {
                let retryable = error.is_retryable();
                StoreError::Backend { operation, retryable, source: Box::new(error) }
            }
            Self::Pool(PoolError::Closed) | Self::Before(PoolError::Closed) => StoreError::Closed,
            Self::Pool(error) if error.is_outcome_unknown() => {
                StoreError::OutcomeUnknown { operation, source: Box::new(error) }
            }
            Self::Script(error) => {
                StoreError::OutcomeUnknown { operation, source: Box::new(error) }
            }
            Self::Late(error) => StoreError::OutcomeUnknown { operation, source: Box::new(error) },
            Self::Pool(error) | Self::Before(error) => StoreError::Backend {
                operation,
                retryable: error.is_retryable(),
                source: Box::new(error),
            },
        }
    }

    /// The same for what may be repeated without harm, whatever became of it.
    pub(crate) fn explain_harmless(
        self,
        operation: &'static str,
        key: Option<&ConversationKey>,
    ) -> StoreError {
        self.before().explain(operation, key)
    }

    /// The same as a failure of what comes before an operation.
    pub(crate) fn before(self) -> Self {
        match self {
            Self::Pool(error) | Self::Script(error) => Self::Before(error),
            Self::Late(RedisStoreError::DamagedConversation { detail }) => {
                Self::Damaged(Damage(detail))
            }
            Self::Late(error) => Self::Own(error),
            fault => fault,
        }
    }
}

/// An error of opening.
pub(crate) fn cannot_open(cause: RedisStoreError) -> StoreError {
    StoreError::Backend { operation: "open", retryable: false, source: Box::new(cause) }
}
