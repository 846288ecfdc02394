//! A command or a pipeline on its way to the server.

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, Pipeline, RedisResult, Value};

use super::commands::{self, Kind, Operation, PIPELINE, TRANSACTION};

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

    /// Sends it and waits for its answer: for a pipeline an array of answers, for one between MULTI
    /// and EXEC the array that EXEC gave, or nil where a watched key has changed.
    pub(super) async fn exchange(
        self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Value> {
        match self {
            Self::One(command) => connection.send_packed_command(command).await,
            Self::Many(pipeline) if pipeline.is_empty() => Ok(Value::Array(Vec::new())),
            Self::Many(pipeline) if pipeline.is_transaction() => {
                let skipped = pipeline.len() + 1;
                let mut answers = connection.send_packed_commands(pipeline, skipped, 1).await?;
                Ok(answers.pop().unwrap_or(Value::Nil))
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

fn of_command(command: &Cmd) -> Operation {
    let mut words = command.args_iter();
    let Some(Arg::Simple(name)) = words.next() else { return commands::operation(b"") };
    let operation = commands::operation(name);
    match operation.kind {
        // Without an answer to wait for, nothing would prove that the connection is clean.
        _ if command.is_no_response() => Operation { kind: Kind::Stateful, ..operation },
        Kind::MayBlock => {
            let blocks = words
                .map_while(|word| if let Arg::Simple(word) = word { Some(word) } else { None })
                .take_while(|word| !word.eq_ignore_ascii_case(b"STREAMS"))
                .any(|word| word.eq_ignore_ascii_case(b"BLOCK"));
            Operation { kind: if blocks { Kind::Blocking } else { Kind::Write }, ..operation }
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

fn of_pipeline(pipeline: &Pipeline) -> Operation {
    let in_transaction = pipeline.is_transaction();
    let mut worst = Kind::Read;
    for command in pipeline.cmd_iter() {
        let kind = match of_command(command).kind {
            // Between MULTI and EXEC nothing blocks.
            Kind::Blocking if in_transaction => Kind::Write,
            kind => kind,
        };
        if severity(kind) > severity(worst) {
            worst = kind;
        }
    }
    commands::several(if in_transaction { TRANSACTION } else { PIPELINE }, worst)
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
        check(&["SCRIPT", "LOAD", "return 1"], Kind::Write);
        check(&["script", "debug", "yes"], Kind::Stateful);
        let mut silent = cmd("SET");
        silent.arg("k").arg("v").set_no_response(true);
        assert_eq!(Request::One(&silent).operation().kind, Kind::Stateful);
        assert_eq!(Request::One(&Cmd::new()).operation().kind, Kind::Unknown);
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
    }
}
