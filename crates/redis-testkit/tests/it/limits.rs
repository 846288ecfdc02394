//! Servers that refuse: passwords, users, certificates, memory, clients.

use redis::{ClientTlsConfig, ConnectionInfo, IntoConnectionInfo, TlsCertificates};
use redis_testkit::{Certificates, ClientCertificates, RedisServer};

use crate::support::{ask, connect};

#[tokio::test]
async fn a_password_is_asked_for() {
    let server = RedisServer::builder().password("a b/c").start().await.unwrap();
    let mut client = connect(&server.url()).await.unwrap();
    let () = ask(&mut client, &["SET", "key", "value"]).await.unwrap();
    let wrong = format!("redis://:wrong@{}/0", server.address());
    assert!(connect(&wrong).await.unwrap_err().to_string().contains("Password authentication"));
    let mut without = connect(&format!("redis://{}/0", server.address())).await.unwrap();
    let refused = ask::<String>(&mut without, &["GET", "key"]).await.unwrap_err();
    assert_eq!(refused.code(), Some("NOAUTH"), "{refused}");
}

#[tokio::test]
async fn a_user_may_do_what_its_rules_say() {
    let server =
        RedisServer::builder().user("app", "secret", "~app:* +get +client").start().await.unwrap();
    let mut client = connect(&format!("redis://app:secret@{}/0", server.address())).await.unwrap();
    let _: Option<String> = ask(&mut client, &["GET", "app:key"]).await.unwrap();
    for words in [&["GET", "other"][..], &["SET", "app:key", "value"]] {
        let refused = ask::<Option<String>>(&mut client, words).await.unwrap_err();
        assert_eq!(refused.code(), Some("NOPERM"), "{refused}");
    }
    let mut nobody = connect(&server.url()).await.unwrap();
    assert!(ask::<Option<String>>(&mut nobody, &["GET", "app:key"]).await.is_err());
    assert_eq!(server.clients().await.unwrap()[0].user, "app");
}

#[tokio::test]
async fn clients_beyond_the_limit_are_refused() {
    // The control connection is one of them.
    let server = RedisServer::builder().max_clients(3).start().await.unwrap();
    let first = connect(&server.url()).await.unwrap();
    let mut second = connect(&server.url()).await.unwrap();
    let mut refused = match connect(&server.url()).await {
        // It is told on the connection, which may have been made by then.
        Ok(mut client) => ask::<String>(&mut client, &["PING"]).await.unwrap_err(),
        Err(error) => error,
    };
    if refused.is_connection_dropped() {
        // The refusal was lost with the connection; the server has counted it.
        let rejected = server.info("stats").await.unwrap()["rejected_connections"].clone();
        assert_eq!(rejected, "1", "{refused}");
    } else {
        assert!(refused.to_string().contains("max number of clients"), "{refused}");
    }
    drop(first);
    assert_eq!(ask::<String>(&mut second, &["PING"]).await.unwrap(), "PONG");
    refused = match server.kill_clients().await {
        Ok(_) => ask::<String>(&mut second, &["PING"]).await.unwrap_err(),
        Err(error) => panic!("{error}"),
    };
    assert!(refused.is_unrecoverable_error(), "{refused}");
    assert!(connect(&server.url()).await.is_ok());
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused() {
    let server =
        RedisServer::builder().max_memory(4 * 1024 * 1024, "noeviction").start().await.unwrap();
    let mut client = connect(&server.url()).await.unwrap();
    let value = "x".repeat(1024 * 1024);
    let mut refused = None;
    for number in 0..8 {
        let key = number.to_string();
        refused = ask::<()>(&mut client, &["SET", &key, &value]).await.err();
    }
    assert_eq!(refused.as_ref().and_then(redis::RedisError::code), Some("OOM"), "{refused:?}");
}

fn with_tls(
    server: &RedisServer,
    authority: std::path::PathBuf,
    client: Option<[std::path::PathBuf; 2]>,
) -> redis::RedisResult<redis::Client> {
    let info: ConnectionInfo = server.url().as_str().into_connection_info()?;
    let read = |path| std::fs::read(path).unwrap();
    let client_tls = client.map(|[certificate, key]| ClientTlsConfig {
        client_cert: read(certificate),
        client_key: read(key),
    });
    redis::Client::build_with_tls(
        info,
        TlsCertificates { client_tls, root_cert: Some(read(authority)) },
    )
}

async fn ping(client: redis::RedisResult<redis::Client>) -> redis::RedisResult<String> {
    let mut connection = client?.get_multiplexed_async_connection().await?;
    ask(&mut connection, &["PING"]).await
}

#[tokio::test]
async fn tls_asks_both_sides_for_what_they_trust() {
    let files = Certificates::generate().unwrap();
    let server =
        RedisServer::builder().tls(&files, ClientCertificates::Required).start().await.unwrap();
    assert!(server.url().starts_with("rediss://127.0.0.1:"));
    let known = [files.client_certificate(), files.client_key()];
    let strange = [files.strange_client_certificate(), files.strange_client_key()];
    let good = with_tls(&server, files.authority(), Some(known.clone()));
    assert_eq!(ping(good).await.unwrap(), "PONG");
    let wrong_authority = with_tls(&server, files.strange_authority(), Some(known));
    let error = format!("{:?}", ping(wrong_authority).await.unwrap_err());
    assert!(error.contains("UnknownIssuer"), "{error}");
    assert!(ping(with_tls(&server, files.authority(), None)).await.is_err());
    assert!(ping(with_tls(&server, files.authority(), Some(strange))).await.is_err());
    let plain = format!("redis://{}/0", server.address());
    assert!(ping(redis::Client::open(plain)).await.is_err());
}

#[tokio::test]
async fn clients_without_certificates_are_let_in_where_none_are_asked_for() {
    let files = Certificates::generate().unwrap();
    let server = RedisServer::builder()
        .tls(&files, ClientCertificates::Ignored)
        .password("p")
        .start()
        .await
        .unwrap();
    assert_eq!(ping(with_tls(&server, files.authority(), None)).await.unwrap(), "PONG");
}
