//! A `tokenizer.json` for `o200k_base`, built from bpe-openai's vocabulary.
//!
//! That vocabulary is a list of byte strings in the order of their ranks. The file wants the
//! merges instead: which two tokens each token is made of. They are found by merging a token's own
//! bytes with the tokens of lower rank only, until two parts are left.

use std::collections::HashMap;

use bpe_openai::Tokenizer;
use serde_json::{Value, json};

use super::outcome::Outcome;

/// How `o200k_base` splits a text before it merges.
const PATTERN: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"|\s*[\r\n]+",
    r"|\s+(?!\S)",
    r"|\s+",
);

/// The file's content.
pub(crate) fn o200k_base() -> Outcome<String> {
    let tokens = tokens(bpe_openai::o200k_base());
    let ranks: HashMap<&[u8], u32> = tokens.iter().map(Vec::as_slice).zip(0..).collect();
    let letters = letters();
    let spell =
        |bytes: &[u8]| bytes.iter().map(|byte| letters[usize::from(*byte)]).collect::<String>();
    let mut merges = Vec::with_capacity(tokens.len());
    for (token, rank) in tokens.iter().zip(0..) {
        if token.len() > 1 {
            let middle = middle(token, rank, &ranks).ok_or("a token is no merge of two others")?;
            merges.push(json!([spell(&token[..middle]), spell(&token[middle..])]));
        }
    }
    let vocabulary: serde_json::Map<String, Value> =
        tokens.iter().zip(0_u32..).map(|(token, rank)| (spell(token), rank.into())).collect();
    let split = json!({
        "type": "Split",
        "pattern": { "Regex": PATTERN },
        "behavior": "Isolated",
        "invert": false,
    });
    let bytes = json!({
        "type": "ByteLevel",
        "add_prefix_space": false,
        "trim_offsets": true,
        "use_regex": false,
    });
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [split, bytes] },
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": true,
            "vocab": vocabulary,
            "merges": merges,
        },
    });
    Ok(file.to_string())
}

fn tokens(tokenizer: &Tokenizer) -> Vec<Vec<u8>> {
    let bpe = &tokenizer.bpe;
    // There are far fewer than 2^32 tokens.
    let count = u32::try_from(bpe.num_tokens()).unwrap_or(u32::MAX);
    (0..count).map(|rank| bpe.token_bytes(rank).to_vec()).collect()
}

/// Where the last merge that makes a token joins its two parts.
fn middle(token: &[u8], rank: u32, ranks: &HashMap<&[u8], u32>) -> Option<usize> {
    // The starts of the parts, and the end.
    let mut edges: Vec<usize> = (0..=token.len()).collect();
    while edges.len() > 3 {
        let joined = |place: &usize| ranks.get(&token[edges[*place]..edges[*place + 2]]).copied();
        let places = (0..edges.len() - 2).filter_map(|place| Some((joined(&place)?, place)));
        let (_, place) = places.filter(|(joined, _)| *joined < rank).min()?;
        edges.remove(place + 1);
    }
    Some(edges[1])
}

/// The letter that stands for each byte in such files: itself where it can be seen, another else.
fn letters() -> Vec<char> {
    let mut others = 0x100..;
    let letter = |byte: u8| match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
        _ => others.next().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    (0..=u8::MAX).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_letters_that_such_files_give_them() {
        let letters = letters();
        assert_eq!((letters[usize::from(b'a')], letters[usize::from(b' ')]), ('a', 'Ġ'));
        assert_eq!((letters[0], letters[usize::from(b'\n')], letters[0xad]), ('Ā', 'Ċ', 'Ń'));
    }

    #[test]
    fn a_token_is_split_where_its_last_merge_joins_it() {
        let tokens: [&[u8]; 6] = [b"a", b"b", b"c", b"bc", b"ab", b"abc"];
        let ranks: HashMap<&[u8], u32> = tokens.into_iter().zip(0..).collect();
        assert_eq!(middle(b"abc", 5, &ranks), Some(1), "b and c merge before a and b");
        assert_eq!(middle(b"ab", 4, &ranks), Some(1));
        assert_eq!(middle(b"xyz", 9, &ranks), None);
    }
}
