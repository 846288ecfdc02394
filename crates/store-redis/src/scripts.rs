//! The scripts that run in the server.
//!
//! Those that change a conversation begin with `common.lua`, and work on its keys and the indexes
//! of its tag, which share a slot. What can fail comes before they write messages, because a script
//! that fails does not undo what it did.

use std::sync::LazyLock;

/// A script, and the name under which the server remembers it.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) body: String,
    pub(crate) sha: String,
}

impl Script {
    fn new(parts: &[&str]) -> Self {
        let body = parts.concat();
        let sha = sha1_smol::Sha1::from(body.as_bytes()).digest().to_string();
        Self { body, sha }
    }
}

const COMMON: &str = include_str!("scripts/common.lua");

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)+) => {
        $($(#[$doc])*
        pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(&[COMMON, include_str!(concat!("scripts/", $file))]));)+
    };
}

scripts! {
    APPEND = "append.lua";
    SETTLE = "settle.lua";
    TRIM = "trim.lua";
    RECLAIM = "reclaim.lua";
    DROP = "drop.lua";
    CLEAR = "clear.lua";
    EXPIRE = "expire.lua";
    REFRESH = "refresh.lua";
    COUNTER = "counter.lua";
    CLAIM = "claim.lua";
    MEND = "mend.lua";
}

/// Payloads for a window, unless they might be too many bytes.
pub(crate) static PAYLOADS: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("scripts/payloads.lua")]));

/// A code for a counter.
pub(crate) static REGISTER: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("scripts/register.lua")]));

/// Changes a note, unless it is another one by now.
pub(crate) static NOTE: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("scripts/note.lua")]));

/// Reads several things at one moment.
pub(crate) static READS: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("scripts/reads.lua")]));
