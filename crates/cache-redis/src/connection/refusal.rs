//! Answers of a cluster's node that say that it has executed nothing, and who would.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, ServerError, Value, cmd};

use super::commands::Kind;
use super::request::{Request, of_transaction};
use super::route::{self, Route};
use crate::Node;

/// Why a node has executed nothing of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The slot belongs to another node.
    Moved { slot: u16, node: Node },
    /// The slot is on its way to another node, and that one has the key.
    Ask { node: Node },
    /// The node is no master any more.
    Demoted,
    /// It may be otherwise in a moment.
    Later,
}

/// Looks for a refusal of all that was asked.
///
/// Of a pipeline without a transaction every command has to be refused that may have changed
/// something or has a key, and of one with it MULTI must not be, for then the others were executed
/// one by one.
pub(super) fn of(
    request: Request<'_>,
    answer: &RedisResult<Value>,
    asked: &Node,
) -> Option<Refusal> {
    match (request, answer) {
        (Request::One(_), Ok(Value::ServerError(error))) => read(error, asked),
        (Request::Many(pipeline), Ok(Value::Array(answers))) if !pipeline.is_transaction() => {
            let mut first = None;
            for (command, answer) in pipeline.cmd_iter().zip(answers) {
                let refusal = match answer {
                    Value::ServerError(error) => read(error, asked),
                    _ => None,
                };
                if refusal.is_none() && !may_be_repeated(command) {
                    return None;
                }
                first = first.or(refusal);
            }
            first
        }
        (Request::Many(_), Err(error)) => {
            // What EXEC was aborted for.
            let errors = error.clone().into_server_errors()?;
            errors.first().and_then(|(_, error)| read(error, asked))
        }
        _ => None,
    }
}

/// Names every refusal in an answer, also where the rest was executed.
pub(super) fn each(
    request: Request<'_>,
    answer: &RedisResult<Value>,
    asked: &Node,
    mut note: impl FnMut(Refusal),
) {
    let mut look = |error: &ServerError| {
        if let Some(refusal) = read(error, asked) {
            note(refusal);
        }
    };
    match (request, answer) {
        (_, Ok(Value::ServerError(error))) => look(error),
        // The answer to a single command is never looked into: it is the caller's.
        (Request::Many(_), Ok(Value::Array(answers))) => {
            for answer in answers {
                if let Value::ServerError(error) = answer {
                    look(error);
                }
            }
        }
        (Request::Many(_), Err(error)) => {
            for (_, error) in error.clone().into_server_errors().iter().flat_map(|all| all.iter()) {
                look(error);
            }
        }
        _ => {}
    }
}

/// Whether a command may be executed once more, on any node: PING, TIME, WAIT.
fn may_be_repeated(command: &Cmd) -> bool {
    let request = Request::One(command);
    let is_wait = matches!(request.operation().name, "WAIT" | "WAITAOF");
    let has_no_key = !matches!(route::of(request), Route::Slot(_) | Route::Crossed);
    is_wait || (request.operation().kind == Kind::Read && has_no_key)
}

fn read(error: &ServerError, asked: &Node) -> Option<Refusal> {
    match error.code() {
        "MOVED" => {
            let (slot, node) = place(error, asked)?;
            Some(Refusal::Moved { slot, node })
        }
        "ASK" => place(error, asked).map(|(_, node)| Refusal::Ask { node }),
        "READONLY" => Some(Refusal::Demoted),
        "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" | "LOADING" => Some(Refusal::Later),
        _ => None,
    }
}

/// The slot and the node that a redirection names: `3999 127.0.0.1:6381`. One without a host means
/// that of the node that was asked.
fn place(error: &ServerError, asked: &Node) -> Option<(u16, Node)> {
    let (slot, address) = error.details()?.split_once(' ')?;
    let (host, port) = address.rsplit_once(':')?;
    let host = if host.is_empty() { asked.host() } else { host };
    Some((slot.parse().ok()?, Node::new(host, port.parse().ok()?)?))
}

impl Request<'_> {
    /// Sends it, and waits for its answer, as [`exchange`](Self::exchange) does, to a node that does
    /// not own its slot yet. All goes in one write, so nobody comes between.
    pub(super) async fn exchange_asking(
        self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Value> {
        let asking = cmd("ASKING");
        let mut packed = Pipeline::new();
        match self {
            Self::One(command) => {
                packed.add_command(asking).add_command(command.clone());
            }
            Self::Many(pipeline) if pipeline.is_transaction() => {
                packed.add_command(asking).add_command(cmd("MULTI"));
                for command in pipeline.cmd_iter() {
                    packed.add_command(command.clone());
                }
                packed.add_command(cmd("EXEC"));
            }
            Self::Many(pipeline) => {
                // It holds for one command at a time.
                for command in pipeline.cmd_iter() {
                    packed.add_command(asking.clone()).add_command(command.clone());
                }
            }
        }
        let answers = connection.send_packed_commands(&packed, 0, packed.len()).await?;
        match self {
            Self::One(_) => Ok(answers.into_iter().nth(1).unwrap_or(Value::Nil)),
            Self::Many(pipeline) if pipeline.is_transaction() => {
                of_transaction(answers.into_iter().skip(1).collect())
            }
            Self::Many(_) => Ok(Value::Array(answers.into_iter().skip(1).step_by(2).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::{cmd, parse_redis_value, pipe};

    use super::*;

    fn answers(lines: &[&str]) -> Vec<Value> {
        let read = |line: &&str| parse_redis_value(format!("{line}\r\n").as_bytes()).unwrap();
        lines.iter().map(read).collect()
    }

    fn node(host: &str, port: u16) -> Node {
        Node::new(host, port).unwrap()
    }

    #[test]
    fn redirections_name_a_node() {
        let asked = node("asked", 7000);
        let check = |line: &str, expected| {
            let answer = Ok(answers(&[line]).remove(0));
            assert_eq!(of(Request::One(&cmd("GET")), &answer, &asked), expected, "{line}");
        };
        let moved = |node| Some(Refusal::Moved { slot: 3999, node });
        check("-MOVED 3999 127.0.0.1:6381", moved(node("127.0.0.1", 6381)));
        check("-MOVED 3999 ::1:6381", moved(node("::1", 6381)));
        check("-MOVED 3999 :6381", moved(node("asked", 6381)));
        check("-MOVED 3999", None);
        check("-ASK 1 there:1", Some(Refusal::Ask { node: node("there", 1) }));
        check("-READONLY You can't write against a read only replica.", Some(Refusal::Demoted));
        check("-TRYAGAIN Multiple keys request during rehashing of slot", Some(Refusal::Later));
        check("-CLUSTERDOWN The cluster is down", Some(Refusal::Later));
        check("-ERR other", None);
        check("-OOM command not allowed", None);
        check("+OK", None);
    }

    #[test]
    fn what_was_executed_in_part_is_not_refused() {
        let asked = node("asked", 7000);
        let check = |lines: &[&str], expected: bool| {
            let answer = Ok(Value::Array(answers(lines)));
            let mut pipeline = pipe();
            for _ in lines {
                pipeline.set("key", 1);
            }
            let found = of(Request::Many(&pipeline), &answer, &asked).is_some();
            assert_eq!(found, expected, "{lines:?}");
        };
        check(&["-MOVED 1 a:1", "-MOVED 1 a:1"], true);
        check(&["-MOVED 1 a:1", "-TRYAGAIN"], true);
        check(&["+OK", "-MOVED 1 a:1"], false);
        check(&["-MOVED 1 a:1", "+OK"], false);
        check(&["-ERR", "-MOVED 1 a:1"], false);
        check(&[], false);
    }

    #[test]
    fn what_goes_along_without_a_key_does_not_count_as_executed() {
        let asked = node("asked", 7000);
        let check = |along: Cmd, lines: [&str; 2], expected: bool| {
            let answer = Ok(Value::Array(answers(&lines)));
            let mut pipeline = pipe();
            pipeline.set("key", 1).add_command(along.clone());
            let found = of(Request::Many(&pipeline), &answer, &asked).is_some();
            assert_eq!(found, expected, "{along:?}");
            let mut all = Vec::new();
            each(Request::Many(&pipeline), &answer, &asked, |refusal| all.push(refusal));
            let refused = lines.iter().filter(|line| line.starts_with("-MOVED")).count();
            assert_eq!(all.len(), refused, "{all:?}");
        };
        check(cmd("WAIT").arg(1).arg(100).clone(), ["-MOVED 1 a:1", ":0"], true);
        check(cmd("PING"), ["-MOVED 1 a:1", "+PONG"], true);
        check(cmd("PING"), ["+OK", "+PONG"], false);
        check(cmd("PUBLISH").arg("c").arg("m").clone(), ["-MOVED 1 a:1", ":0"], false);
        check(cmd("INCR").arg("key").clone(), ["-MOVED 1 a:1", ":1"], false);
    }

    #[test]
    fn a_transaction_is_refused_where_a_command_was_not_queued() {
        let asked = node("asked", 7000);
        let check = |lines: &[&str], expected: bool| {
            let mut pipeline = pipe();
            pipeline.atomic();
            let answer = of_transaction(answers(lines));
            let found = of(Request::Many(&pipeline), &answer, &asked).is_some();
            assert_eq!(found, expected, "{lines:?}");
        };
        check(&["+OK", "-MOVED 1 a:1", "-EXECABORT discarded"], true);
        check(&["+OK", "-ERR unknown command", "-EXECABORT discarded"], false);
        check(&["-LOADING", "-LOADING", "-ERR EXEC without MULTI"], false);
        check(&["+OK", "+QUEUED", "*1\r\n-MOVED 1 a:1"], false);
        // Its slot has moved since it was queued, and EXEC has discarded it.
        check(&["+OK", "+QUEUED", "-MOVED 1 a:1"], true);
        check(&["+OK", "+QUEUED", "-CLUSTERDOWN"], true);
        check(&["+OK", "+QUEUED", "-EXECABORT discarded because of: OOM"], false);
    }
}
