//! `doctor`, on real servers in every state.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command as Process, Stdio};
use std::thread;
use std::time::Duration;

use redis_testkit::{
    Certificates, ClientCertificates, Cluster, End, Fault, FaultProxy, RedisServer, Sentinels,
};

use crate::support::{Place, Run};

/// How long waits for a connection may take where nobody answers.
const SHORT: (&str, &str) = ("REDIS_POOL_TIMEOUT", "600ms");

/// What only a program that hangs reaches. Its own limit is checked with a clock that stands still,
/// by the pool's tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts the program with variables, and insists that it ends.
async fn doctor(words: &[&str], variables: &[(&str, &str)]) -> Run {
    let place = Place::new();
    doctor_in(&place, words, variables).await
}

async fn doctor_in(place: &Place, words: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut process: Process = place.process(&[words, &["doctor"]].concat());
    process.envs(variables.iter().copied());
    process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = tokio::process::Command::from(process);
    let process = process.kill_on_drop(true).spawn().unwrap();
    let output = tokio::time::timeout(PATIENCE, process.wait_with_output()).await;
    Run::of(&output.expect("it does not end").unwrap())
}

async fn doctor_at(url: &str) -> Run {
    doctor(&[], &[("REDIS_URL", url)]).await
}

/// Insists that all was found.
fn is_well(run: Run) -> Run {
    run.exits(0)
        .prints("redis.pool.size")
        .prints("round trip: p50 ")
        .prints(", p99 ")
        .prints(" commands a second with 64 in flight")
        .prints("advice: ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_well_is_described() {
    let server = RedisServer::builder().start().await.unwrap();
    let run = is_well(doctor_at(&server.url()).await);
    let address = server.address();
    let version = server.info("server").await.unwrap()["redis_version"].clone();
    run.prints(&format!("redis: {address}"))
        .prints(&format!("server {address}: Redis {version}, no maxmemory, noeviction"))
        .prints("REDIS_URL")
        .prints("advice: none");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_that_is_the_default_does_not_matter_and_none_is_made() {
    let server = RedisServer::builder().start().await.unwrap();
    let url = server.url();
    let place = Place::new();
    for words in [&["--store", "memory:"][..], &["--store", "file:conversations.redb"], &[]] {
        is_well(doctor_in(&place, words, &[("REDIS_URL", &url)]).await);
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_object() {
    let server = RedisServer::builder().start().await.unwrap();
    let place = Place::new();
    let url = server.url();
    let mut process = place.process(&["doctor", "--json"]);
    process.env("REDIS_URL", &url);
    let output = tokio::process::Command::from(process).output().await.unwrap();
    let run = Run::of(&output).exits(0).says(&server.address().to_string());
    let [found] = &run.json()[..] else { panic!("{}", run.stdout) };
    assert_eq!(found["settings"]["redis.pool.size"]["value"], 100);
    assert_eq!(found["settings"]["redis.url"]["source"], "REDIS_URL");
    let redis = &found["redis"];
    assert_eq!(redis["supported"], true);
    assert_eq!(redis["servers"][0]["address"], server.address().to_string());
    assert!(redis["round_trip"]["p50_seconds"].as_f64().unwrap() > 0.0);
    assert!(redis["throughput"]["per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(redis["warnings"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_says_what_went_wrong() {
    let server = RedisServer::builder().start().await.unwrap();
    server.kill().unwrap();
    let check = async |variables: &[(&str, &str)], expected: &str| {
        let place = Place::new();
        let mut process = place.process(&["doctor", "--json"]);
        process.envs([SHORT]).envs(variables.iter().copied());
        let output = tokio::process::Command::from(process).output().await.unwrap();
        let run = Run::of(&output).exits(1);
        let [found] = &run.json()[..] else { panic!("{}", run.stdout) };
        assert!(found["settings"]["redis.pool.size"].is_object(), "{found}");
        let error = found["redis"]["error"].as_str().unwrap();
        assert!(error.contains(expected), "{error}");
        found["address"].clone()
    };
    let address = check(&[("REDIS_URL", &server.url())], "nobody listens there").await;
    assert_eq!(address, server.address().to_string());
    let missing = [("REDIS_URL", "rediss://h/0"), ("REDIS_TLS_CA_FILE", "missing.pem")];
    assert!(check(&missing, "missing.pem").await.is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_doctor_does_itself_is_no_reason_for_advice() {
    let server = RedisServer::builder().start().await.unwrap();
    let url = server.url();
    let small = [("REDIS_URL", url.as_str()), ("REDIS_POOL_SIZE", "1"), ("REDIS_LANE_DEPTH", "8")];
    doctor(&[], &small).await.exits(0).prints(" with 8 in flight").prints("advice: none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_shown_nowhere() {
    let server = RedisServer::builder().password("canary").start().await.unwrap();
    let address = server.address();
    let url = format!("redis://:canary@{address}/0");
    let right = is_well(doctor_at(&url).await).prints("***");
    let wrong = doctor_at(&format!("redis://:canary-not@{address}/0")).await.exits(1);
    let wrong = wrong.says("redis.password").says(&address.to_string());
    for run in [right, wrong] {
        assert!(!run.stdout.contains("canary") && !run.stderr.contains("canary"), "{}", run.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_removes_keys_is_warned_of() {
    let check = async |policy: &str, expected: &str| {
        let server = RedisServer::builder().max_memory(100_000_000, policy).start().await.unwrap();
        let run = is_well(doctor_at(&server.url()).await);
        run.prints(&format!("maxmemory 100000000 bytes, {policy}")).prints(expected)
    };
    check("allkeys-lru", "removes any keys by itself").await;
    check("volatile-lru", "removes keys that have a time to live").await;
    let run = check("noeviction", "advice:").await;
    assert!(!run.stdout.contains("warning:"), "{}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_used_end_it() {
    let check = async |words: &[&str], name: &str, value: &str, expected: &str| {
        doctor(words, &[(name, value)]).await.exits(1).says(expected);
    };
    check(&["--strict"], "REDIS_POOL_SIZE", "none", "REDIS_POOL_SIZE").await;
    let place = Place::new();
    place.file("turnledger.toml", "[redis.pool]\nsise = 5\n");
    doctor_in(&place, &[], &[]).await.exits(1).says("redis.pool.size");
    place.file("turnledger.toml", "[redis.pool]\nmin_idle = 5\nmax_idle = 1\n");
    doctor_in(&place, &[], &[]).await.exits(1).says("redis.pool.min_idle");
    let missing = [("REDIS_URL", "rediss://h/0"), ("REDIS_TLS_CA_FILE", "missing.pem")];
    doctor(&[], &missing).await.exits(1).says("missing.pem");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_an_error_that_names_the_address() {
    let server = RedisServer::builder().start().await.unwrap();
    let address = server.address().to_string();
    server.kill().unwrap();
    doctor(&[], &[SHORT, ("REDIS_URL", &server.url())])
        .await
        .exits(1)
        .prints("redis.pool.size")
        .prints(&format!("redis: {address}"))
        .says(&format!("redis at {address}"))
        .says("nobody listens there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_frozen_or_loading_does_not_hold_it_up() {
    let server = RedisServer::builder().slow_loading().start().await.unwrap();
    let address = server.address().to_string();
    server.pause().unwrap();
    let url = server.url();
    let run = doctor(&[], &[SHORT, ("REDIS_URL", &url)]).await;
    run.exits(1).says(&address).says("does not answer");
    server.resume().unwrap();
    server.command(&["DEBUG", "POPULATE", "12000", "key", "1024"]).await.unwrap();
    server.command(&["SAVE"]).await.unwrap();
    server.restart_loading().await.unwrap();
    // While it loads it looks at its clients every second or so.
    let variables = [("REDIS_URL", url.as_str()), ("REDIS_POOL_TIMEOUT", "2s")];
    doctor(&[], &variables).await.exits(1).says(&address).says("still reading its data");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_or_refuses_does_not_hold_it_up() {
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start(server.address()).unwrap();
    let url = format!("redis://{}/0", network.address());
    for fault in [Fault::BlackHole, Fault::Reset, Fault::Refuse] {
        network.set_fault(fault).await.unwrap();
        let run = doctor(&[], &[SHORT, ("REDIS_URL", &url)]).await;
        run.exits(1).says(&network.address().to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_are_cut_do_not_hold_it_up() {
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start(server.address()).unwrap();
    let url = format!("redis://{}/0", network.address());
    let response = [("REDIS_URL", url.as_str()), ("REDIS_RESPONSE_TIMEOUT", "1s")];
    for after in [0, 7, 100, 10_000] {
        for end in [End::Close, End::Reset] {
            network.cut_reply(after, end);
            is_well(doctor(&[], &response).await);
        }
        network.cut_reply(after, End::Silence);
        let run = doctor(&[], &response).await;
        // One that falls silent at once is replaced, and one that does so later was given a command.
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        network.spare_reply();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_for_ever_ends_it_with_an_error() {
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start(server.address()).unwrap();
    let url = format!("redis://{}/0", network.address());
    // The answers to the login are delivered, and a part of what follows. The response time-out is
    // longer than all may take.
    network.cut_reply(100, End::Silence);
    let variables = [SHORT, ("REDIS_URL", url.as_str()), ("REDIS_RESPONSE_TIMEOUT", "1h")];
    let run = doctor(&[], &variables).await;
    run.exits(1).says("INFO was not answered").prints("redis.pool.size");
}

/// A server of an older version, as far as `doctor` asks it.
fn old_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut received = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut buffer) {
                    received.extend_from_slice(&buffer[..length]);
                    // Every command here is one word: `*1`, its length, and itself.
                    let text = String::from_utf8_lossy(&received).into_owned();
                    let lines: Vec<_> = text.split("\r\n").collect();
                    let mut answers = String::new();
                    for command in lines[..lines.len() - 1].chunks_exact(3) {
                        let info = "redis_version:6.2.0\r\nmaxmemory:0\r\n";
                        let answer = match command[2] {
                            "PING" => "+PONG\r\n".to_owned(),
                            "INFO" => format!("${}\r\n{info}\r\n", info.len()),
                            other => format!("-ERR unknown command '{other}'\r\n"),
                        };
                        answers.push_str(&answer);
                    }
                    let whole = (lines.len() - 1) / 3 * 3;
                    let consumed: usize = lines[..whole].iter().map(|line| line.len() + 2).sum();
                    received.drain(..consumed);
                    if stream.write_all(answers.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_version_is_told_and_fails() {
    let address = old_server();
    doctor_at(&format!("redis://{address}/0"))
        .await
        .exits(1)
        .prints(&format!("server {address}: Redis 6.2.0"))
        .prints("7.0 is the oldest that is supported");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_may_not_do_is_told() {
    let server = RedisServer::builder()
        .user("blind", "canary", "~* +@all -info")
        .user("nobody", "canary", "~* -@all")
        .start()
        .await
        .unwrap();
    let address = server.address();
    let run = doctor_at(&format!("redis://blind:canary@{address}/0")).await;
    is_well(run).prints(&format!("warning: {address} refused INFO with NOPERM"));
    // It is connected, and no command succeeds.
    doctor_at(&format!("redis://nobody:canary@{address}/0")).await.exits(1).says("NOPERM");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken() {
    let files = Certificates::generate().unwrap();
    let server =
        RedisServer::builder().tls(&files, ClientCertificates::Ignored).start().await.unwrap();
    let path = |path: std::path::PathBuf| path.into_os_string().into_string().unwrap();
    let (url, trusted) = (server.url(), path(files.authority()));
    is_well(doctor(&[], &[("REDIS_URL", &url), ("REDIS_TLS_CA_FILE", &trusted)]).await);
    let strange = path(files.strange_authority());
    let variables = [("REDIS_URL", url.as_str()), ("REDIS_TLS_CA_FILE", &strange)];
    doctor(&[], &variables).await.exits(1).says("TLS failed");
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_of_sentinels_is_asked() {
    // Long enough that a busy machine is not taken for a death.
    let builder = Sentinels::builder().down_after(Duration::from_secs(10));
    let sentinels = builder.start().await.unwrap();
    let nodes = list(&sentinels.addresses());
    let variables =
        [("REDIS_SENTINEL_SERVICE", sentinels.service()), ("REDIS_SENTINEL_NODES", &nodes)];
    let run = is_well(doctor(&[], &variables).await);
    let master = sentinels.master().await.unwrap().address();
    run.prints(&format!("redis: {} of sentinels ", sentinels.service()))
        .prints(&format!("server {master}: Redis "));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_master_of_a_cluster_is_asked() {
    // Long enough that no replica takes over from a node that is frozen.
    let builder = Cluster::builder().node_timeout(Duration::from_mins(2));
    let cluster = builder.start().await.unwrap();
    let seeds = list(&cluster.addresses());
    let mut run = is_well(doctor(&[], &[("REDIS_CLUSTER_SEEDS", &seeds)]).await);
    run = run.prints("advice: none");
    for master in &cluster.nodes()[..3] {
        run = run.prints(&format!("server {}: ", master.address()));
    }
    for replica in &cluster.nodes()[3..] {
        assert!(!run.stdout.contains(&format!("server {}", replica.address())), "{}", run.stdout);
    }
    let small = [("REDIS_CLUSTER_SEEDS", seeds.as_str()), ("REDIS_POOL_SIZE", "2")];
    doctor(&[], &small).await.exits(1).says("redis.pool.size is 2, too small").says("3 nodes");
    let (frozen, others) = (&cluster.nodes()[0], &cluster.nodes()[1..3]);
    frozen.pause().unwrap();
    // The others are well, and are described.
    let variables = [("REDIS_POOL_TIMEOUT", "1s"), ("REDIS_CLUSTER_SEEDS", seeds.as_str())];
    let mut run = is_well(doctor(&[], &variables).await);
    run = run.prints(&format!("warning: {}: ", frozen.address()));
    for master in others {
        run = run.prints(&format!("server {}: ", master.address()));
    }
    for master in others {
        master.pause().unwrap();
    }
    doctor(&[], &variables).await.exits(1).says("cluster of");
    for node in cluster.nodes() {
        node.resume().unwrap();
    }
}
