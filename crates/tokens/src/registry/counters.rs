//! The registry itself.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use memory_core::{Framing, TokenCounter};

use super::entry::Entry;
use crate::counters::{BpeCounter, Encoding};
use crate::error::{LoadError, UnknownCounter};
use crate::models;

/// A counter, and how the model it was asked for frames messages.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resolved {
    /// What counts texts.
    pub counter: Arc<dyn TokenCounter>,
    /// What turns counted texts into a message's tally.
    pub framing: Framing,
}

/// Finds counters by their names, or by the names of models.
///
/// It knows the encodings of [`BpeCounter`] and OpenAI's models from the start, and takes counters
/// and models of one's own. A counter is made when it is first asked for, once; all who ask for it
/// share it. A name that is registered again replaces what had it before.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use memory_core::{CountError, CounterId, Framing, TokenCounter};
/// use tokens::CounterRegistry;
///
/// /// Counts words.
/// #[derive(Debug)]
/// struct Words(CounterId);
///
/// impl TokenCounter for Words {
///     fn id(&self) -> &CounterId {
///         &self.0
///     }
///
///     fn count(&self, text: &str) -> Result<usize, CountError> {
///         Ok(text.split_whitespace().count())
///     }
/// }
///
/// let registry = CounterRegistry::new()
///     .with("words", || Ok(Arc::new(Words(CounterId::new("words")?))))
///     .with_model("house-model-2", "words", Framing::openai_chat_1());
///
/// assert_eq!(registry.counter("house-model-2")?.count("three short words")?, 3);
/// assert_eq!(registry.counter("gpt-4o-2024-08-06")?.id().as_str(), "o200k_base");
/// assert_eq!(registry.resolve("gpt-3.5-turbo-0301")?.framing.id(), "openai-chat-0301");
///
/// let error = registry.counter("word").unwrap_err().to_string();
/// assert!(error.contains("did you mean words?"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CounterRegistry {
    counters: BTreeMap<String, Entry>,
    models: BTreeMap<String, (String, Framing)>,
}

impl CounterRegistry {
    /// A registry with the encodings and models that this crate knows.
    pub fn new() -> Self {
        let encodings = Encoding::ALL.into_iter().map(|encoding| {
            let counter = move || -> Result<Arc<dyn TokenCounter>, _> {
                Ok(Arc::new(BpeCounter::new(encoding)))
            };
            (encoding.name().to_owned(), Entry::new(counter))
        });
        Self { counters: encodings.collect(), models: BTreeMap::new() }
    }

    /// Adds a counter of one's own, which `factory` makes when it is first asked for.
    ///
    /// Where the factory fails, who asked gets its error, and the next who asks has it try again.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        factory: impl Fn() -> Result<Arc<dyn TokenCounter>, Box<dyn Error + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.counters.insert(name.into(), Entry::new(factory));
        self
    }

    /// Adds a model that is counted by the counter of this name, under this framing.
    ///
    /// The counter may be registered before or after.
    #[must_use]
    pub fn with_model(
        mut self,
        model: impl Into<String>,
        counter: impl Into<String>,
        framing: Framing,
    ) -> Self {
        self.models.insert(model.into(), (counter.into(), framing));
        self
    }

    /// The counter of this name, or the one for the model of this name.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unknown`] lists the names that are near; [`LoadError::Factory`] where the
    /// counter could not be made.
    pub fn counter(&self, name: &str) -> Result<Arc<dyn TokenCounter>, LoadError> {
        self.resolve(name).map(|resolved| resolved.counter)
    }

    /// The counter of this name with the default framing, or the counter and the framing of the
    /// model of this name.
    ///
    /// # Errors
    ///
    /// As for [`counter`](Self::counter).
    pub fn resolve(&self, name: &str) -> Result<Resolved, LoadError> {
        let (counter, framing) = if self.counters.contains_key(name) {
            (name, Framing::default())
        } else if let Some((counter, framing)) = self.models.get(name) {
            (counter.as_str(), framing.clone())
        } else if let Some((encoding, framing)) = models::find(name) {
            (encoding.name(), framing)
        } else {
            (name, Framing::default())
        };
        let entry = self.counters.get(counter).ok_or_else(|| self.unknown(counter))?;
        Ok(Resolved { counter: entry.counter(counter)?, framing })
    }

    /// The names of all counters, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.counters.keys().map(String::as_str)
    }

    fn unknown(&self, name: &str) -> UnknownCounter {
        let models = self.models.keys().map(String::as_str).chain(models::names());
        UnknownCounter::new(name, self.names(), models)
    }
}

impl Default for CounterRegistry {
    /// [`CounterRegistry::new`].
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// A factory that fails the first `failures` times, and what counts its calls.
    fn with_failures(
        registry: CounterRegistry,
        failures: usize,
    ) -> (CounterRegistry, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&calls);
        let registry = registry.with("own", move || {
            if seen.fetch_add(1, Ordering::Relaxed) < failures {
                return Err("the file is away".into());
            }
            Ok(Arc::new(BpeCounter::cl100k_base()))
        });
        (registry, calls)
    }

    #[test]
    fn a_counter_is_made_once_and_on_first_use() {
        let (registry, calls) = with_failures(CounterRegistry::new(), 0);
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| registry.counter("own").unwrap());
            }
        });
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        let (one, other) = (registry.counter("own").unwrap(), registry.counter("own").unwrap());
        assert!(Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn a_factory_that_failed_is_asked_again() {
        let (registry, _) = with_failures(CounterRegistry::new(), 1);
        let error = registry.counter("own").unwrap_err();
        assert_eq!(error.to_string(), "counter own could not be loaded");
        assert_eq!(error.source().unwrap().to_string(), "the file is away");
        assert_eq!(registry.counter("own").unwrap().id().as_str(), "cl100k_base");
    }

    #[test]
    fn what_is_registered_later_holds() {
        let registry = CounterRegistry::new()
            .with("o200k_base", || Ok(Arc::new(BpeCounter::cl100k_base())))
            .with_model("gpt-4", "o200k_harmony", Framing::openai_chat_0301());
        let check = |name: &str, id: &str, framing: &str| {
            let resolved = registry.resolve(name).unwrap();
            assert_eq!(resolved.counter.id().as_str(), id, "{name}");
            assert_eq!(resolved.framing.id(), framing, "{name}");
        };
        check("o200k_base", "cl100k_base", "openai-chat-1");
        check("gpt-4o", "cl100k_base", "openai-chat-1");
        check("gpt-4", "o200k_harmony", "openai-chat-0301");
        check("gpt-4-0613", "cl100k_base", "openai-chat-1");
    }

    #[test]
    fn an_unknown_name_lists_those_of_one_s_own_too() {
        let registry = CounterRegistry::new().with_model("house-1", "hous", Framing::default());
        let near = |name: &str| match registry.resolve(name).unwrap_err() {
            LoadError::Unknown(unknown) => unknown.nearest().map(str::to_owned),
            other => panic!("{other}"),
        };
        assert_eq!(near("hause-1").as_deref(), Some("house-1"));
        assert_eq!(near("gtp-4o").as_deref(), Some("gpt-4o"));
        assert_eq!(near("?"), None);
        let error = registry.resolve("house-1").unwrap_err().to_string();
        assert!(error.starts_with("unknown encoding or model \"hous\""), "{error}");
    }
}
