//! What is known of OpenAI's models, as data.
//!
//! Source: the table of tiktoken, OpenAI's own tokeniser, for encodings that this crate ships. It
//! takes a fine-tuned `gpt-4.1` for a `gpt-4`; here it has the encoding of what it was made of.

use memory_core::Framing;

use crate::counters::Encoding::{self, Cl100kBase, O200kBase, O200kHarmony};

/// Models whose names begin alike and that share an encoding.
#[derive(Debug)]
pub(super) struct Family {
    /// The name of its first model, which those of the others continue.
    pub(super) name: &'static str,
    pub(super) encoding: Encoding,
    /// What may follow the name.
    follows: &'static [char],
}

impl Family {
    pub(super) fn has(&self, model: &str) -> bool {
        model
            .strip_prefix(self.name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(self.follows))
    }
}

const fn family(name: &'static str, encoding: Encoding) -> Family {
    Family { name, encoding, follows: &['-'] }
}

/// Every family; of several that a name belongs to, the one with the longest name holds.
pub(super) const FAMILIES: &[Family] = &[
    // Models that think first.
    family("o1", O200kBase),
    family("o3", O200kBase),
    family("o4-mini", O200kBase),
    family("codex-mini", O200kBase),
    // Chat. What comes after gpt-5 has kept its encoding so far: gpt-5.1, gpt-5.2.
    Family { name: "gpt-5", encoding: O200kBase, follows: &['-', '.'] },
    family("gpt-4.5", O200kBase),
    family("gpt-4.1", O200kBase),
    family("gpt-4o", O200kBase),
    family("chatgpt-4o", O200kBase),
    family("gpt-4", Cl100kBase),
    family("gpt-3.5", Cl100kBase),
    // The name of gpt-3.5-turbo on Azure.
    family("gpt-35-turbo", Cl100kBase),
    // Open weights.
    family("gpt-oss", O200kHarmony),
    // Base models.
    family("davinci-002", Cl100kBase),
    family("babbage-002", Cl100kBase),
    // Embeddings.
    family("text-embedding-ada-002", Cl100kBase),
    family("text-embedding-3-small", Cl100kBase),
    family("text-embedding-3-large", Cl100kBase),
];

/// The models that are framed otherwise than [`Framing::default`] says.
pub(super) const FRAMINGS: &[(&str, Framing)] = &[
    ("gpt-3.5-turbo-0301", Framing::openai_chat_0301()),
    ("gpt-35-turbo-0301", Framing::openai_chat_0301()),
];
