//! What commands leave on their connection, and what is said on it first.

use std::time::Duration;

use cache_redis::connection::{AsyncCommands, Cmd, Pipeline, Value, cmd, pipe};
use cache_redis::{Exclusive, PoolError, RedisPool, WaitingFor};
use tokio::time::timeout;

use crate::script::{Door, Script, echo, pass, settle, timed_out};

const SECOND: Duration = Duration::from_secs(1);

/// Gives a connection back, takes one, and says whether it is the same.
async fn is_handed_on(script: &Script, pool: &RedisPool, connection: Exclusive) -> bool {
    let dials = script.dials();
    drop(connection);
    drop(pool.get().await.unwrap());
    script.dials() == dials
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_without_commands_proves_nothing() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    for leftover in ["WATCH", "MULTI", "BLPOP"] {
        for empty in [&pipe(), pipe().atomic()] {
            let mut connection = pool.get().await.unwrap();
            // BLPOP is cancelled before it is answered.
            let _ = timeout(SECOND, connection.run(cmd(leftover).arg("a"))).await;
            assert!(connection.run_all(empty).await.unwrap().is_empty());
            assert!(!is_handed_on(&script, &pool, connection).await, "{leftover}");
        }
    }
    let script = Script::new();
    let pool = script.pool(&[]).await;
    for empty in [&pipe(), pipe().atomic()] {
        assert!(pool.any_lane().run_all(empty).await.unwrap().is_empty());
    }
    assert_eq!(script.dials(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_command_without_words_is_not_sent() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    let with_nothing = |pipeline: &mut Pipeline| {
        pipeline.get("a").add_command(Cmd::new()).get("b");
        pipeline.clone()
    };
    let mut lane = pool.any_lane();
    let mut connection = pool.get().await.unwrap();
    for pipeline in [with_nothing(&mut pipe()), with_nothing(pipe().atomic())] {
        for answer in [lane.run_all(&pipeline).await, connection.run_all(&pipeline).await] {
            let error = answer.unwrap_err();
            assert!(matches!(error, PoolError::EmptyCommand), "{error:?}");
            assert!(!error.is_retryable() && !error.is_outcome_unknown());
        }
        assert!(pipeline.query_async::<()>(&mut lane).await.is_err());
        assert!(pipeline.query_async::<()>(&mut connection).await.is_err());
    }
    assert!(matches!(lane.run(&Cmd::new()).await, Err(PoolError::EmptyCommand)));
    assert!(matches!(connection.run(&Cmd::new()).await, Err(PoolError::EmptyCommand)));
    // Everybody still gets answers of their own.
    for word in ["c", "d"] {
        assert_eq!(lane.get::<_, String>(word).await.unwrap(), word);
        assert_eq!(connection.get::<_, String>(word).await.unwrap(), word);
    }
    assert!(is_handed_on(&script, &pool, connection).await);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_leaves_what_any_of_its_commands_leaves() {
    let check = async |pipeline: &Pipeline, handed_on: bool| {
        let script = Script::new();
        let pool = script.pool(&[]).await;
        let mut connection = pool.get().await.unwrap();
        connection.run_all(pipeline).await.unwrap();
        connection.run(&cmd("UNWATCH")).await.unwrap();
        assert_eq!(is_handed_on(&script, &pool, connection).await, handed_on);
    };
    check(pipe().get("a").cmd("WATCH").arg("a"), true).await;
    check(pipe().cmd("MODULE.COMMAND").cmd("WATCH").arg("a"), false).await;
    check(pipe().cmd("WATCH").arg("a").cmd("SELECT").arg(1), false).await;
}

#[tokio::test(start_paused = true)]
async fn the_login_is_said_first_whatever_its_task_has_done_before() {
    let script = Script::new();
    script.state().greedy = true;
    let settings = [("redis.host", "h"), ("redis.password", "secret"), ("redis.db", "1")];
    let pool = script.pool(&settings).await;
    drop(pool.get().await.unwrap());
    let log = script.state().log.clone();
    let names: Vec<_> = log.iter().map(|(_, words)| words[0].as_str()).collect();
    assert_eq!(names, ["AUTH", "SELECT", "PING"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_in_vain_for_something_to_come_harms_no_other() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    pool.any_lane().run(&echo("open")).await.unwrap();
    let mut connection = pool.get().await.unwrap();
    connection.set_response_timeout(SECOND);
    script.state().delay = 3 * SECOND;
    let other = tokio::spawn({
        let lane = pool.any_lane();
        async move { lane.run(&echo("other")).await }
    });
    settle().await;
    script.state().delay = Duration::ZERO;
    let error = connection.run(cmd("BLPOP").arg("l").arg(0)).await.unwrap_err();
    assert!(matches!(error, PoolError::ResponseTimedOut { .. }), "{error:?}");
    assert_eq!(other.await.unwrap().unwrap(), Value::BulkString("other".into()));
    assert_eq!((pool.snapshot().generations, script.dials()), (0, 2));
    assert!(!is_handed_on(&script, &pool, connection).await);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_its_user_ends_is_no_failure() {
    for again in [false, true] {
        let script = Script::new();
        let pool = script.pool(&[]).await;
        let mut connection = pool.get().await.unwrap();
        connection.run(&cmd("QUIT")).await.unwrap();
        if again {
            let error = connection.run(&echo("a")).await.unwrap_err();
            assert!(matches!(error, PoolError::ConnectionLost { .. }), "{error:?}");
        }
        pass(SECOND).await;
        assert!(!is_handed_on(&script, &pool, connection).await);
        assert_eq!(pool.snapshot().generations, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_cannot_begin_may_have_been_executed_in_part() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    let mut transaction = pipe();
    transaction.atomic().set("a", 1).get("b");
    let mut connection = pool.get().await.unwrap();
    connection.run(cmd("WATCH").arg("a")).await.unwrap();
    let mut lane = pool.any_lane();
    // Where a command is refused while it is queued, none is executed.
    script.state().forbidden = Some("SET");
    for answer in [lane.run_all(&transaction).await, connection.run_all(&transaction).await] {
        let error = answer.unwrap_err();
        assert!(matches!(error, PoolError::Server { .. }), "{error:?}");
        assert_eq!((error.server_code(), error.is_outcome_unknown()), (Some("NOPERM"), false));
    }
    connection.run(cmd("WATCH").arg("a")).await.unwrap();
    script.state().forbidden = Some("MULTI");
    for answer in [lane.run_all(&transaction).await, connection.run_all(&transaction).await] {
        let error = answer.unwrap_err();
        assert!(matches!(error, PoolError::NotAtomic { .. }), "{error:?}");
        assert_eq!((error.server_code(), error.is_outcome_unknown()), (Some("NOPERM"), true));
        assert!(!format!("{error} {error:?}").contains("no right"));
    }
    let refused = transaction.query_async::<()>(&mut lane).await.unwrap_err();
    assert_eq!(refused.code(), Some("NOPERM"));
    assert_eq!(lane.run(&echo("c")).await.unwrap(), Value::BulkString("c".into()));
    assert_eq!((pool.snapshot().generations, script.dials()), (0, 2));
    // EXEC has not ended the watching.
    assert!(!is_handed_on(&script, &pool, connection).await);
}

#[tokio::test(start_paused = true)]
async fn commands_that_do_not_wait_count_among_the_waits() {
    let script = Script::new();
    let pool = script.pool(&[]).await;
    for _ in 0..100 {
        pool.any_lane().run(&echo("a")).await.unwrap();
    }
    let wait = pool.snapshot().wait;
    assert_eq!((wait.count, wait.quantile(0.9) < Duration::from_micros(1)), (100, true));
}

#[tokio::test(start_paused = true)]
async fn who_is_held_up_by_an_outage_waits_for_a_connection() {
    let script = Script::new();
    script.door(Door::Hangs);
    let pool = script.pool(&[("redis.pool.size", "1"), ("redis.pool.timeout", "3s")]).await;
    let (first, second) = tokio::join!(pool.get(), pool.get());
    for answer in [first, second] {
        let error = timed_out(answer.unwrap_err());
        assert_eq!(error.waiting_for, WaitingFor::Connection);
    }
    assert_eq!(pool.snapshot().exhausted, 0);
}
