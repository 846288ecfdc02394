//! Counters behind a gate.

use std::sync::Arc;

use async_trait::async_trait;
use memory_core::{CacheLookups, CountError, CounterId, RemoteCounter, TextCount, TokenCounter};

use super::barrier::{Gate, Place, Refused};

/// A counter behind a gate.
///
/// A call that waits holds its thread. Before a test ends, it sets the gate to answer, so that no
/// thread is left behind.
#[derive(Debug)]
pub struct GatedCounter {
    inner: Arc<dyn TokenCounter>,
    gate: Gate,
}

impl GatedCounter {
    /// Puts a gate around a counter's `count`.
    pub fn new(inner: Arc<dyn TokenCounter>, gate: Gate) -> Self {
        Self { inner, gate }
    }

    fn gated<C>(&self, count: impl Fn() -> Result<C, CountError>) -> Result<C, CountError> {
        let counted = match self.gate.place() {
            Place::Before => None,
            Place::After => Some(count()?),
        };
        self.gate.pass_blocking().map_err(|refused| failed(self.id(), refused))?;
        counted.map_or_else(count, Ok)
    }
}

#[deny(clippy::missing_trait_methods)]
impl TokenCounter for GatedCounter {
    fn id(&self) -> &CounterId {
        self.inner.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        self.gated(|| self.inner.count(text))
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        self.gated(|| self.inner.count_text(text))
    }

    fn is_answering(&self) -> bool {
        self.inner.is_answering()
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.inner.upper_bound(text)
    }

    fn inline_safe(&self) -> bool {
        self.inner.inline_safe()
    }

    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        self.inner.safe_cut(text, near)
    }

    fn is_cpu_bound(&self) -> bool {
        self.inner.is_cpu_bound()
    }

    fn cache_lookups(&self) -> CacheLookups {
        self.inner.cache_lookups()
    }
}

/// A remote counter behind a gate.
#[derive(Debug)]
pub struct GatedRemoteCounter {
    inner: Arc<dyn RemoteCounter>,
    gate: Gate,
}

impl GatedRemoteCounter {
    /// Puts a gate around a counter's `count`.
    pub fn new(inner: Arc<dyn RemoteCounter>, gate: Gate) -> Self {
        Self { inner, gate }
    }
}

#[async_trait]
impl RemoteCounter for GatedRemoteCounter {
    fn id(&self) -> &CounterId {
        self.inner.id()
    }

    async fn count(&self, text: &str) -> Result<usize, CountError> {
        let count = match self.gate.place() {
            Place::Before => None,
            Place::After => Some(self.inner.count(text).await?),
        };
        self.gate.pass().await.map_err(|refused| failed(self.id(), refused))?;
        match count {
            Some(count) => Ok(count),
            None => self.inner.count(text).await,
        }
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.inner.upper_bound(text)
    }
}

fn failed(counter: &CounterId, refused: Refused) -> CountError {
    CountError::Failed { counter: counter.clone(), source: Box::new(refused) }
}
