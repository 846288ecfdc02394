//! Counts one text with every counter and prints how long each took.
//!
//! `competitors TEXT TOKENIZER BYTES FIRST` reads the file `TEXT`, cuts it into messages of `BYTES`
//! bytes, and has every counter count the first half of them untimed and the second half timed,
//! beginning with counter number `FIRST`. `TOKENIZER` is the `tokenizer.json` for the counter that
//! wants one. Each counter gives a line `NAME SECONDS TOKENS BYTES`. A further word is a list of
//! the only counters to run, with commas between them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to people")]

mod counters;

use std::error::Error;
use std::fs::read_to_string;
use std::process::ExitCode;
use std::time::Duration;

use counters::{COUNTERS, Count};
use rustix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("competitors: error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [text, tokenizer, bytes, first, only @ ..] = arguments else {
        return Err("expected TEXT TOKENIZER BYTES FIRST [NAMES]".into());
    };
    let (bytes, first): (usize, usize) = (bytes.parse()?, first.parse()?);
    let text = read_to_string(text)?;
    let messages = messages(&text, bytes);
    let (warming, timed) = messages.split_at(messages.len() / 2);
    let is_wanted =
        |name: &str| only.first().is_none_or(|only| only.split(',').any(|only| only == name));
    for turn in 0..COUNTERS.len() {
        let (name, load) = COUNTERS[(first + turn) % COUNTERS.len()];
        if !is_wanted(name) {
            continue;
        }
        let mut count = load(tokenizer)?;
        sum(&mut count, warming)?;
        let start = processor_time()?;
        let tokens = sum(&mut count, timed)?;
        let seconds = processor_time()?.saturating_sub(start).as_secs_f64();
        let counted: usize = timed.iter().map(|message| message.len()).sum();
        println!("{name} {seconds:.9} {tokens} {counted}");
    }
    Ok(())
}

/// How long this thread has had a processor: what others take does not count.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}

fn sum(count: &mut Count, messages: &[&str]) -> Result<usize, Box<dyn Error>> {
    let mut tokens = 0;
    for message in messages {
        tokens += count(message)?;
    }
    Ok(tokens)
}

/// Cuts a text after so many bytes, or a few more where a character stands in the way.
fn messages(mut text: &str, bytes: usize) -> Vec<&str> {
    let mut messages = Vec::new();
    while !text.is_empty() {
        let (message, rest) = text.split_at(text.ceil_char_boundary(bytes.max(1)));
        messages.push(message);
        text = rest;
    }
    messages
}
