//! Looking a model up.

use memory_core::Framing;

use super::table;
use crate::counters::Encoding;

/// The encoding and the framing of OpenAI's model of this name.
pub(crate) fn find(name: &str) -> Option<(Encoding, Framing)> {
    let model = base(name);
    let longest =
        |left: &&table::Family, right: &&table::Family| left.name.len().cmp(&right.name.len());
    let family = table::FAMILIES.iter().filter(|family| family.has(model)).max_by(longest)?;
    let framing = table::FRAMINGS.iter().find(|(exception, _)| *exception == model);
    Some((family.encoding, framing.map_or_else(Framing::default, |(_, framing)| framing.clone())))
}

/// The names of the families of models that are known.
pub(crate) fn names<'a>() -> impl Iterator<Item = &'a str> {
    table::FAMILIES.iter().map(|family| family.name)
}

/// The model that a fine-tuned one was made of: `ft:gpt-4o-mini:team::id` is a `gpt-4o-mini`.
fn base(name: &str) -> &str {
    name.strip_prefix("ft:").map_or(name, |tuned| tuned.split(':').next().unwrap_or(tuned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_its_encoding_and_its_framing() {
        let check = |name: &str, encoding: &str| {
            let (found, framing) = find(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(found.name(), encoding, "{name}");
            assert_eq!(framing, Framing::openai_chat_1(), "{name}");
        };
        for name in [
            "gpt-4o",
            "gpt-4o-2024-08-06",
            "gpt-4o-mini",
            "chatgpt-4o-latest",
            "ft:gpt-4o-mini-2024-07-18:team::abc",
            "ft:gpt-4.1-mini-2025-04-14:team:suffix:abc",
            "o1",
            "o1-preview-2024-09-12",
            "o3",
            "o3-mini",
            "o4-mini",
            "o4-mini-2025-04-16",
            "gpt-4.1",
            "gpt-4.1-nano",
            "gpt-4.5-preview",
            "gpt-5",
            "gpt-5-mini",
            "gpt-5.1",
            "codex-mini-latest",
        ] {
            check(name, "o200k_base");
        }
        for name in ["gpt-oss", "gpt-oss-20b", "gpt-oss-120b"] {
            check(name, "o200k_harmony");
        }
        for name in [
            "gpt-4",
            "gpt-4-0314",
            "gpt-4-32k",
            "gpt-4-turbo-2024-04-09",
            "ft:gpt-4-0613:team::abc",
            "gpt-3.5",
            "gpt-3.5-turbo",
            "gpt-3.5-turbo-0613",
            "gpt-35-turbo-16k",
            "ft:gpt-3.5-turbo-0125:team::abc",
            "davinci-002",
            "ft:babbage-002",
            "text-embedding-ada-002",
            "text-embedding-3-small",
            "text-embedding-3-large",
        ] {
            check(name, "cl100k_base");
        }
    }

    #[test]
    fn one_snapshot_is_framed_in_another_way() {
        for name in ["gpt-3.5-turbo-0301", "gpt-35-turbo-0301"] {
            let (encoding, framing) = find(name).unwrap();
            assert_eq!(encoding, Encoding::Cl100kBase);
            assert_eq!(framing, Framing::openai_chat_0301());
        }
    }

    #[test]
    fn other_names_are_no_models() {
        for name in
            ["", "gpt", "gpt-4.7", "gpt-4op", "o4", "o1x", "ft:", "ft:me", "text-davinci-003"]
        {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
