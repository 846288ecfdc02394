//! Texts that are made to be slow.

use memory_core::TokenCounter;
use tokens::BpeCounter;

use super::clock::processor_time;
use super::settings::Settings;
use crate::ledger::{Goal, Outcome, Reference, Section, Series, microseconds, ratios};

const MEGABYTE: usize = 1_000_000;

/// Gives the next piece of a text.
type Next = fn(&mut fastrand::Rng) -> String;

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Each hostile text by its name.
const TEXTS: [(&str, Next); 13] = [
    ("one letter", |_| "a".to_owned()),
    ("spaces", |_| " ".to_owned()),
    ("newlines", |_| "\n".to_owned()),
    ("tabs", |_| "\t".to_owned()),
    ("base64", |random| char::from(BASE64[random.usize(..BASE64.len())]).to_string()),
    ("digits", |random| random.digit(10).to_string()),
    ("ab", |_| "ab".to_owned()),
    ("random letters", |random| random.lowercase().to_string()),
    ("random capitals", |random| random.uppercase().to_string()),
    ("random Han", |random| random.char('\u{4e00}'..'\u{9fff}').to_string()),
    ("random Hangul", |random| random.char('\u{ac00}'..'\u{d7a3}').to_string()),
    ("emoji with joiners", |_| "👩\u{200d}👩\u{200d}👧\u{200d}".to_owned()),
    ("combining marks", |random| random.char('\u{300}'..'\u{36f}').to_string()),
];

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let bytes = settings.common.amount(MEGABYTE, 1000);
    let counters = [BpeCounter::o200k_base(), BpeCounter::cl100k_base()];
    let mut reference = Reference::new();
    let (mut verdicts, mut series) = (Vec::new(), Vec::new());
    for counter in &counters {
        counter.count("load the vocabulary")?;
        for (name, next) in TEXTS {
            let name = format!("{}, {name}", counter.id());
            let mut one = Series::new(&format!("{name}, 1 MB"), "ms");
            let mut two = Series::new(&format!("{name}, 2 MB"), "ms");
            for round in 0..settings.common.rounds {
                settings.common.begin_round(&mut reference)?;
                let mut random = fastrand::Rng::with_seed(round as u64);
                one.rounds.push(time(counter, &text(next, bytes, &mut random))?);
                two.rounds.push(time(counter, &text(next, 2 * bytes, &mut random))?);
            }
            let ratio = ratios(&format!("{name}, twice the length"), &two, &one);
            verdicts.push(one.verdict(&format!("{name}, 1 MB"), Some(Goal::AtMost(250.0))));
            verdicts
                .push(ratio.verdict(&format!("{name}, twice the length"), Some(Goal::AtMost(3.0))));
            series.extend([one, two, ratio]);
        }
    }
    series.push(reference.into_series());
    Ok(Section {
        name: String::new(),
        title: "Hostile texts".to_owned(),
        method: "Texts of 1 and 2 MB in one call, on one thread; the time is that for which the \
                 thread had a processor. Where the time grows with the length and no faster, twice \
                 the length takes twice the time."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts,
        series,
    })
}

fn text(next: Next, bytes: usize, random: &mut fastrand::Rng) -> String {
    let mut text = String::with_capacity(bytes + 32);
    while text.len() < bytes {
        text.push_str(&next(random));
    }
    text
}

fn time(counter: &BpeCounter, text: &str) -> Outcome<f64> {
    let start = processor_time()?;
    counter.count(text)?;
    Ok(microseconds(processor_time()?.saturating_sub(start)) / 1e3)
}
