//! TLS: who is trusted, by whom, and what a refusal looks like.

use std::path::PathBuf;

use cache_redis::{ConnectReason, PoolError, RedisPool, RedisSettings};
use redis_testkit::{Certificates, ClientCertificates, RedisServer};

use crate::support::{FOR_EVER, WAYS, pool, run, settings_of, text, within};

fn settings(
    server: &RedisServer,
    authority: PathBuf,
    client: Option<(PathBuf, PathBuf)>,
) -> RedisSettings {
    let url = server.url();
    let authority = authority.into_os_string().into_string().unwrap();
    let mut variables = vec![("REDIS_URL", url.as_str()), ("REDIS_TLS_CA_FILE", &authority)];
    let files = client.map(|(certificate, key)| {
        [certificate, key].map(|path| path.into_os_string().into_string().unwrap())
    });
    if let Some([certificate, key]) = &files {
        variables.push(("REDIS_TLS_CERTIFICATE_FILE", certificate));
        variables.push(("REDIS_TLS_KEY_FILE", key));
    }
    let mut settings = settings_of(&variables);
    settings.pool.timeout = FOR_EVER;
    settings
}

async fn check_refused(settings: RedisSettings) {
    let pool = pool(settings).await;
    for way in WAYS {
        let error = within(run(&pool, way, &["PING"])).await.unwrap_err();
        let PoolError::Connect(refused) = &error else { panic!("{way:?} {error:?}") };
        assert_eq!(refused.reason(), ConnectReason::Tls, "{way:?} {error:?}");
    }
}

#[tokio::test]
async fn both_sides_have_to_be_trusted() {
    let files = Certificates::generate().unwrap();
    let server = RedisServer::builder()
        .tls(&files, ClientCertificates::Required)
        .password("secret")
        .start()
        .await
        .unwrap();
    let known = Some((files.client_certificate(), files.client_key()));
    let strange = Some((files.strange_client_certificate(), files.strange_client_key()));
    let trusted = pool(settings(&server, files.authority(), known.clone())).await;
    for way in WAYS {
        assert_eq!(text(&trusted, way, &["ECHO", "private"]).await, "private");
    }
    check_refused(settings(&server, files.strange_authority(), known)).await;
    check_refused(settings(&server, files.authority(), None)).await;
    check_refused(settings(&server, files.authority(), strange)).await;
}

#[tokio::test]
async fn a_connection_with_tls_is_made_anew_after_a_restart() {
    let files = Certificates::generate().unwrap();
    let server =
        RedisServer::builder().tls(&files, ClientCertificates::Ignored).start().await.unwrap();
    let pool = pool(settings(&server, files.authority(), None)).await;
    for way in WAYS {
        assert_eq!(text(&pool, way, &["ECHO", "before"]).await, "before");
    }
    server.kill().unwrap();
    server.restart().await.unwrap();
    for way in WAYS {
        if let Err(error) = within(run(&pool, way, &["ECHO", "first"])).await {
            assert!(error.is_retryable(), "{error:?}");
        }
        assert_eq!(text(&pool, way, &["ECHO", "after"]).await, "after");
    }
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_and_waited_for_by_nobody() {
    let folder = tempfile::TempDir::new().unwrap();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    for path in [fifo.as_path(), folder.path(), std::path::Path::new("/dev/zero")] {
        let path = path.to_str().unwrap();
        let variables = [("REDIS_URL", "rediss://h/0"), ("REDIS_TLS_CA_FILE", path)];
        let built = RedisPool::builder(settings_of(&variables)).build();
        let error = within(built).await.map(drop).unwrap_err();
        let shown = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        for part in ["redis.tls.ca_file", path, "it is not a regular file"] {
            assert!(shown.contains(part), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_is_not_taken_for_one_with_it() {
    let files = Certificates::generate().unwrap();
    let plain = RedisServer::builder().start().await.unwrap();
    let url = format!("rediss://{}/0", plain.address());
    let authority = files.authority().into_os_string().into_string().unwrap();
    let mut settings = settings_of(&[("REDIS_URL", &url), ("REDIS_TLS_CA_FILE", &authority)]);
    settings.pool.timeout = std::time::Duration::from_secs(3);
    let pool = pool(settings).await;
    for way in WAYS {
        let error = within(run(&pool, way, &["PING"])).await.unwrap_err();
        assert!(
            matches!(error, PoolError::Connect(_) | PoolError::WaitTimedOut(_)),
            "{way:?} {error:?}"
        );
    }
}
