//! Passwords, users and TLS.

use cache_redis::{ConnectReason, PoolError, RedisSettings};
use redis_testkit::{Certificates, ClientCertificates, Cluster, RedisServer};

use crate::support::{FOR_EVER, pool, run, seeds, settings_of, text, within};

async fn check_works(settings: RedisSettings) {
    let pool = pool(settings).await;
    for number in 0..20 {
        let key = format!("key-{number}");
        text(&pool, &["SET", &key, &key]).await;
        assert_eq!(text(&pool, &["GET", &key]).await, key);
    }
}

async fn check_refused(mut settings: RedisSettings, reason: ConnectReason) {
    settings.pool.timeout = FOR_EVER;
    let pool = pool(settings).await;
    let error = within(run(&pool, &["GET", "key"])).await.unwrap_err();
    let PoolError::Connect(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.reason(), reason, "{error:?}");
}

#[tokio::test]
async fn a_password_or_a_user_is_asked_for_by_each_node() {
    let server = RedisServer::builder()
        .password("secret")
        .user("limited", "canary", "~* +@all -@dangerous -@admin +cluster|slots")
        .user("blind", "canary", "~* +@all -cluster");
    let cluster = Cluster::builder().server(server).start().await.unwrap();
    let seeds = seeds(&cluster);
    let with = |user: Option<&str>, password: &str| {
        let mut variables =
            vec![("REDIS_CLUSTER_SEEDS", seeds.as_str()), ("REDIS_PASSWORD", password)];
        variables.extend(user.map(|user| ("REDIS_USER", user)));
        settings_of(&variables)
    };
    check_works(with(None, "secret")).await;
    check_works(with(Some("limited"), "canary")).await;
    check_refused(with(None, "wrong"), ConnectReason::Login).await;
    check_refused(with(Some("limited"), "wrong"), ConnectReason::Login).await;
    check_refused(with(Some("blind"), "canary"), ConnectReason::Login).await;
    check_refused(settings_of(&[("REDIS_CLUSTER_SEEDS", &seeds)]), ConnectReason::Login).await;
}

#[tokio::test]
async fn each_node_is_verified_and_verifies() {
    let files = Certificates::generate().unwrap();
    let server =
        RedisServer::builder().tls(&files, ClientCertificates::Required).password("secret");
    let cluster = Cluster::builder().server(server).start().await.unwrap();
    let seeds = seeds(&cluster);
    let with = |authority: std::path::PathBuf| {
        let [authority, certificate, key] =
            [authority, files.client_certificate(), files.client_key()]
                .map(|path| path.into_os_string().into_string().unwrap());
        settings_of(&[
            ("REDIS_CLUSTER_SEEDS", &seeds),
            ("REDIS_PASSWORD", "secret"),
            ("REDIS_TLS", "true"),
            ("REDIS_TLS_CA_FILE", &authority),
            ("REDIS_TLS_CERTIFICATE_FILE", &certificate),
            ("REDIS_TLS_KEY_FILE", &key),
        ])
    };
    check_works(with(files.authority())).await;
    check_refused(with(files.strange_authority()), ConnectReason::Tls).await;
}
