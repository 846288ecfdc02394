//! The forms in which providers are asked and answer.

use serde_json::{Value, json};

use super::error::RemoteError;

/// A provider's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    Anthropic,
    Gemini,
}

/// The version of Anthropic's interface that the form is of.
const ANTHROPIC_VERSION: &str = "2023-06-01";

impl Provider {
    /// The name that a counter's id begins with.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    pub(super) fn base_url(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::Gemini => "https://generativelanguage.googleapis.com",
        }
    }

    pub(super) fn path(self, model: &str) -> String {
        match self {
            Self::Anthropic => "/v1/messages/count_tokens".to_owned(),
            Self::Gemini => format!("/v1beta/models/{model}:countTokens"),
        }
    }

    /// The header that holds the key.
    pub(super) fn key_header(self) -> &'static str {
        match self {
            Self::Anthropic => "x-api-key",
            Self::Gemini => "x-goog-api-key",
        }
    }

    /// The other headers of a request.
    pub(super) fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Anthropic => &[("anthropic-version", ANTHROPIC_VERSION)],
            Self::Gemini => &[],
        }
    }

    /// The request for the tokens of one user message with this text.
    pub(super) fn request(self, model: &str, text: &str) -> Value {
        match self {
            Self::Anthropic => {
                json!({"model": model, "messages": [{"role": "user", "content": text}]})
            }
            Self::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        }
    }

    /// The tokens in an answer.
    pub(super) fn tokens(self, answer: &[u8]) -> Result<u64, RemoteError> {
        let (field, missing) = match self {
            Self::Anthropic => ("input_tokens", "it has no number `input_tokens`"),
            Self::Gemini => ("totalTokens", "it has no number `totalTokens`"),
        };
        let answer: Value = serde_json::from_slice(answer)
            .map_err(|_| RemoteError::Answer { reason: "it is not JSON" })?;
        let tokens = answer.get(field).and_then(Value::as_u64);
        tokens.ok_or(RemoteError::Answer { reason: missing })
    }
}
