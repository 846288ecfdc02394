//! Commands over exclusive connections.

use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::time::{Instant, timeout};

use super::commands::{Kind, Operation};
use super::outcome;
use super::request::Request;
use crate::{Exclusive, PoolError};

impl Exclusive {
    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`PoolError::ResponseTimedOut`] and [`PoolError::ConnectionLost`] if no answer came,
    /// [`PoolError::Server`] if the server refused it, and [`PoolError::EmptyCommand`] for a
    /// command that has not even a name.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the answer, and the command may still be executed. The
    /// connection is not handed on unless a later answer on it shows that this one came.
    pub async fn run(&mut self, command: &Cmd) -> Result<Value, PoolError> {
        self.send(Request::One(command)).await
    }

    /// Sends several commands in one write and waits for all answers.
    ///
    /// The answers come as they are, an error of a single command as [`Value::ServerError`]. Those
    /// of an atomic pipeline are what EXEC answered: nothing but a [`Value::Nil`] if a watched key
    /// has changed.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run); [`PoolError::Server`] if the server refused to queue a command of
    /// an atomic pipeline, and so executed none; [`PoolError::NotAtomic`] if it refused to begin
    /// the transaction.
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Self::run).
    pub async fn run_all(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, PoolError> {
        match self.send(Request::Many(pipeline)).await? {
            Value::Array(answers) => Ok(answers),
            answer => Ok(vec![answer]),
        }
    }

    async fn send(&mut self, request: Request<'_>) -> Result<Value, PoolError> {
        let operation = request.operation();
        let answer = self.exchange(operation, request).await?;
        outcome::of_answer(operation, answer)
    }

    /// The answer as it came, errors of the server included.
    pub(super) async fn exchange(
        &mut self,
        operation: Operation,
        request: Request<'_>,
    ) -> Result<RedisResult<Value>, PoolError> {
        if let Some(outcome) = request.unsent(operation) {
            return outcome.map(Ok);
        }
        let begun = Instant::now();
        let patience = self.response_timeout();
        let answers = self.shared().answers();
        let link = self.link();
        let mut may_block = false;
        request.each_kind(operation, |kind| {
            link.session.begin(kind);
            may_block |= kind == Kind::Blocking;
            if kind == Kind::Quit {
                link.expect_end();
            }
        });
        let is_ending = link.is_ending();
        let generation = link.generation;
        let exchange = request.exchange(&mut link.connection);
        let Ok(answer) = timeout(patience, exchange).await else {
            let shared = self.shared();
            shared.meters.timed_out(operation);
            // One that waits for something to come says nothing of the server by its silence.
            if !may_block {
                shared.observe_silence(generation, answers);
            }
            return Err(PoolError::ResponseTimedOut {
                operation: operation.name,
                waited: patience,
                outcome_unknown: outcome::may_change(operation),
            });
        };
        let is_lost = answer.as_ref().is_err_and(outcome::is_fatal);
        if !is_lost {
            link.session.answered();
            if let Some(kind) = done(operation, request, &answer) {
                link.session.done(kind);
            }
            self.shared().meters.answered(operation, begun.elapsed());
        }
        if (is_lost && !is_ending) || outcome::is_demoted(request, &answer) {
            self.shared().observe_failure(generation);
        }
        Ok(answer)
    }
}

/// What the server has done to the connection, where its answer shows it.
fn done(operation: Operation, request: Request<'_>, answer: &RedisResult<Value>) -> Option<Kind> {
    match answer {
        // An aborted transaction has ended too. Any other refusal of EXEC shows nothing.
        Ok(Value::ServerError(error)) if error.code() != "EXECABORT" => None,
        Ok(_) if request.is_transaction() => Some(Kind::Exec),
        Ok(_) => matches!(request, Request::One(_)).then_some(operation.kind),
        Err(_) => request.is_transaction().then_some(Kind::Exec),
    }
}
