//! Texts whose counts were made with OpenAI's reference implementation.

use std::path::Path;

use memory_core::TokenCounter;
use serde_json::Value;
use tokens::BpeCounter;

/// Written by `vectors.py`.
const VECTORS: &str = "tests/reference/vectors.jsonl";

fn vectors() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(VECTORS);
    let vectors = std::fs::read_to_string(path).unwrap();
    vectors.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_counters_and_what_they_are_compared_with_equal_the_reference() {
    let oracles = [bpe_openai::o200k_base(), bpe_openai::cl100k_base()];
    let counters = [BpeCounter::o200k_base(), BpeCounter::cl100k_base()];
    let vectors = vectors();
    assert!(vectors.len() > 500, "{}", vectors.len());
    for vector in &vectors {
        let text = vector["text"].as_str().unwrap();
        for (oracle, counter) in oracles.iter().zip(&counters) {
            let expected =
                usize::try_from(vector[counter.id().as_str()].as_u64().unwrap()).unwrap();
            assert_eq!(oracle.count(text), expected, "{}, oracle: {text:?}", counter.id());
            assert_eq!(counter.count(text).unwrap(), expected, "{}: {text:?}", counter.id());
        }
    }
}
