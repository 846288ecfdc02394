//! The encodings, and the one place that knows which crate counts them.

use bpe_openai::Tokenizer;

use crate::error::UnknownEncoding;

/// An encoding whose vocabulary this crate ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    O200kBase,
    Cl100kBase,
}

/// The least likeness, from 0 to 1, for a name to be offered in place of another.
const NEAR: f64 = 0.75;

impl Encoding {
    const ALL: [Self; 2] = [Self::O200kBase, Self::Cl100kBase];
    pub(super) const NAMES: &'static [&'static str] =
        &[Self::O200kBase.name(), Self::Cl100kBase.name()];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::Cl100kBase => "cl100k_base",
        }
    }

    pub(super) fn by_name(name: &str) -> Result<Self, UnknownEncoding> {
        Self::ALL.into_iter().find(|encoding| encoding.name() == name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            UnknownEncoding { nearest: nearest(&name), name, known: Self::NAMES }
        })
    }

    /// Counts the tokens of `text`, all of it as ordinary text.
    ///
    /// The first call for an encoding, on any thread, reads its vocabulary, which takes some tens
    /// of milliseconds; calls on other threads wait for it.
    pub(super) fn count(self, text: &str) -> usize {
        self.tokenizer().count(text)
    }

    fn tokenizer(self) -> &'static Tokenizer {
        match self {
            Self::O200kBase => bpe_openai::o200k_base(),
            Self::Cl100kBase => bpe_openai::cl100k_base(),
        }
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    Encoding::NAMES
        .iter()
        .map(|known| (strsim::jaro_winkler(&name, known), *known))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_told_with_what_is_near() {
        let check = |name: &str, nearest: Option<&str>| {
            let error = Encoding::by_name(name).unwrap_err();
            assert_eq!(error.nearest(), nearest, "{name}");
            let text = error.to_string();
            assert!(text.contains("o200k_base, cl100k_base"), "{text}");
            assert_eq!(text.contains("did you mean"), nearest.is_some(), "{text}");
        };
        check("o200k", Some("o200k_base"));
        check("O200K_BASE", Some("o200k_base"));
        check("cl100kbase", Some("cl100k_base"));
        check("", None);
        check("zzz", None);
    }

    #[test]
    fn a_long_name_is_cut_in_the_error() {
        assert_eq!(Encoding::by_name(&"é".repeat(1000)).unwrap_err().name().chars().count(), 64);
    }

    #[test]
    fn every_encoding_is_found_by_its_name() {
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::by_name(encoding.name()), Ok(encoding));
        }
        assert_eq!(Encoding::NAMES.len(), Encoding::ALL.len());
    }
}
