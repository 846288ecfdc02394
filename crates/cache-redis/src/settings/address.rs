//! The address: a URL, or the parts that stand in its place.

use layered_settings::{Secret, Settings, SettingsError, Url};

use super::credentials::Credentials;
use super::node::{Node, SENTINEL_PORT, SERVER_PORT};
use super::redis_url::{self, RedisUrl, Servers};
use super::topology::Topology;

const URL: &str = "redis.url";
const HOST: &str = "redis.host";
const PORT: &str = "redis.port";
const DB: &str = "redis.db";
const USER: &str = "redis.user";
const PASSWORD: &str = "redis.password";
const TLS: &str = "redis.tls.enabled";
const NODES: &str = "redis.sentinel.nodes";
const SERVICE: &str = "redis.sentinel.service";
const SENTINEL_USER: &str = "redis.sentinel.user";
const SENTINEL_PASSWORD: &str = "redis.sentinel.password";
const SEEDS: &str = "redis.cluster.seeds";

/// The host where parts are given and none of them names a server.
const DEFAULT_HOST: &str = "127.0.0.1";

/// Where the servers are, and how to log in to them.
pub(super) struct Address {
    pub(super) topology: Topology,
    pub(super) database: u32,
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: bool,
}

/// Fills in the parts of an address that no layer gives.
pub(super) fn settle(settings: &mut Settings) -> Result<(), SettingsError> {
    if is_set(settings, URL)? {
        return Ok(());
    }
    let named = first_set(settings, &[HOST, NODES, SEEDS])?;
    let Some(server) = named.map_or_else(|| settle_host(settings), |key| Ok(Some(key)))? else {
        return Ok(());
    };
    if server == HOST {
        settings.derive(PORT, &SERVER_PORT.to_string(), HOST)?;
    }
    settings.derive(DB, "0", server)?;
    settings.derive(TLS, "false", server)?;
    Ok(())
}

/// Makes parts that name no server stand for the one on this machine.
///
/// That is refused where they would take the place of an address that a lower layer gives: a
/// password alone would be sent elsewhere than it is meant for.
fn settle_host(settings: &mut Settings) -> Result<Option<&'static str>, SettingsError> {
    if let Some(part) = first_set(settings, &[SERVICE, SENTINEL_USER, SENTINEL_PASSWORD])? {
        return Err(settings.refuse(part, beside(NODES)));
    }
    let Some(part) = first_set(settings, &[PORT, DB, USER, PASSWORD, TLS])? else {
        return Ok(None);
    };
    let replaced = |key| Some((key, settings.replaced(key)?));
    if let Some((key, place)) = [URL, NODES, SEEDS].into_iter().find_map(replaced) {
        let expected = format!("{HOST} beside it, since it takes the place of {key} ({place})");
        return Err(settings.refuse(part, expected));
    }
    settings.derive(HOST, DEFAULT_HOST, part)?;
    Ok(Some(HOST))
}

/// Reads settings that are [settled](settle).
pub(super) fn read(settings: &Settings) -> Result<Address, SettingsError> {
    if let Some(url) = settings.get::<Option<Url>>(URL)? {
        let address = at(&url, settings)?;
        return address.ok_or_else(|| settings.refuse(URL, redis_url::EXPECTED));
    }
    Ok(Address {
        topology: topology(settings)?,
        database: settings.get(DB)?,
        credentials: credentials(settings, USER, PASSWORD)?,
        tls: settings.get(TLS)?,
    })
}

/// The address that a URL says; none where it says none.
pub(super) fn at(url: &Url, settings: &Settings) -> Result<Option<Address>, SettingsError> {
    let Some(url) = redis_url::parse(url.expose()) else { return Ok(None) };
    let RedisUrl { servers, database, credentials: login, tls } = url;
    let topology = match servers {
        Servers::One(server) => Topology::Single(server),
        Servers::Sentinels { service, nodes } => {
            let credentials = credentials(settings, SENTINEL_USER, SENTINEL_PASSWORD)?;
            Topology::Sentinel { service, sentinels: nodes, credentials }
        }
        Servers::Cluster(seeds) => Topology::Cluster { seeds },
    };
    Ok(Some(Address { topology, database, credentials: login, tls }))
}

fn topology(settings: &Settings) -> Result<Topology, SettingsError> {
    if is_set(settings, NODES)? {
        let service = settings.get::<Option<String>>(SERVICE)?;
        return Ok(Topology::Sentinel {
            service: service.ok_or_else(|| settings.refuse(NODES, beside(SERVICE)))?,
            sentinels: nodes(settings, NODES, SENTINEL_PORT)?,
            credentials: credentials(settings, SENTINEL_USER, SENTINEL_PASSWORD)?,
        });
    }
    if is_set(settings, SEEDS)? {
        if settings.get::<u32>(DB)? > 0 {
            return Err(settings.refuse(DB, "0, the only database of a cluster"));
        }
        return Ok(Topology::Cluster { seeds: nodes(settings, SEEDS, SERVER_PORT)? });
    }
    let server = Node::new(settings.get(HOST)?, settings.get(PORT)?);
    server.map(Topology::Single).ok_or_else(|| settings.refuse(HOST, "a host's name or IP address"))
}

fn nodes(settings: &Settings, key: &str, port: u16) -> Result<Vec<Node>, SettingsError> {
    let nodes = Node::parse_list(settings.get(key)?, port);
    nodes.ok_or_else(|| settings.refuse(key, "hosts separated by commas"))
}

fn credentials(
    settings: &Settings,
    user: &str,
    password: &str,
) -> Result<Option<Credentials>, SettingsError> {
    let name = settings.get::<Option<String>>(user)?;
    match settings.get::<Option<Secret>>(password)? {
        Some(password) => Ok(Some(Credentials::new(name, password))),
        None if name.is_some() => Err(settings.refuse(user, beside(password))),
        None => Ok(None),
    }
}

fn first_set(
    settings: &Settings,
    keys: &[&'static str],
) -> Result<Option<&'static str>, SettingsError> {
    for key in keys {
        if is_set(settings, key)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn is_set(settings: &Settings, key: &str) -> Result<bool, SettingsError> {
    Ok(settings.resolved(key)?.value().is_present())
}

fn beside(key: &str) -> String {
    format!("{key} beside it")
}
