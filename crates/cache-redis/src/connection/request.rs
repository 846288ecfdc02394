//! A command or a pipeline on its way to the server.

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, Pipeline, RedisResult, ServerError, Value};

use super::commands::{self, Kind, Operation, PIPELINE, TRANSACTION};
use crate::PoolError;

/// What is sent as one unit.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    One(&'a Cmd),
    Many(&'a Pipeline),
}

impl Request<'_> {
    /// What it is called, and the worst of what its commands do.
    pub(super) fn operation(self) -> Operation {
        match self {
            Self::One(command) => of_command(command),
            Self::Many(pipeline) => of_pipeline(pipeline),
        }
    }

    /// What becomes of a request that is not to be sent: a pipeline without commands has all its
    /// answers, and a command without words would get none.
    pub(super) fn unsent(self, operation: Operation) -> Option<Result<Value, PoolError>> {
        match self {
            Self::Many(pipeline) if pipeline.is_empty() => Some(Ok(Value::Array(Vec::new()))),
            _ if operation.kind == Kind::Empty => Some(Err(PoolError::EmptyCommand)),
            _ => None,
        }
    }

    /// Names what each command does, since the worst of a pipeline hides what others do.
    pub(super) fn each_kind(self, operation: Operation, mut note: impl FnMut(Kind)) {
        match self {
            Self::One(_) => note(operation.kind),
            Self::Many(pipeline) => kinds(pipeline).for_each(note),
        }
    }

    /// Sends it and waits for its answer: for a pipeline an array of answers, for one between MULTI
    /// and EXEC the array that EXEC gave, or nil where a watched key has changed. An error is the
    /// first refusal to queue a command, or that of EXEC, and none was executed. Where MULTI itself was
    /// refused, the answer is that refusal.
    pub(super) async fn exchange(
        self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Value> {
        match self {
            Self::One(command) => connection.send_packed_command(command).await,
            Self::Many(pipeline) if pipeline.is_transaction() => {
                // Those of MULTI and EXEC are among them.
                let count = pipeline.len() + 2;
                of_transaction(connection.send_packed_commands(pipeline, 0, count).await?)
            }
            Self::Many(pipeline) => {
                let answers = connection.send_packed_commands(pipeline, 0, pipeline.len()).await?;
                Ok(Value::Array(answers))
            }
        }
    }

    pub(super) fn is_transaction(self) -> bool {
        matches!(self, Self::Many(pipeline) if pipeline.is_transaction())
    }
}

pub(super) fn of_transaction(mut answers: Vec<Value>) -> RedisResult<Value> {
    let exec = answers.pop().unwrap_or(Value::Nil);
    let refused = answers.iter().position(|answer| matches!(answer, Value::ServerError(_)));
    match refused.map(|index| (index, answers.swap_remove(index))) {
        Some((1.., Value::ServerError(error))) => Err(error.into()),
        Some((_, refusal)) => Ok(refusal),
        None => match exec {
            Value::ServerError(error) => Err(reason_of(error).into()),
            exec => Ok(exec),
        },
    }
}

/// What EXEC says that it was refused for, where it says so: that the memory ran out, or the server
/// became a replica, after all commands were queued.
fn reason_of(refusal: ServerError) -> ServerError {
    let reason = refusal.details().and_then(|detail| {
        let reason = detail.strip_prefix("Transaction discarded because of: ")?;
        redis::parse_redis_value(format!("-{reason}\r\n").as_bytes()).ok()
    });
    match reason {
        Some(Value::ServerError(reason)) => reason,
        _ => refusal,
    }
}

fn of_command(command: &Cmd) -> Operation {
    let mut words = command.args_iter();
    let operation = match words.next() {
        Some(Arg::Simple(name)) => commands::operation(name),
        Some(_) => commands::operation(b""),
        None => return Operation { kind: Kind::Empty, ..commands::operation(b"") },
    };
    match operation.kind {
        // Without an answer to wait for, nothing would prove that the connection is clean.
        _ if command.is_no_response() => Operation { kind: Kind::Stateful, ..operation },
        Kind::MayBlock => {
            let kind = if asks_to_block(words) { Kind::Blocking } else { Kind::Write };
            Operation { kind, ..operation }
        }
        // `SCRIPT DEBUG` is for a session of its own.
        Kind::Write if operation.name == "SCRIPT" => match words.next() {
            Some(Arg::Simple(word)) if word.eq_ignore_ascii_case(b"DEBUG") => {
                Operation { kind: Kind::Stateful, ..operation }
            }
            _ => operation,
        },
        _ => operation,
    }
}

/// Whether the arguments of XREAD or XREADGROUP have BLOCK among their options.
fn asks_to_block<'a>(mut words: impl Iterator<Item = Arg<&'a [u8]>>) -> bool {
    while let Some(Arg::Simple(word)) = words.next() {
        if word.eq_ignore_ascii_case(b"STREAMS") {
            return false;
        }
        if word.eq_ignore_ascii_case(b"BLOCK") {
            return true;
        }
        if word.eq_ignore_ascii_case(b"GROUP") {
            // The names of the group and of the consumer may be any words.
            words.nth(1);
        }
    }
    false
}

fn of_pipeline(pipeline: &Pipeline) -> Operation {
    let name = if pipeline.is_transaction() { TRANSACTION } else { PIPELINE };
    let worst = kinds(pipeline).max_by_key(|kind| severity(*kind));
    commands::several(name, worst.unwrap_or(Kind::Read))
}

fn kinds(pipeline: &Pipeline) -> impl Iterator<Item = Kind> {
    pipeline.cmd_iter().map(|command| match of_command(command).kind {
        // Between MULTI and EXEC nothing blocks.
        Kind::Blocking if pipeline.is_transaction() => Kind::Write,
        kind => kind,
    })
}

/// The order in which one command decides for a whole pipeline.
fn severity(kind: Kind) -> u8 {
    match kind {
        Kind::Read => 0,
        Kind::Write | Kind::MayBlock => 1,
        Kind::Unknown => 2,
        Kind::Blocking => 3,
        Kind::Unwatch | Kind::Exec => 4,
        Kind::Watch => 5,
        Kind::Multi => 6,
        Kind::Stateful => 7,
        Kind::Quit => 8,
        Kind::Empty => 9,
    }
}

#[cfg(test)]
mod tests {
    use redis::{cmd, pipe};

    use super::*;

    #[test]
    fn arguments_can_make_a_command_block_or_stay() {
        let check = |words: &[&str], kind| {
            let mut command = cmd(words[0]);
            for word in &words[1..] {
                command.arg(word);
            }
            assert_eq!(Request::One(&command).operation().kind, kind, "{words:?}");
        };
        check(&["XREAD", "COUNT", "1", "STREAMS", "s", "$"], Kind::Write);
        check(&["XREAD", "block", "0", "STREAMS", "s", "$"], Kind::Blocking);
        check(&["XREAD", "STREAMS", "BLOCK", "0"], Kind::Write);
        check(
            &["XREADGROUP", "GROUP", "g", "c", "BLOCK", "1", "STREAMS", "s", ">"],
            Kind::Blocking,
        );
        check(
            &["XREADGROUP", "GROUP", "streams", "c", "BLOCK", "0", "STREAMS", "s", ">"],
            Kind::Blocking,
        );
        check(&["XREADGROUP", "group", "block", "block", "STREAMS", "s", ">"], Kind::Write);
        check(&["SCRIPT", "LOAD", "return 1"], Kind::Write);
        check(&["script", "debug", "yes"], Kind::Stateful);
        let mut silent = cmd("SET");
        silent.arg("k").arg("v").set_no_response(true);
        assert_eq!(Request::One(&silent).operation().kind, Kind::Stateful);
        assert_eq!(Request::One(&Cmd::new()).operation().kind, Kind::Empty);
    }

    #[test]
    fn a_refusal_of_exec_is_told_by_its_reason() {
        let check = |lines: &str, expected: &str| {
            let lines = lines.split(',').map(|line| format!("{line}\r\n"));
            let answers = lines.map(|line| redis::parse_redis_value(line.as_bytes()).unwrap());
            let error = of_transaction(answers.collect()).unwrap_err();
            assert_eq!(error.code(), Some(expected), "{error}");
        };
        check("+OK,-OOM command not allowed,-EXECABORT Transaction discarded", "OOM");
        check("+OK,+QUEUED,-EXECABORT Transaction discarded because of: OOM command", "OOM");
        check("+OK,+QUEUED,-EXECABORT Transaction discarded", "EXECABORT");
        check("+OK,+QUEUED,-MOVED 1 a:1", "MOVED");
    }

    #[test]
    fn the_worst_command_decides_for_a_pipeline() {
        let check = |pipeline: &Pipeline, name, kind| {
            let operation = Request::Many(pipeline).operation();
            assert_eq!((operation.name, operation.kind), (name, kind));
        };
        check(pipe().get("a").get("b"), "PIPELINE", Kind::Read);
        check(pipe().get("a").set("b", 1).get("b"), "PIPELINE", Kind::Write);
        check(pipe().atomic().cmd("BLPOP").arg("l").arg(0), "TRANSACTION", Kind::Write);
        check(pipe().cmd("BLPOP").arg("l").arg(0), "PIPELINE", Kind::Blocking);
        check(pipe().cmd("SELECT").arg(1).get("a"), "PIPELINE", Kind::Stateful);
        check(pipe().cmd("WATCH").arg("k").cmd("EXEC"), "PIPELINE", Kind::Watch);
        check(pipe().cmd("SELECT").arg(1).cmd("QUIT"), "PIPELINE", Kind::Quit);
        check(pipe().get("a").add_command(Cmd::new()).cmd("QUIT"), "PIPELINE", Kind::Empty);
        check(&pipe(), "PIPELINE", Kind::Read);
    }
}
