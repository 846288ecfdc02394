//! What came before a byte, as far as it matters for tokens.
//!
//! A tokenizer first cuts a text into words, numbers of three digits, runs of punctuation and
//! blanks, and then looks each of them up. The automaton follows these cuts roughly: its state
//! says what kind of run a byte stands in and how long that run is by now. Each step has a
//! feature, and each feature a weight: the tokens that such a byte adds on average.

use super::class::{
    APOSTROPHE, BRACKET, CONTINUATION, CONTROL, DIGIT, FIRST_SCRIPT, LOWER, NEWLINE, SCRIPTS,
    SPACE, STOP, SYMBOL, TAB, UPPER,
};

/// A run of one kind, with as many states as lengths that are told apart.
struct Run {
    first: u8,
    longest: u8,
}

impl Run {
    /// How long the run is in `state`, from 1; 0 where the state is of another run.
    fn length(&self, state: u8) -> u8 {
        if state >= self.first && state < self.first + self.longest {
            state - self.first + 1
        } else {
            0
        }
    }

    /// The state after one more byte of the run.
    fn grown(&self, state: u8) -> u8 {
        let length = self.length(state);
        self.first + if length < self.longest { length } else { self.longest - 1 }
    }

    const fn after(first: &Self, longest: u8) -> Self {
        Self { first: first.first + first.longest, longest }
    }
}

/// The state before the first byte.
pub(crate) const START: u8 = 0;

const LOWERS: Run = Run { first: 1, longest: 8 };
const UPPERS: Run = Run::after(&LOWERS, 4);
/// Three digits are a token, so the fourth begins anew.
const DIGITS: Run = Run::after(&UPPERS, 3);
const SPACES: Run = Run::after(&DIGITS, 4);
const NEWLINES: Run = Run::after(&SPACES, 2);
const TABS: Run = Run::after(&NEWLINES, 1);
const APOSTROPHES: Run = Run::after(&TABS, 1);
const STOPS: Run = Run::after(&APOSTROPHES, 2);
const BRACKETS: Run = Run::after(&STOPS, 2);
const SYMBOLS: Run = Run::after(&BRACKETS, 3);
const CONTROLS: Run = Run::after(&SYMBOLS, 1);
const SCRIPT_RUN: u8 = 4;
const FIRST_SCRIPT_STATE: u8 = CONTROLS.first + CONTROLS.longest;

/// States that occur.
pub(crate) const STATES: usize = FIRST_SCRIPT_STATE as usize + SCRIPTS * SCRIPT_RUN as usize;

/// What came before, where a byte begins a run of another kind.
const CONTEXTS: u8 = 13;

fn context(state: u8) -> u8 {
    if state >= FIRST_SCRIPT_STATE {
        // Alphabets, then punctuation, then kana, Han and Hangul, then the rest.
        return match (state - FIRST_SCRIPT_STATE) / SCRIPT_RUN {
            0..=6 => 10,
            8..=10 => 11,
            _ => 12,
        };
    }
    match state {
        _ if SPACES.length(state) == 1 => 1,
        _ if LOWERS.length(state) > 0 => 2,
        _ if UPPERS.length(state) > 0 => 3,
        _ if DIGITS.length(state) > 0 => 4,
        _ if APOSTROPHES.length(state) > 0 => 5,
        _ if STOPS.length(state) > 0 => 6,
        _ if BRACKETS.length(state) > 0 => 7,
        _ if SYMBOLS.length(state) > 0 => 8,
        _ if CONTROLS.length(state) > 0 => 9,
        // The beginning and blanks of other kinds.
        _ => 0,
    }
}

/// The features of each class of bytes follow one another: those that continue a run, then those
/// that begin one.
const LOWER_FEATURES: u8 = 1;
const UPPER_FEATURES: u8 = LOWER_FEATURES + LOWERS.longest + UPPERS.longest + CONTEXTS;
const DIGIT_FEATURES: u8 = UPPER_FEATURES + UPPERS.longest + CONTEXTS;
const SPACE_FEATURES: u8 = DIGIT_FEATURES + DIGITS.longest + CONTEXTS;
const NEWLINE_FEATURES: u8 = SPACE_FEATURES + SPACES.longest + CONTEXTS;
const TAB_FEATURES: u8 = NEWLINE_FEATURES + NEWLINES.longest + 1 + CONTEXTS;
const APOSTROPHE_FEATURES: u8 = TAB_FEATURES + 2;
const STOP_FEATURES: u8 = APOSTROPHE_FEATURES + CONTEXTS;
const BRACKET_FEATURES: u8 = STOP_FEATURES + STOPS.longest + CONTEXTS;
const SYMBOL_FEATURES: u8 = BRACKET_FEATURES + BRACKETS.longest + CONTEXTS;
const CONTROL_FEATURES: u8 = SYMBOL_FEATURES + SYMBOLS.longest + CONTEXTS;
const SCRIPT_FEATURES: u8 = CONTROL_FEATURES + 1;
/// Going on in a run, beginning one after a space, and beginning one elsewhere.
const FEATURES_PER_SCRIPT: u8 = SCRIPT_RUN + 2;

/// How many features there are. Feature 0 is that of a byte that adds nothing.
pub(crate) const FEATURES: usize =
    SCRIPT_FEATURES as usize + SCRIPTS * FEATURES_PER_SCRIPT as usize;

/// The state after a byte of this class, and the feature of the step.
pub(crate) fn step(state: u8, class: u8) -> (u8, u8) {
    match class {
        LOWER => lower(state),
        UPPER => run(&UPPERS, state, UPPER_FEATURES),
        DIGIT => digit(state),
        SPACE => run(&SPACES, state, SPACE_FEATURES),
        NEWLINE => newline(state),
        TAB => (TABS.first, TAB_FEATURES + u8::from(TABS.length(state) == 0)),
        APOSTROPHE => (APOSTROPHES.first, APOSTROPHE_FEATURES + context(state)),
        STOP => run(&STOPS, state, STOP_FEATURES),
        BRACKET => run(&BRACKETS, state, BRACKET_FEATURES),
        SYMBOL => run(&SYMBOLS, state, SYMBOL_FEATURES),
        CONTROL => (CONTROLS.first, CONTROL_FEATURES),
        CONTINUATION => (state, 0),
        _ => script(state, class - FIRST_SCRIPT),
    }
}

/// A byte that continues its run or begins one.
fn run(run: &Run, state: u8, features: u8) -> (u8, u8) {
    let length = run.length(state);
    let feature = if length > 0 { length - 1 } else { run.longest + context(state) };
    (run.grown(state), features + feature)
}

/// A lower-case letter continues a word that began with capitals.
fn lower(state: u8) -> (u8, u8) {
    let capitals = UPPERS.length(state);
    if capitals == 0 {
        let (next, feature) = run(&LOWERS, state, LOWER_FEATURES);
        let begins = LOWERS.length(state) == 0;
        return (next, feature + if begins { UPPERS.longest } else { 0 });
    }
    (LOWERS.first + 1, LOWER_FEATURES + LOWERS.longest + capitals - 1)
}

fn digit(state: u8) -> (u8, u8) {
    let (next, feature) = run(&DIGITS, state, DIGIT_FEATURES);
    let full = DIGITS.length(state) == DIGITS.longest;
    (if full { DIGITS.first } else { next }, feature)
}

fn newline(state: u8) -> (u8, u8) {
    let (next, feature) = run(&NEWLINES, state, NEWLINE_FEATURES);
    if NEWLINES.length(state) > 0 {
        return (next, feature);
    }
    // Blanks before the end of a line are one token with it.
    let blank = SPACES.length(state) > 0;
    let feature = if blank { NEWLINE_FEATURES + NEWLINES.longest } else { feature + 1 };
    (next, feature)
}

fn script(state: u8, script: u8) -> (u8, u8) {
    let script = if (script as usize) < SCRIPTS { script } else { 0 };
    let run = Run { first: FIRST_SCRIPT_STATE + script * SCRIPT_RUN, longest: SCRIPT_RUN };
    let length = run.length(state);
    let feature =
        if length > 0 { length - 1 } else { SCRIPT_RUN + u8::from(SPACES.length(state) != 1) };
    (run.grown(state), SCRIPT_FEATURES + script * FEATURES_PER_SCRIPT + feature)
}

#[cfg(test)]
mod tests {
    use super::super::class::class_of;
    use super::*;

    #[test]
    fn every_step_stays_within_states_and_features() {
        let mut seen = [false; FEATURES];
        for state in 0..u8::try_from(STATES).unwrap() {
            for byte in 0..=255 {
                let (next, feature) = step(state, class_of(byte));
                assert!(usize::from(next) < STATES, "{state} {byte}");
                seen[usize::from(feature)] = true;
            }
        }
        let unused: Vec<_> = (0..FEATURES).filter(|feature| !seen[*feature]).collect();
        // A run never begins in itself, so some contexts do not occur for some classes.
        assert!(unused.len() < 24, "{unused:?}");
    }

    #[test]
    fn texts_that_are_cut_alike_have_the_same_features() {
        let features = |text: &str| {
            let mut state = START;
            let mut counts = [0_u32; FEATURES];
            for byte in text.bytes() {
                let (next, feature) = step(state, class_of(byte));
                state = next;
                counts[usize::from(feature)] += 1;
            }
            counts
        };
        let same = |left: &str, right: &str| assert_eq!(features(left), features(right));
        let differ = |left: &str, right: &str| assert_ne!(features(left), features(right));
        same("one two", "abc def");
        same("(12345)", "[90000]");
        same("Привет", "Дорога");
        differ("onetwo", "one two");
        differ("oneTwo", "onetwo");
        differ("123456", "1234567");
        differ("a b", "a  b");
        differ("é", "e");
    }
}
