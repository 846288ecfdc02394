//! A counter that is made when it is first asked for.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use memory_core::TokenCounter;

use crate::error::LoadError;

type Source = Box<dyn Error + Send + Sync>;
type Factory = dyn Fn() -> Result<Arc<dyn TokenCounter>, Source> + Send + Sync;

/// What makes a counter, and the counter once it is made.
pub(super) struct Entry {
    factory: Box<Factory>,
    made: Mutex<Option<Arc<dyn TokenCounter>>>,
}

impl Entry {
    pub(super) fn new(
        factory: impl Fn() -> Result<Arc<dyn TokenCounter>, Source> + Send + Sync + 'static,
    ) -> Self {
        Self { factory: Box::new(factory), made: Mutex::default() }
    }

    /// The counter. Others who ask for it while it is made wait for it; where it cannot be made,
    /// the next one tries again.
    pub(super) fn counter(&self, name: &str) -> Result<Arc<dyn TokenCounter>, LoadError> {
        // A factory that panicked has left nothing half done here.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = &*made {
            return Ok(Arc::clone(counter));
        }
        let failed = |source| LoadError::Factory { name: name.to_owned(), source };
        let counter = (self.factory)().map_err(failed)?;
        *made = Some(Arc::clone(&counter));
        Ok(counter)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("made", &self.made).finish_non_exhaustive()
    }
}
