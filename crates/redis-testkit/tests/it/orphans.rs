//! No server outlives its test, however the test ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use redis_testkit::RedisServer;

use crate::support::{is_gone, plain};

/// What the test that is killed prints before the ids of its server's process.
const MARK: &str = "process of the server: ";

#[test]
fn a_panic_takes_the_server_along() {
    let (told, id) = std::sync::mpsc::channel();
    let panicked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = plain().await;
            told.send(server.process_id().unwrap()).unwrap();
            panic!("as the test wants");
        });
    });
    assert!(panicked.join().is_err());
    assert!(is_gone(id.recv().unwrap()));
}

/// Starts a server and waits to be killed; only the test below runs it.
#[tokio::test]
#[ignore = "it waits until it is killed"]
async fn waits_to_be_killed() {
    let server = RedisServer::builder().start().await.unwrap();
    println!("{MARK}{}", server.process_id().unwrap());
    std::future::pending::<()>().await;
}

#[test]
fn a_test_that_is_killed_takes_its_server_along() {
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "orphans::waits_to_be_killed", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(test.stdout.take().unwrap()).lines().map(Result::unwrap);
    let id = lines.find_map(|line| Some(line.split_once(MARK)?.1.parse().unwrap())).unwrap();
    test.kill().unwrap();
    test.wait().unwrap();
    assert!(is_gone(id));
}
