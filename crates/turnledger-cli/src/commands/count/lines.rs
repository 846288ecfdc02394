//! Each line of JSON lines.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use turnledger::{CountError, Message};

use super::choice::Choice;
use super::cores::on_all_cores;
use super::progress::Progress;
use super::report::Estimated;
use crate::error::{CliError, Outcome};
use crate::input::{BadInput, InputError, Line, Lines, Object, Place};
use crate::output::Output;

/// Lines that are held to be counted together: so many, or so many bytes.
const LINES: usize = 4096;
const BYTES: usize = 4 << 20;

/// A line's tokens as JSON.
#[derive(Serialize)]
struct Counted {
    tokens: u64,
    #[serde(flatten)]
    estimated: Option<Estimated>,
}

/// Counts each line, and prints its tokens in the order of the input.
///
/// The first line that cannot be counted ends the run: a line that is left out would shift all that
/// come behind it.
pub(super) fn count(
    paths: &[PathBuf],
    estimate: bool,
    choice: &Choice,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let progress = Progress::begin(paths);
    for path in paths {
        let (file, opened) = Lines::open(path);
        let unread = |source| BadInput::Text { file: Arc::clone(&file), source };
        let mut lines = opened.map_err(unread)?;
        let mut ended = false;
        while !ended && !output.is_closed() {
            let (batch, broken, end) = next_batch(&mut lines);
            ended = end;
            let counted = on_all_cores(&batch, |line| count_line(line, &file, estimate, choice));
            for line in counted {
                output.json(&line?)?;
            }
            if let Some((line, source)) = broken {
                let place = Place { file, line };
                return Err(BadInput::Line { place, source }.into());
            }
            progress.add(batch.iter().map(|line| line.bytes.len() as u64 + 1).sum());
        }
    }
    Ok(Outcome::Done)
}

/// The next lines, what is wrong behind them, and whether the end was reached.
fn next_batch(lines: &mut Lines) -> (Vec<Line>, Option<(u64, InputError)>, bool) {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < LINES && bytes < BYTES {
        match lines.next() {
            None => return (batch, None, true),
            Some(Err(broken)) => return (batch, Some(broken), true),
            Some(Ok(line)) => {
                bytes += line.bytes.len();
                batch.push(line);
            }
        }
    }
    (batch, None, false)
}

fn count_line(
    line: &Line,
    file: &Arc<str>,
    estimate: bool,
    choice: &Choice,
) -> Result<Counted, CliError> {
    let place = || Place { file: Arc::clone(file), line: line.number };
    let object =
        line.object(&choice.limits).map_err(|source| BadInput::Line { place: place(), source })?;
    let tokens = tokens(&object, choice)
        .map_err(|source| CliError::NotCounted { at: place().to_string(), source })?;
    let estimated = estimate.then(|| Estimated::new(tokens, guess(&object, choice)));
    Ok(Counted { tokens, estimated })
}

fn tokens(object: &Object, choice: &Choice) -> Result<u64, CountError> {
    match object {
        Object::Text(text) => choice.counter.count_text(text).map(|counted| counted.tokens),
        Object::Messages(messages) => {
            let tally = |message: &Message| {
                choice.framing.tally(message, |text| choice.counter.count_text(text))
            };
            let tallies = messages.iter().map(|message| tally(message).map(|tally| tally.tokens));
            tallies.sum::<Result<u64, _>>().map(|sum| sum + choice.framing.reply_priming)
        }
    }
}

fn guess(object: &Object, choice: &Choice) -> u64 {
    let estimate = |text: &str| choice.estimator.estimate(text);
    match object {
        Object::Text(text) => estimate(text),
        Object::Messages(messages) => {
            let guess = |message| choice.framing.estimate(message, estimate).tokens;
            messages.iter().map(guess).sum::<u64>() + choice.framing.reply_priming
        }
    }
}
