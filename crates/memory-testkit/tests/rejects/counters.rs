//! A broken counter for each line of the contract.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use memory_core::{CountError, CounterId, TextCount, TokenCounter};
use memory_testkit::counter;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    CountsTheEmptyText,
    ChangesItsId,
    Forgets,
    DependsOnTheThread,
    PromisesTooLowABound,
    KnowsSpecialTokens,
    PanicsOnBlanks,
    PanicsInItsBound,
    ContradictsItself,
    CutsWhereTokensEnd,
    CutsAtTheEnd,
    CutsInACharacter,
}

/// Counts each byte as a token, but for its fault.
#[derive(Debug)]
struct Bytes {
    fault: Fault,
    ids: [CounterId; 2],
    calls: AtomicUsize,
    home: ThreadId,
}

impl Bytes {
    fn with(fault: Fault) -> Self {
        let ids = ["bytes", "octets"].map(|id| CounterId::new(id).unwrap());
        Self { fault, ids, calls: AtomicUsize::new(0), home: thread::current().id() }
    }
}

impl TokenCounter for Bytes {
    fn id(&self) -> &CounterId {
        let later = self.calls.load(Ordering::Relaxed) % 2 == 1;
        &self.ids[usize::from(later && self.fault == Fault::ChangesItsId)]
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(match self.fault {
            // The mark between two lines is counted for neither of them.
            Fault::CutsWhereTokensEnd => text.len() - text.matches("\r\n").count(),
            Fault::CountsTheEmptyText => text.len() + 1,
            Fault::Forgets if !text.is_empty() => text.len() + calls,
            Fault::DependsOnTheThread if thread::current().id() != self.home => text.len() * 2,
            Fault::KnowsSpecialTokens => text.replace("<|endoftext|>", "!").len(),
            Fault::PanicsOnBlanks => {
                assert!(!text.contains(&" ".repeat(1000)), "the stack is full");
                text.len()
            }
            _ => text.len(),
        })
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        let tokens = self.count(text)?;
        Ok(TextCount::from(tokens + usize::from(self.fault == Fault::ContradictsItself)))
    }

    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        let between = |at: &usize| text.is_char_boundary(*at);
        match self.fault {
            Fault::CutsWhereTokensEnd => {
                text.find("\r\n").map(|at| at + 1).filter(|at| *at >= near)
            }
            Fault::CutsAtTheEnd => Some(text.len()),
            Fault::CutsInACharacter => (near.max(1)..text.len()).find(|at| !between(at)),
            _ => (near.max(1)..text.len()).find(between),
        }
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(match self.fault {
            Fault::PromisesTooLowABound => text.chars().count(),
            Fault::PanicsInItsBound => text.split_at(text.len().min(1)).1.len() + 1,
            _ => text.len(),
        })
    }
}

#[test]
fn a_counter_that_keeps_the_contract_passes() {
    counter::all(&Bytes::with(Fault::None)).unwrap();
}

#[test]
fn each_broken_counter_is_rejected_by_the_line_that_it_breaks() {
    let check = |fault: Fault, expected: &str| {
        let failures = counter::all(&Bytes::with(fault)).unwrap_err();
        let names: Vec<_> = failures.broken().map(|(name, _)| name).collect();
        assert!(names.contains(&expected), "{fault:?}: {failures}");
    };
    check(Fault::CountsTheEmptyText, "the_empty_text_has_no_tokens");
    check(Fault::ChangesItsId, "the_id_is_stable");
    check(Fault::Forgets, "counting_is_deterministic");
    check(Fault::DependsOnTheThread, "threads_agree");
    check(Fault::PromisesTooLowABound, "bounds_hold");
    check(Fault::KnowsSpecialTokens, "special_tokens_are_ordinary_text");
    check(Fault::PanicsOnBlanks, "no_text_panics");
    check(Fault::PanicsInItsBound, "no_text_panics");
    check(Fault::ContradictsItself, "both_ways_to_count_agree");
    check(Fault::CutsWhereTokensEnd, "safe_cuts_add_up");
    check(Fault::CutsAtTheEnd, "safe_cuts_add_up");
    check(Fault::CutsInACharacter, "safe_cuts_add_up");
}

#[test]
fn a_counter_that_counts_otherwise_is_rejected_by_vectors() {
    let bytes = Bytes::with(Fault::None);
    counter::equals(&bytes, [("", 0), ("é", 2)]).unwrap();
    assert!(counter::equals(&bytes, [("", 0), ("é", 1)]).is_err());
}
