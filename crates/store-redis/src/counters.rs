//! The codes of counters.
//!
//! Elements name a counter by three letters. They are made of a digest of its id, so that
//! processes that have lost sight of each other come to the same; where two counters would have
//! the same, the later one takes another. The table of them is one key for all conversations.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use cache_redis::connection::{Value, cmd};
use memory_core::{CounterId, Limits};

use crate::answer::{array, bytes, texts};
use crate::client::Client;
use crate::damage::Damage;
use crate::element::Code;
use crate::error::{Fault, RedisStoreError};
use crate::scripts::REGISTER;

/// Codes that a counter tries before it gives up.
const TRIES: usize = 64;

/// The codes that this process has met.
#[derive(Debug)]
pub(crate) struct Counters {
    key: Vec<u8>,
    met: RwLock<Met>,
}

#[derive(Debug, Default)]
struct Met {
    codes: HashMap<CounterId, Code>,
    ids: HashMap<Code, CounterId>,
}

impl Counters {
    pub(crate) fn new(key: Vec<u8>) -> Self {
        Self { key, met: RwLock::default() }
    }

    /// The code of a counter, which gets one if it has none.
    pub(crate) async fn code(&self, client: &Client, id: &CounterId) -> Result<Code, Fault> {
        if let Some(code) = self.met_code(id) {
            return Ok(code);
        }
        self.register(client, id, None).await
    }

    /// Gives the counters that this process has met their codes once more, where the table has
    /// lost them.
    pub(crate) async fn restore(&self, client: &Client) -> Result<(), Fault> {
        let met: Vec<(CounterId, Code)> = {
            let met = self.met.read().unwrap_or_else(PoisonError::into_inner);
            met.codes.iter().map(|(id, code)| (id.clone(), *code)).collect()
        };
        if met.is_empty() {
            return Ok(());
        }
        let mut read = cmd("HMGET");
        read.arg(&self.key);
        for (id, _) in &met {
            read.arg(format!("i{id}"));
        }
        let stored = array(client.command(&read).await?, "the counters' codes")?;
        for ((id, code), stored) in met.iter().zip(stored) {
            match stored {
                Value::Nil => self.register(client, id, Some(*code)).await?,
                stored => self.meet(id, stored)?,
            };
        }
        Ok(())
    }

    /// Has the table name the counter's code, which is the one wished for unless another counter
    /// has that.
    async fn register(
        &self,
        client: &Client,
        id: &CounterId,
        wished: Option<Code>,
    ) -> Result<Code, Fault> {
        let keys = [self.key.as_slice()];
        let answer = client.script_on(&REGISTER, &keys, |command| {
            command.arg(id.as_str());
            for code in wished.into_iter().chain(candidates(id)) {
                command.arg(code.as_str());
            }
        });
        // Whoever asks has sent nothing yet, and may ask again.
        match answer.await.map_err(Fault::before)? {
            Value::Nil => Err(RedisStoreError::NoCode.into()),
            answer => self.meet(id, answer),
        }
    }

    /// The code of a counter, if it has one.
    pub(crate) async fn find(
        &self,
        client: &Client,
        id: &CounterId,
    ) -> Result<Option<Code>, Fault> {
        if let Some(code) = self.met_code(id) {
            return Ok(Some(code));
        }
        let mut command = cmd("HGET");
        command.arg(&self.key).arg(format!("i{id}"));
        match client.command(&command).await? {
            Value::Nil => Ok(None),
            answer => self.meet(id, answer).map(Some),
        }
    }

    /// The counters of these codes.
    pub(crate) async fn ids(
        &self,
        client: &Client,
        codes: &[Code],
    ) -> Result<Vec<CounterId>, Fault> {
        if let Some(ids) = self.met_ids(codes) {
            return Ok(ids);
        }
        let answer = client.command(cmd("HGETALL").arg(&self.key)).await?;
        self.meet_all(answer)?;
        // The table was lost. It is written anew when somebody counts with the counter.
        let unknown = codes.iter().map(|code| {
            let id = self.met_ids(std::slice::from_ref(code)).and_then(|mut ids| ids.pop());
            id.map_or_else(|| CounterId::new(format!("unknown/{}", code.as_str())), Ok)
        });
        let ids = unknown.collect::<Result<_, _>>();
        ids.map_err(|_| Fault::Damaged(Damage("a counter's code is not known")))
    }

    /// The code of a counter that this process has met.
    pub(crate) fn met_code(&self, id: &CounterId) -> Option<Code> {
        let met = self.met.read().unwrap_or_else(PoisonError::into_inner);
        met.codes.get(id).copied()
    }

    fn met_ids(&self, codes: &[Code]) -> Option<Vec<CounterId>> {
        let met = self.met.read().unwrap_or_else(PoisonError::into_inner);
        codes.iter().map(|code| met.ids.get(code).cloned()).collect()
    }

    fn meet(&self, id: &CounterId, answer: Value) -> Result<Code, Fault> {
        let code = bytes(answer).and_then(|code| Code::parse(&code));
        let code = code.ok_or_else(|| Fault::answer("a counter's code"))?;
        self.remember(id.clone(), code);
        Ok(code)
    }

    fn meet_all(&self, answer: Value) -> Result<(), Fault> {
        const WHAT: &str = "the counters' codes";
        let limits = Limits { id_bytes: usize::MAX, ..Limits::default() };
        // A map or pairs, as the protocol has it.
        let pairs = match answer {
            Value::Map(pairs) => {
                pairs.into_iter().map(|(name, value)| Value::Array(vec![name, value])).collect()
            }
            answer => {
                let texts = texts(answer, WHAT)?;
                let pairs = texts.chunks(2).map(|pair| {
                    Value::Array(pair.iter().cloned().map(Value::BulkString).collect())
                });
                pairs.collect::<Vec<_>>()
            }
        };
        for pair in pairs {
            let pair = array(pair, WHAT)?.into_iter().map(bytes).collect::<Option<Vec<_>>>();
            let Some([name, value]) = pair.as_deref() else { return Err(Fault::answer(WHAT)) };
            if let Some(code) = name.strip_prefix(b"c").and_then(Code::parse)
                && let Ok(id) = std::str::from_utf8(value)
                && let Ok(id) = CounterId::within(id, &limits)
            {
                self.remember(id, code);
            }
        }
        Ok(())
    }

    fn remember(&self, id: CounterId, code: Code) {
        let mut met = self.met.write().unwrap_or_else(PoisonError::into_inner);
        met.ids.insert(code, id.clone());
        met.codes.insert(id, code);
    }
}

/// The codes that a counter may have, the likeliest first.
fn candidates(id: &CounterId) -> impl Iterator<Item = Code> {
    let mut digest = blake3::Hasher::new().update(id.as_str().as_bytes()).finalize_xof();
    (0..TRIES).map(move |_| {
        let mut bits = [0; 4];
        digest.fill(&mut bits);
        Code::from_bits(u32::from_le_bytes(bits))
    })
}
