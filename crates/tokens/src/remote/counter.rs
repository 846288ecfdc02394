//! The counter that asks a provider.

use async_trait::async_trait;
use memory_core::{CountError, CounterId, RemoteCounter};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::sleep;

use super::builder::ProviderBuilder;
use super::client::Client;
use super::error::RemoteError;
use super::provider::Provider;
use super::retry::Retry;

/// The text whose figure shows what a provider adds to a message: one letter, which is one token
/// under every vocabulary that has letters.
const ONE_TOKEN: &str = "a";

/// Counts a text's tokens by asking a provider.
///
/// # What is counted
///
/// A provider says what a whole message costs, with all that it puts around the text. So it is
/// asked once what a message of the one letter `a` costs, which is taken for one token and the
/// rest for framing F; later a text has the tokens of its message less F, and at least 1. The empty
/// text has none and is not asked for. Where a provider's framing is no constant, as with a text
/// whose begin or end it joins to the framing, a count is off by what differs.
///
/// # How it asks
///
/// An attempt may take 5 s. One that ends in 429, a status from 500 on, a lost connection or no
/// answer is tried again, twice, after pauses that grow and vary, or as `Retry-After` says. At most
/// 10 requests are under way at the same time, pauses included; others wait for their turn. All of
/// that can be set.
///
/// The key is sent to the provider and shown nowhere. TLS trusts what the system trusts; no
/// cryptography provider is installed for the process.
///
/// # Examples
///
/// ```
/// use memory_core::RemoteCounter;
/// use tokens::ProviderCounter;
///
/// let counter = ProviderCounter::anthropic("claude-sonnet-4-5", "the key")
///     .base_url("http://127.0.0.1:8080/gateway")
///     .build()?;
/// assert_eq!(counter.id().as_str(), "anthropic:claude-sonnet-4-5");
/// assert!(!format!("{counter:?}").contains("the key"));
/// # Ok::<(), tokens::RemoteError>(())
/// ```
#[derive(Debug)]
pub struct ProviderCounter {
    id: CounterId,
    model: String,
    client: Client,
    retry: Retry,
    turns: Semaphore,
    framing: OnceCell<u64>,
}

impl ProviderCounter {
    /// Asks Anthropic's interface: `POST /v1/messages/count_tokens`.
    pub fn anthropic(model: impl Into<String>, key: impl Into<String>) -> ProviderBuilder {
        ProviderBuilder::new(Provider::Anthropic, model.into(), key.into())
    }

    /// Asks Gemini's interface: `POST /v1beta/models/{model}:countTokens`.
    pub fn gemini(model: impl Into<String>, key: impl Into<String>) -> ProviderBuilder {
        ProviderBuilder::new(Provider::Gemini, model.into(), key.into())
    }

    pub(super) fn new(
        id: CounterId,
        model: String,
        client: Client,
        retry: Retry,
        concurrency: usize,
    ) -> Self {
        let turns = Semaphore::new(concurrency);
        Self { id, model, client, retry, turns, framing: OnceCell::new() }
    }

    async fn tokens(&self, text: &str) -> Result<u64, RemoteError> {
        let learn = || async {
            let figure = self.figure(ONE_TOKEN).await?;
            Ok::<_, RemoteError>(figure.saturating_sub(1))
        };
        let framing = *self.framing.get_or_try_init(learn).await?;
        Ok(self.figure(text).await?.saturating_sub(framing).max(1))
    }

    /// The provider's figure, after as many attempts as are allowed.
    async fn figure(&self, text: &str) -> Result<u64, RemoteError> {
        // Nobody closes it, so a turn always comes.
        let _turn = self.turns.acquire().await.ok();
        let mut attempt = 0;
        loop {
            let error = match self.client.figure(&self.model, text).await {
                Ok(figure) => return Ok(figure),
                Err(error) => error,
            };
            let pause = self.retry.pause(attempt, error.retry_after(), fastrand::f64());
            let Some(pause) = pause.filter(|_| error.is_retryable()) else { return Err(error) };
            sleep(pause).await;
            attempt += 1;
        }
    }
}

#[async_trait]
impl RemoteCounter for ProviderCounter {
    fn id(&self) -> &CounterId {
        &self.id
    }

    async fn count(&self, text: &str) -> Result<usize, CountError> {
        if text.is_empty() {
            return Ok(0);
        }
        match self.tokens(text).await {
            Ok(tokens) => Ok(usize::try_from(tokens).unwrap_or(usize::MAX)),
            Err(error) => {
                Err(CountError::Failed { counter: self.id.clone(), source: Box::new(error) })
            }
        }
    }
}
