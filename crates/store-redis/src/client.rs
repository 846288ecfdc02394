//! Commands, transactions and scripts over the pool's lanes.

use std::time::Duration;

use cache_redis::connection::{Arg, Cmd, Pipeline, Value, cmd};
use cache_redis::{Lane, PoolError, RedisPool};
use futures_util::stream::{self, StreamExt};

use crate::answer::{array, bytes, count};
use crate::damage::Damage;
use crate::error::{Fault, RedisStoreError};
use crate::keys::Keys;
use crate::scripts::{READS, Script};

/// The way to the server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) pool: RedisPool,
}

impl Client {
    /// The lane of a conversation: what is sent first is executed first.
    pub(crate) fn lane(&self, keys: &Keys) -> Lane {
        self.pool.lane(keys.name.bytes())
    }

    /// Runs a script on the keys of a conversation.
    pub(crate) async fn script(
        &self,
        script: &Script,
        keys: &Keys,
        arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Value, Fault> {
        run(&self.lane(keys), script, &keys.all(), arguments).await
    }

    /// Runs a script that writes on the keys of a conversation, and waits until so many replicas
    /// have what it wrote. Gives its answer, and how many have it.
    pub(crate) async fn replicated(
        &self,
        script: &Script,
        keys: &Keys,
        replicas: u32,
        arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<(Value, u64), Fault> {
        let lane = self.lane(keys);
        let by_name = call("EVALSHA", &script.sha, &keys.all(), &arguments);
        match awaited(&lane, by_name, replicas).await {
            Err(fault) if fault.is_unknown_script() => {
                let whole = call("EVAL", &script.body, &keys.all(), &arguments);
                awaited(&lane, whole, replicas).await
            }
            answer => answer,
        }
    }

    /// Runs a script on keys that belong to no conversation.
    pub(crate) async fn script_on(
        &self,
        script: &Script,
        keys: &[&[u8]],
        arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Value, Fault> {
        run(&self.pool.any_lane(), script, keys, arguments).await
    }

    /// Runs a command that belongs to no conversation.
    pub(crate) async fn command(&self, command: &Cmd) -> Result<Value, Fault> {
        Ok(self.pool.any_lane().run(command).await?)
    }

    /// Runs commands on the keys of a conversation as one; none of them may fail.
    pub(crate) async fn transaction(
        &self,
        keys: &Keys,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Fault> {
        let answers = self.lane(keys).run_all(pipeline).await?;
        none_failed(answers)
    }

    /// Runs reads on the keys of a conversation as one, and gives their answers as they are.
    ///
    /// A server without memory refuses every transaction, because it would have to keep what is
    /// queued. What only reads is a script then.
    pub(crate) async fn reads(
        &self,
        keys: &Keys,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Fault> {
        let lane = self.lane(keys);
        match lane.run_all(pipeline).await {
            Err(PoolError::Server { code, .. }) if code == "OOM" => {}
            answers => return Ok(answers?),
        }
        let own = keys.own();
        let answers = run(&lane, &READS, &own, |script| {
            for command in pipeline.cmd_iter() {
                let words = || command.args_iter();
                script.arg(words().count());
                for word in words() {
                    if let Arg::Simple(word) = word {
                        script.arg(word);
                    }
                }
            }
        });
        array(answers.await?, "a read")
    }

    /// Runs many small reads, each of one key, and gives their answers in order; in a cluster nil
    /// for one whose key is of another type.
    pub(crate) async fn scattered(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, Fault> {
        let mut answers = Vec::with_capacity(commands.len());
        let lane = self.pool.any_lane();
        for commands in commands.chunks(SCATTERED) {
            let mut pipeline = Pipeline::with_capacity(SCATTERED);
            for command in commands {
                pipeline.add_command(command.clone());
            }
            match lane.run_all(&pipeline).await {
                Ok(found) => answers.extend(found),
                // In a cluster the keys are on several nodes, and each command goes to its own.
                Err(PoolError::Server { code, .. }) if code == "CROSSSLOT" => {
                    let each = stream::iter(commands.to_vec()).map(|command| {
                        let lane = lane.clone();
                        async move { lane.run(&command).await }
                    });
                    let each: Vec<_> = each.buffered(AT_ONCE).collect().await;
                    for answer in each {
                        answers.push(match answer {
                            Err(PoolError::Server { code, .. }) if code == "WRONGTYPE" => {
                                Value::Nil
                            }
                            answer => answer?,
                        });
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(answers)
    }

    /// A lane to each server, with what tells that server and its present run from all others, in
    /// that order.
    pub(crate) async fn servers(&self) -> Result<Vec<(String, Lane)>, Fault> {
        let mut servers = Vec::new();
        for lane in self.pool.servers().await? {
            servers.push((server_field(&lane, "run_id:").await?, lane));
        }
        servers.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(servers)
    }
}

/// A field of what a server says of itself.
pub(crate) async fn server_field(lane: &Lane, name: &str) -> Result<String, Fault> {
    const WHAT: &str = "INFO server";
    let info = bytes(lane.run(cmd("INFO").arg("server")).await?);
    let info = info.ok_or_else(|| Fault::answer(WHAT))?;
    let info = String::from_utf8_lossy(&info);
    let field = info.lines().find_map(|line| line.strip_prefix(name));
    field.map(|field| field.trim().to_owned()).ok_or_else(|| Fault::answer(WHAT))
}

/// The longest wait for replicas.
pub(crate) const REPLICAS_WITHIN: Duration = Duration::from_secs(1);

/// Commands that are sent one by one at the same time.
const AT_ONCE: usize = 64;

/// Commands in one write, so that others are not held up for long.
const SCATTERED: usize = 256;

/// The answers, unless one of them is a refusal.
pub(crate) fn none_failed(answers: Vec<Value>) -> Result<Vec<Value>, Fault> {
    if answers.iter().any(|answer| matches!(answer, Value::ServerError(_))) {
        return Err(Damage::TYPE.into());
    }
    Ok(answers)
}

async fn run(
    lane: &Lane,
    script: &Script,
    keys: &[&[u8]],
    arguments: impl Fn(&mut Cmd) + Send + Sync,
) -> Result<Value, Fault> {
    let by_name = call("EVALSHA", &script.sha, keys, &arguments);
    let answer = lane.run(&by_name).await.map_err(Fault::of_script);
    match answer {
        // After a restart, a fail-over or a flush of the scripts. Nothing was executed.
        Err(fault) if fault.is_unknown_script() => {
            let whole = call("EVAL", &script.body, keys, &arguments);
            lane.run(&whole).await.map_err(Fault::of_script)
        }
        answer => answer,
    }
}

/// Runs the call of a script and waits for replicas, in one write, so that it is the same server
/// and connection that waits.
async fn awaited(lane: &Lane, script: Cmd, replicas: u32) -> Result<(Value, u64), Fault> {
    const WHAT: &str = "WAIT";
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.add_command(script);
    let within = u64::try_from(REPLICAS_WITHIN.as_millis()).unwrap_or(u64::MAX);
    pipeline.cmd(WHAT).arg(replicas).arg(within);
    let mut answers = lane.run_all(&pipeline).await?.into_iter();
    match (answers.next(), answers.next()) {
        (Some(Value::ServerError(error)), _) => Err(Fault::of_refusal(&error)),
        (Some(_), Some(Value::ServerError(error))) => {
            let code = error.code().to_owned();
            Err(Fault::Late(RedisStoreError::Refused { code }))
        }
        (Some(answer), Some(replicas)) => {
            Ok((answer, count(&replicas, WHAT).map_err(Fault::late)?))
        }
        _ => Err(Fault::answer(WHAT).late()),
    }
}

/// The command that runs a script.
fn call(name: &str, script: &str, keys: &[&[u8]], arguments: &impl Fn(&mut Cmd)) -> Cmd {
    let mut command = cmd(name);
    command.arg(script).arg(keys.len());
    for key in keys {
        command.arg(*key);
    }
    arguments(&mut command);
    command
}
