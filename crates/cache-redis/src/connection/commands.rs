//! What the commands of a server do to their connection.

use std::sync::LazyLock;

/// What a command does, as far as sharing its connection, and repeating it, is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It changes nothing.
    Read,
    /// It may change data, and leaves the connection as it was.
    Write,
    /// It may hold up the connection for as long as its arguments say.
    Blocking,
    /// It does so if its arguments ask for it.
    MayBlock,
    /// It begins to watch keys.
    Watch,
    /// It ends the watching of keys.
    Unwatch,
    /// It begins a transaction.
    Multi,
    /// It ends a transaction, and the watching of keys.
    Exec,
    /// It changes the connection for the commands after it.
    Stateful,
    /// It is not in the tables: of a module, or newer than they are.
    Unknown,
}

/// A command as metrics and errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The name in capitals, or what stands for several commands.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Its place in the order of [`names`].
    pub(crate) index: usize,
}

/// Several commands in one write.
pub(crate) const PIPELINE: &str = "PIPELINE";

/// Several commands between MULTI and EXEC in one write.
pub(crate) const TRANSACTION: &str = "TRANSACTION";

const OTHER: &str = "OTHER";

/// Every operation in the order of their indexes.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// Looks up a command by its name, in capitals or not.
pub(crate) fn operation(name: &[u8]) -> Operation {
    let mut capitals = [0; LONGEST];
    let known = capitals.get_mut(..name.len()).and_then(|capitals| {
        capitals.copy_from_slice(name);
        capitals.make_ascii_uppercase();
        find(capitals)
    });
    known.unwrap_or_else(|| find(OTHER.as_bytes()).unwrap_or(NONE))
}

/// Looks up what stands for several commands.
pub(crate) fn several(name: &'static str, kind: Kind) -> Operation {
    Operation { kind, ..find(name.as_bytes()).unwrap_or(NONE) }
}

fn find(name: &[u8]) -> Option<Operation> {
    let index = TABLE.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok()?;
    let (name, kind) = TABLE[index];
    Some(Operation { name, kind, index })
}

const NONE: Operation = Operation { name: OTHER, kind: Kind::Unknown, index: 0 };

/// The longest name in the tables.
const LONGEST: usize = 20;

/// All tables in one, sorted by name.
static TABLE: LazyLock<Vec<(&'static str, Kind)>> = LazyLock::new(|| {
    let mut table = vec![
        ("WATCH", Kind::Watch),
        ("UNWATCH", Kind::Unwatch),
        ("MULTI", Kind::Multi),
        ("EXEC", Kind::Exec),
        ("DISCARD", Kind::Exec),
        ("XREAD", Kind::MayBlock),
        ("XREADGROUP", Kind::MayBlock),
        (PIPELINE, Kind::Unknown),
        (TRANSACTION, Kind::Unknown),
        (OTHER, Kind::Unknown),
    ];
    let mut add = |names: &[&'static str], kind| {
        table.extend(names.iter().map(|name| (*name, kind)));
    };
    add(&READS, Kind::Read);
    add(&WRITES, Kind::Write);
    add(&BLOCKING, Kind::Blocking);
    add(&STATEFUL, Kind::Stateful);
    table.sort_unstable_by_key(|(name, _)| *name);
    table
});

/// Commands that change nothing.
const READS: [&str; 96] = [
    "BITCOUNT",
    "BITFIELD_RO",
    "BITPOS",
    "COMMAND",
    "DBSIZE",
    "DUMP",
    "ECHO",
    "EVALSHA_RO",
    "EVAL_RO",
    "EXISTS",
    "EXPIRETIME",
    "FCALL_RO",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEORADIUSBYMEMBER_RO",
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HEXPIRETIME",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HPEXPIRETIME",
    "HPTTL",
    "HRANDFIELD",
    "HSCAN",
    "HSTRLEN",
    "HTTL",
    "HVALS",
    "INFO",
    "KEYS",
    "LASTSAVE",
    "LCS",
    "LINDEX",
    "LLEN",
    "LOLWUT",
    "LPOS",
    "LRANGE",
    "MEMORY",
    "MGET",
    "OBJECT",
    "PEXPIRETIME",
    "PFCOUNT",
    "PING",
    "PTTL",
    "PUBSUB",
    "RANDOMKEY",
    "ROLE",
    "SCAN",
    "SCARD",
    "SDIFF",
    "SINTER",
    "SINTERCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SORT_RO",
    "SRANDMEMBER",
    "SSCAN",
    "STRLEN",
    "SUBSTR",
    "SUNION",
    "TIME",
    "TOUCH",
    "TTL",
    "TYPE",
    "XINFO",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZDIFF",
    "ZINTER",
    "ZINTERCARD",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREVRANGE",
    "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCAN",
    "ZSCORE",
    "ZUNION",
];

/// Commands that may change data, and leave their connection as it was.
const WRITES: [&str; 121] = [
    "ACL",
    "APPEND",
    "BGREWRITEAOF",
    "BGSAVE",
    "BITFIELD",
    "BITOP",
    "CLUSTER",
    "CONFIG",
    "COPY",
    "DEBUG",
    "DECR",
    "DECRBY",
    "DEL",
    "EVAL",
    "EVALSHA",
    "EXPIRE",
    "EXPIREAT",
    "FAILOVER",
    "FCALL",
    "FLUSHALL",
    "FLUSHDB",
    "FUNCTION",
    "GEOADD",
    "GEORADIUS",
    "GEORADIUSBYMEMBER",
    "GEOSEARCHSTORE",
    "GETDEL",
    "GETEX",
    "GETSET",
    "HDEL",
    "HEXPIRE",
    "HEXPIREAT",
    "HGETDEL",
    "HGETEX",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HMSET",
    "HPERSIST",
    "HPEXPIRE",
    "HPEXPIREAT",
    "HSET",
    "HSETEX",
    "HSETNX",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "LATENCY",
    "LINSERT",
    "LMOVE",
    "LMPOP",
    "LPOP",
    "LPUSH",
    "LPUSHX",
    "LREM",
    "LSET",
    "LTRIM",
    "MIGRATE",
    "MODULE",
    "MOVE",
    "MSET",
    "MSETNX",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PFADD",
    "PFDEBUG",
    "PFMERGE",
    "PFSELFTEST",
    "PSETEX",
    "PUBLISH",
    "RENAME",
    "RENAMENX",
    "REPLICAOF",
    "RESTORE",
    "RPOP",
    "RPOPLPUSH",
    "RPUSH",
    "RPUSHX",
    "SADD",
    "SAVE",
    "SCRIPT",
    "SDIFFSTORE",
    "SET",
    "SETBIT",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SINTERSTORE",
    "SLAVEOF",
    "SLOWLOG",
    "SMOVE",
    "SORT",
    "SPOP",
    "SPUBLISH",
    "SREM",
    "SUNIONSTORE",
    "SWAPDB",
    "UNLINK",
    "WAIT",
    "WAITAOF",
    "XACK",
    "XADD",
    "XAUTOCLAIM",
    "XCLAIM",
    "XDEL",
    "XGROUP",
    "XSETID",
    "XTRIM",
    "ZADD",
    "ZDIFFSTORE",
    "ZINCRBY",
    "ZINTERSTORE",
    "ZMPOP",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANGESTORE",
    "ZREM",
    "ZREMRANGEBYLEX",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYSCORE",
    "ZUNIONSTORE",
];

/// Commands that wait for something to come.
const BLOCKING: [&str; 8] =
    ["BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN"];

/// Commands that change what the connection is.
const STATEFUL: [&str; 21] = [
    "ASKING",
    "AUTH",
    "CLIENT",
    "HELLO",
    "MONITOR",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "REPLCONF",
    "RESET",
    "RESTORE-ASKING",
    "SELECT",
    "SHUTDOWN",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_any_case() {
        let check = |name: &str, found: &str, kind| {
            let operation = operation(name.as_bytes());
            assert_eq!((operation.name, operation.kind), (found, kind), "{name}");
            assert_eq!(names().nth(operation.index), Some(found));
        };
        check("GET", "GET", Kind::Read);
        check("get", "GET", Kind::Read);
        check("Set", "SET", Kind::Write);
        check("georadiusbymember_ro", "GEORADIUSBYMEMBER_RO", Kind::Read);
        check("blpop", "BLPOP", Kind::Blocking);
        check("client", "CLIENT", Kind::Stateful);
        check("exec", "EXEC", Kind::Exec);
        check("json.set", "OTHER", Kind::Unknown);
        check("a name that is longer than any", "OTHER", Kind::Unknown);
        check("", "OTHER", Kind::Unknown);
    }

    #[test]
    fn no_name_is_there_twice_or_too_long() {
        let names: Vec<_> = names().collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(names.iter().all(|name| name.len() <= LONGEST));
    }
}
