//! Slots that move to another node, with commands on the way.

use cache_redis::RedisPool;
use cache_redis::connection::{Value, from_redis_value, pipe};
use redis_testkit::Cluster;

use crate::support::{
    Load, check_list, cluster, command, key_of, loaded, pool, settings, text, within,
};

/// Appends numbers to a list, each without waiting for the one before it.
async fn append(pool: &RedisPool, key: &str, numbers: std::ops::Range<usize>) {
    let mut tasks = tokio::task::JoinSet::new();
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    for number in numbers {
        let (lane, command) = (pool.lane(key), command(&["RPUSH", key, &number.to_string()]));
        let begun = begun.clone();
        tasks.spawn(async move {
            let mut run = std::pin::pin!(lane.run(&command));
            let first =
                std::future::poll_fn(|context| std::task::Poll::Ready(run.as_mut().poll(context)))
                    .await;
            begun.send(()).unwrap();
            match first {
                std::task::Poll::Ready(answer) => answer.unwrap(),
                std::task::Poll::Pending => run.await.unwrap(),
            }
        });
        // The next one is polled first after this one was.
        begins.recv().await.unwrap();
    }
    while let Some(done) = within(tasks.join_next()).await {
        done.unwrap();
    }
}

async fn list(pool: &RedisPool, key: &str) -> Vec<usize> {
    let answer = within(pool.lane(key).run(&command(&["LRANGE", key, "0", "-1"]))).await.unwrap();
    from_redis_value(answer).unwrap()
}

/// Another master than the first one.
fn second(cluster: &Cluster) -> &redis_testkit::RedisServer {
    &cluster.nodes()[1]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_of_a_key_keep_their_order_while_its_slot_moves() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 6)).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    let slot = cluster.slot_of(key.as_bytes()).await.unwrap();
    for round in 0..6 {
        let to = &cluster.nodes()[usize::from(round % 2 == 0)];
        let begin = round * 200;
        let (moved, ()) =
            tokio::join!(cluster.move_slot(slot, to), append(&pool, &key, begin..begin + 200));
        moved.unwrap();
    }
    assert_eq!(list(&pool, &key).await, (0..1200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_key_that_has_moved_before_its_slot_is_asked_for_there() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    let other = format!("{{{key}}}other");
    text(&pool, &["SET", &key, "1"]).await;
    let slot = cluster.slot_of(key.as_bytes()).await.unwrap();
    let moving = cluster.begin_move(slot, second(&cluster)).await.unwrap();
    assert_eq!(moving.move_keys(10).await.unwrap(), 1);
    // Each of these is redirected by the former owner.
    assert_eq!(text(&pool, &["INCR", &key]).await, "2");
    let lane = pool.lane(&key);
    let answers = within(lane.run_all(pipe().incr(&key, 1).incr(&other, 5))).await.unwrap();
    assert_eq!(answers, [Value::Int(3), Value::Int(5)]);
    let answers = within(lane.run_all(pipe().atomic().incr(&key, 1).get(&other))).await.unwrap();
    assert_eq!(answers, [Value::Int(4), Value::BulkString(b"5".to_vec())]);
    moving.finish().await.unwrap();
    assert_eq!(text(&pool, &["INCR", &key]).await, "5");
}

#[tokio::test]
async fn several_keys_wait_until_all_of_them_have_moved() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    let keys = [key.clone(), format!("{{{key}}}2")];
    for key in &keys {
        text(&pool, &["SET", key, "value"]).await;
    }
    let slot = cluster.slot_of(key.as_bytes()).await.unwrap();
    let moving = cluster.begin_move(slot, second(&cluster)).await.unwrap();
    assert_eq!(moving.move_keys(1).await.unwrap(), 1);
    let lane = pool.lane(&key);
    let both = command(&["MGET", &keys[0], &keys[1]]);
    let (answer, ()) = within(async {
        tokio::join!(lane.run(&both), async {
            // It was refused before the rest moves.
            let is_refused = async || {
                let errors = moving.from().info("errorstats").await.unwrap();
                errors.contains_key("errorstat_TRYAGAIN")
            };
            while !is_refused().await {
                tokio::task::yield_now().await;
            }
            moving.finish().await.unwrap();
        })
    })
    .await;
    let answer: Vec<String> = from_redis_value(answer.unwrap()).unwrap();
    assert_eq!(answer, ["value", "value"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_command_is_executed_twice_while_slots_move() {
    let (cluster, pool, load) = loaded().await;
    for number in 0..12 {
        let slot = cluster.slot_of(Load::key(number).as_bytes()).await.unwrap();
        let owner = cluster.owner(slot).await.unwrap().port();
        let mut others = cluster.nodes()[..3].iter().filter(|node| node.port() != owner);
        load.goes_on(20).await;
        cluster.move_slot(slot, others.next().unwrap()).await.unwrap();
    }
    load.goes_on(200).await;
    for (number, counted) in load.end().await.into_iter().enumerate() {
        assert_eq!(counted.unknown, 0);
        check_list(&pool, number, &counted).await;
    }
}

#[tokio::test]
async fn pipelines_that_are_refused_in_part_find_the_new_owner_too() {
    let cluster = cluster().await;
    let pool = pool(settings(&cluster, 3)).await;
    let key = key_of(&cluster, &cluster.nodes()[0]).await;
    text(&pool, &["SET", &key, "1"]).await;
    let slot = cluster.slot_of(key.as_bytes()).await.unwrap();
    cluster.move_slot(slot, second(&cluster)).await.unwrap();
    let lane = pool.lane(&key);
    let mut counted = pipe();
    counted.incr(&key, 1).cmd("PUBLISH").arg("channel").arg("text");
    // A text was published, so this one cannot be sent again.
    let answers = within(lane.run_all(&counted)).await.unwrap();
    assert!(matches!(&answers[0], Value::ServerError(moved) if moved.code() == "MOVED"));
    let answers = within(lane.run_all(&counted)).await.unwrap();
    assert_eq!(answers[0], Value::Int(2));
    // And back, with what may be asked anywhere.
    cluster.move_slot(slot, &cluster.nodes()[0]).await.unwrap();
    let answers =
        within(lane.run_all(pipe().incr(&key, 1).cmd("WAIT").arg(0).arg(1))).await.unwrap();
    assert_eq!(answers[0], Value::Int(3));
}
