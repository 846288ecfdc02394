//! The flat variables, beside those that follow from a key and the prefix.

/// Every flat variable, after the key that it stands for.
///
/// The tables of docs/configuration are compared with this one.
pub(super) const FLAT_VARIABLES: &[(&str, &str)] = &[
    ("redis.url", "REDIS_URL"),
    ("redis.host", "REDIS_HOST"),
    ("redis.port", "REDIS_PORT"),
    ("redis.db", "REDIS_DB"),
    ("redis.user", "REDIS_USER"),
    ("redis.password", "REDIS_PASSWORD"),
    ("redis.tls.enabled", "REDIS_TLS"),
    ("redis.tls.ca_file", "REDIS_TLS_CA_FILE"),
    ("redis.tls.certificate_file", "REDIS_TLS_CERTIFICATE_FILE"),
    ("redis.tls.key_file", "REDIS_TLS_KEY_FILE"),
    ("redis.sentinel.service", "REDIS_SENTINEL_SERVICE"),
    ("redis.sentinel.nodes", "REDIS_SENTINEL_NODES"),
    ("redis.sentinel.user", "REDIS_SENTINEL_USER"),
    ("redis.sentinel.password", "REDIS_SENTINEL_PASSWORD"),
    ("redis.cluster.seeds", "REDIS_CLUSTER_SEEDS"),
    ("redis.pool.preset", "REDIS_POOL_PRESET"),
    ("redis.pool.size", "REDIS_POOL_SIZE"),
    ("redis.pool.timeout", "REDIS_POOL_TIMEOUT"),
    ("redis.pool.max_idle", "REDIS_MAX_IDLE_CONNS"),
    ("redis.pool.min_idle", "REDIS_MIN_IDLE_CONNS"),
    ("redis.pool.idle_timeout", "REDIS_IDLE_TIMEOUT"),
    ("redis.pool.max_lifetime", "REDIS_MAX_LIFETIME"),
    ("redis.pool.connect_timeout", "REDIS_CONNECT_TIMEOUT"),
    ("redis.pool.response_timeout", "REDIS_RESPONSE_TIMEOUT"),
    ("redis.pool.lane_depth", "REDIS_LANE_DEPTH"),
    ("redis.pool.connect_rate", "REDIS_CONNECT_RATE"),
    ("redis.pool.hold_limit", "REDIS_HOLD_LIMIT"),
];

/// The flat variables of one key.
pub(super) fn of(key: &str) -> impl Iterator<Item = &'static str> {
    FLAT_VARIABLES.iter().filter(move |(known, _)| *known == key).map(|(_, variable)| *variable)
}

#[cfg(test)]
mod tests {
    use layered_settings::Setting;

    use super::*;
    use crate::RedisSettings;

    #[test]
    fn the_table_and_the_declarations_name_the_same_settings() {
        let schema = RedisSettings::schema();
        let declared: Vec<_> = schema.settings().iter().map(Setting::key).collect();
        let keys: Vec<_> = FLAT_VARIABLES.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, declared);
        for (key, variable) in FLAT_VARIABLES {
            assert_eq!(schema.get(key).unwrap().variables(), [*variable], "{key}");
        }
    }
}
