//! The lines of a counter's contract.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use memory_core::{CountError, TokenCounter};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::hostile::{SPECIAL, hostile_text, hostile_texts};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// Random texts that each check draws on top of the fixed ones.
const RANDOM_TEXTS: usize = 200;

/// Longer texts are not cut by the check, to bound its time.
const LONGEST_CUT: usize = 10_000;

/// What no vocabulary has, in the form of a special token.
const ORDINARY: &str = "<|qzxvwjkk|>";

/// The empty text has no tokens.
pub fn the_empty_text_has_no_tokens(counter: &dyn TokenCounter) -> Verdict {
    ensure_eq!(counter.count("")?, 0, "tokens of the empty text");
    Ok(())
}

/// The id is not empty, and the same at every call.
pub fn the_id_is_stable(counter: &dyn TokenCounter) -> Verdict {
    let id = counter.id().clone();
    for text in ["", "a", "a longer text"] {
        counter.count(text)?;
        ensure_eq!(counter.id(), &id, "the id after a count");
    }
    ensure!(!id.as_str().is_empty(), "the id is empty");
    Ok(())
}

/// The same text has the same count, whatever was counted in between.
pub fn counting_is_deterministic(counter: &dyn TokenCounter) -> Verdict {
    let texts = texts();
    let first = counts(counter, &texts)?;
    for (text, first) in texts.iter().zip(&first).rev() {
        ensure_eq!(counter.count(text)?, *first, "a second count of {}", shown(text));
    }
    Ok(())
}

/// Threads that count at once come to the same counts.
pub fn threads_agree(counter: &dyn TokenCounter) -> Verdict {
    let texts = texts();
    let expected = counts(counter, &texts)?;
    let found: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| counts(counter, &texts))).collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for found in found {
        let found = found.map_err(|_| Violation::new("a count on another thread panicked"))??;
        let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        if let Some(index) = differs {
            let text = shown(&texts[index]);
            ensure_eq!(found[index], expected[index], "a count on another thread of {text}");
        }
    }
    Ok(())
}

/// No text has more tokens than its upper bound, where one is given.
pub fn bounds_hold(counter: &dyn TokenCounter) -> Verdict {
    for text in texts() {
        if let Some(bound) = counter.upper_bound(&text) {
            let count = counter.count(&text)?;
            ensure!(count <= bound, "{count} tokens over the bound {bound}: {}", shown(&text));
        }
    }
    Ok(())
}

/// A count that says who counted has the same tokens as one that does not.
pub fn both_ways_to_count_agree(counter: &dyn TokenCounter) -> Verdict {
    for text in texts() {
        let tokens = counter.count_text(&text)?.tokens;
        ensure_eq!(tokens, counter.count(&text)? as u64, "tokens of {}", shown(&text));
    }
    Ok(())
}

/// A safe cut lies inside the text and between two characters, not before the place that was asked
/// for, and the counts of both parts add up to that of the whole.
pub fn safe_cuts_add_up(counter: &dyn TokenCounter) -> Verdict {
    for text in texts().into_iter().filter(|text| text.len() < LONGEST_CUT) {
        for near in [0, text.len() / 3, text.len() / 2, text.len()] {
            let Some(cut) = counter.safe_cut(&text, near) else { continue };
            let is_inside = (near.max(1)..text.len()).contains(&cut);
            ensure!(is_inside, "a cut at {cut}, asked for at {near}, of {}", shown(&text));
            ensure!(
                text.is_char_boundary(cut),
                "a cut in a character at {cut} of {}",
                shown(&text)
            );
            let (before, after) = text.split_at(cut);
            let parts = counter.count(before)?.saturating_add(counter.count(after)?);
            ensure_eq!(parts, counter.count(&text)?, "both sides of {cut} of {}", shown(&text));
        }
    }
    Ok(())
}

/// What looks like a special token is counted as the characters that it is.
///
/// A made-up name between the same marks shows what characters of this kind cost. A special token
/// costs one or nothing where those cost more, alone or inside a text.
pub fn special_tokens_are_ordinary_text(counter: &dyn TokenCounter) -> Verdict {
    let around = |text: &str| format!("before {text} after");
    let apart = counter.count(&around(""))?;
    for special in SPECIAL {
        for (what, ordinary, apart) in [
            ((*special).to_owned(), ORDINARY.to_owned(), 0),
            (around(special), around(ORDINARY), apart),
        ] {
            let cost = counter.count(&what)?.saturating_sub(apart);
            let usual = counter.count(&ordinary)?.saturating_sub(apart);
            ensure!(
                cost > 1 || usual <= cost,
                "{special} is counted as {cost}: as a special token, and {ORDINARY} as {usual}"
            );
        }
    }
    Ok(())
}

/// Every text has a count; none makes the counter panic.
pub fn no_text_panics(counter: &dyn TokenCounter) -> Verdict {
    for text in texts() {
        let outcome = catch_unwind(AssertUnwindSafe(|| counter.count(&text)));
        match outcome {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(Violation::new(format!("a panic at {}", shown(&text)))),
        }
        let bounded = catch_unwind(AssertUnwindSafe(|| counter.upper_bound(&text)));
        ensure!(bounded.is_ok(), "a panic of the upper bound at {}", shown(&text));
    }
    Ok(())
}

/// The fixed hostile texts, ordinary ones, and random ones that are the same in each run.
fn texts() -> Vec<String> {
    let mut texts = hostile_texts();
    texts.extend(
        [
            "a",
            "Hello, world!",
            "two words",
            "fn main() { println!(\"hi\"); }",
            "naïve café",
            "日本語",
        ]
        .map(str::to_owned),
    );
    let mut runner = TestRunner::deterministic();
    let random = (0..RANDOM_TEXTS).filter_map(|_| hostile_text().new_tree(&mut runner).ok());
    texts.extend(random.map(|tree| tree.current()));
    texts
}

fn counts(counter: &dyn TokenCounter, texts: &[String]) -> Result<Vec<usize>, CountError> {
    texts.iter().map(|text| counter.count(text)).collect()
}

/// A text as far as an error should show it.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    format!("{start:?} ({} bytes)", text.len())
}
