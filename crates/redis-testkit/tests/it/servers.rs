//! One server: started, asked, broken, and gone in the end.

use redis_testkit::{Durability, RedisServer};

use crate::support::{ask, connect, is_gone, plain, within};

#[tokio::test]
async fn a_server_starts_answers_and_is_gone_with_its_folder() {
    let server = plain().await;
    let (id, folder) = (server.process_id().unwrap(), server.folder().to_owned());
    let mut client = connect(&server.url()).await.unwrap();
    let () = ask(&mut client, &["SET", "key", "value"]).await.unwrap();
    assert_eq!(ask::<String>(&mut client, &["GET", "key"]).await.unwrap(), "value");
    assert_eq!(server.command(&["GET", "key"]).await.unwrap().text(), Some("value"));
    assert!(server.address().ip().is_loopback());
    drop(server);
    assert!(is_gone(id));
    assert!(!folder.exists());
}

#[tokio::test]
async fn nothing_of_a_secret_is_shown() {
    let server = RedisServer::builder()
        .password("canary")
        .user("app", "canary", "+@all ~*")
        .start()
        .await
        .unwrap();
    let builder = RedisServer::builder().password("canary").user("app", "canary", "+@all");
    let error = server.command(&["AUTH", "canary-canary", "canary"]).await.unwrap_err();
    let shown = format!("{server:?} {builder:?} {error:?} {error}");
    assert!(!shown.contains("canary\"") && !shown.contains("canary-canary"), "{shown}");
}

async fn check_kept(durability: Durability, expected: Option<&str>) {
    let server = RedisServer::builder().durability(durability).start().await.unwrap();
    let mut client = connect(&server.url()).await.unwrap();
    let () = ask(&mut client, &["SET", "key", "value"]).await.unwrap();
    let (id, port) = (server.process_id().unwrap(), server.port());
    server.kill().unwrap();
    assert!(is_gone(id));
    assert_eq!(server.process_id(), None);
    assert!(server.command(&["PING"]).await.is_err());
    server.restart().await.unwrap();
    assert_eq!(server.port(), port);
    assert_ne!(server.process_id(), Some(id));
    let mut client = connect(&server.url()).await.unwrap();
    let kept = ask::<Option<String>>(&mut client, &["GET", "key"]).await.unwrap();
    assert_eq!(kept.as_deref(), expected);
}

#[tokio::test]
async fn what_is_kept_through_a_kill_is_as_the_builder_says() {
    check_kept(Durability::Memory, None).await;
    check_kept(Durability::Always, Some("value")).await;
}

#[tokio::test]
async fn a_paused_server_answers_when_it_goes_on() {
    let server = plain().await;
    let mut client = connect(&server.url()).await.unwrap();
    server.pause().unwrap();
    let mut answer = Box::pin(ask::<String>(&mut client, &["PING"]));
    tokio::select! {
        biased;
        answer = &mut answer => panic!("a server that stands still answered {answer:?}"),
        () = std::future::ready(()) => {}
    }
    let id = server.process_id().unwrap();
    let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    assert_eq!(state.rsplit(") ").next().unwrap().chars().next(), Some('T'), "{state}");
    server.resume().unwrap();
    assert_eq!(within(answer).await.unwrap(), "PONG");
}

#[tokio::test]
async fn what_is_not_running_says_so() {
    let server = plain().await;
    server.kill().unwrap();
    for failed in [server.kill(), server.pause(), server.resume()] {
        let error = failed.unwrap_err().to_string();
        assert!(error.ends_with("is not running; restart it first"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_ends_by_itself_is_told_with_its_log() {
    let error = RedisServer::builder().directive("maxclients", &["no"]).start().await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("ended by itself") && error.contains("maxclients"), "{error}");
}

#[tokio::test]
async fn sockets_are_counted_without_our_own_and_closed_by_the_server() {
    let server = plain().await;
    let url = server.url();
    assert_eq!(server.sockets().await.unwrap(), 0);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(connect(&url).await.unwrap());
    }
    assert_eq!(server.sockets().await.unwrap(), 3);
    let seen = server.clients().await.unwrap();
    assert!(seen.iter().all(|client| client.address.starts_with("127.0.0.1:")), "{seen:?}");
    assert_eq!(server.kill_clients().await.unwrap(), 3);
    assert_eq!(server.sockets().await.unwrap(), 0);
    for client in &mut clients {
        assert!(ask::<String>(client, &["PING"]).await.is_err());
    }
}

#[tokio::test]
async fn commands_are_counted_until_a_reset() {
    let server = plain().await;
    let mut client = connect(&server.url()).await.unwrap();
    for _ in 0..3 {
        let _: Option<String> = ask(&mut client, &["GET", "key"]).await.unwrap();
    }
    let () = ask(&mut client, &["SET", "key", "text"]).await.unwrap();
    ask::<i64>(&mut client, &["INCR", "key"]).await.unwrap_err();
    let stats = server.command_stats().await.unwrap();
    assert_eq!(stats["get"].calls, 3);
    assert_eq!((stats["incr"].calls, stats["incr"].failed), (1, 1));
    assert_eq!(server.info("server").await.unwrap()["tcp_port"], server.port().to_string());
    server.reset_stats().await.unwrap();
    assert!(!server.command_stats().await.unwrap().contains_key("get"));
}

#[tokio::test]
async fn a_server_that_loads_its_data_says_so_until_it_has() {
    let server = RedisServer::builder().slow_loading().start().await.unwrap();
    // They take two minutes, so that it cannot have loaded them before it is asked.
    server.command(&["DEBUG", "POPULATE", "12000", "key", "1024"]).await.unwrap();
    server.command(&["SAVE"]).await.unwrap();
    server.restart_loading().await.unwrap();
    let refused = server.command(&["GET", "key:0"]).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("LOADING"), "{refused}");
    server.load_quickly().await.unwrap();
    assert_eq!(server.command(&["DBSIZE"]).await.unwrap().integer(), Some(12_000));
}

#[tokio::test]
async fn a_demoted_master_takes_no_writes() {
    let master = plain().await;
    let replica = plain().await;
    replica.replicate(&master).await.unwrap();
    let mut client = connect(&master.url()).await.unwrap();
    let () = ask(&mut client, &["SET", "key", "value"]).await.unwrap();
    assert_eq!(ask::<i64>(&mut client, &["WAIT", "1", "0"]).await.unwrap(), 1);
    assert_eq!(master.sockets().await.unwrap(), 1, "links of replication do not count");
    replica.promote().await.unwrap();
    master.replicate(&replica).await.unwrap();
    assert!(replica.is_master().await.unwrap());
    assert!(!master.is_master().await.unwrap());
    let error = ask::<()>(&mut client, &["SET", "key", "other"]).await.unwrap_err();
    assert_eq!(error.code(), Some("READONLY"), "{error}");
    assert_eq!(replica.command(&["GET", "key"]).await.unwrap().text(), Some("value"));
}
