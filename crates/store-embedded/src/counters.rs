//! The short codes that stand for counter ids in stored values.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use memory_core::CounterId;

use crate::bytes::Damage;
use crate::row::CounterCode;

/// Every counter that the store has met, in memory.
///
/// Codes are given by the writer only. A reader may see a code here whose commit has not ended;
/// nothing that the reader can see uses it then.
#[derive(Debug, Default)]
pub(crate) struct Counters(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    ids: Vec<CounterId>,
    codes: HashMap<CounterId, CounterCode>,
}

impl Counters {
    /// The counters in the order of their codes.
    pub(crate) fn new(ids: Vec<CounterId>) -> Self {
        let known = Self::default();
        for id in ids {
            known.add(id);
        }
        known
    }

    pub(crate) fn code(&self, id: &CounterId) -> Option<CounterCode> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).codes.get(id).copied()
    }

    pub(crate) fn id(&self, code: CounterCode) -> Result<CounterId, Damage> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.ids.get(code as usize).cloned().ok_or(Damage("a counter's code stands for nothing"))
    }

    /// Gives the next code to a counter that has none.
    pub(crate) fn add(&self, id: CounterId) -> CounterCode {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // One store meets a handful of counters; four thousand million do not fit its memory.
        let code = CounterCode::try_from(known.ids.len()).expect("fewer than 2^32 counters");
        known.ids.push(id.clone());
        known.codes.insert(id, code);
        code
    }
}
