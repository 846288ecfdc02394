//! Whole files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use turnledger::CountError;

use super::choice::Choice;
use super::cores::{cores, on_all_cores};
use super::progress::Progress;
use super::report::{self, Counts};
use crate::args::CountArgs;
use crate::error::{CliError, Outcome};
use crate::input::{BadInput, Texts};
use crate::output::Output;

/// Counts files, and prints a line for each and one for all of them.
///
/// A file that cannot be counted is told, and the others are counted all the same.
pub(super) fn count(
    paths: &[PathBuf],
    args: &CountArgs,
    choice: &Choice,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let progress = Progress::begin(paths);
    let begin = Counts { estimate: args.estimate.then_some(0), ..Counts::default() };
    let (mut rows, mut total, mut outcome) = (Vec::new(), begin, Outcome::Done);
    for path in paths {
        match count_file(path, begin, choice, &progress) {
            Ok(counts) => {
                total.add(counts);
                rows.push((path.display().to_string(), counts));
            }
            Err(error) => {
                progress.tell(&error);
                outcome = Outcome::Failed;
            }
        }
    }
    drop(progress);
    let several = paths.len() > 1;
    if args.encoded.json {
        for (name, counts) in &rows {
            report::json(name, counts, output)?;
        }
        if several {
            report::json_total(&total, output)?;
        }
        return Ok(outcome);
    }
    // Where no file was named, there is no name to print.
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|(name, counts)| ((!args.files.is_empty()).then_some(name), counts))
        .collect();
    if several {
        rows.push((Some("total".to_owned()), total));
    }
    for line in report::columns(&rows) {
        output.line(line)?;
    }
    Ok(outcome)
}

fn count_file(
    path: &Path,
    begin: Counts,
    choice: &Choice,
    progress: &Progress,
) -> Result<Counts, CliError> {
    let (file, opened) = Texts::open(path, Arc::clone(&choice.counter));
    let unread = |source| BadInput::Text { file: Arc::clone(&file), source };
    let mut texts = opened.map_err(unread)?;
    let mut counts = begin;
    loop {
        let mut parts = Vec::new();
        while parts.len() < cores()
            && let Some(part) = texts.next().map_err(unread)?
        {
            parts.push(part);
        }
        if parts.is_empty() {
            return Ok(counts);
        }
        for counted in on_all_cores(&parts, |part| count_part(part, begin, choice)) {
            let uncounted = |source| CliError::NotCounted { at: file.to_string(), source };
            counts.add(counted.map_err(uncounted)?);
        }
        progress.add(parts.iter().map(|part| part.len() as u64).sum());
    }
}

fn count_part(part: &str, begin: Counts, choice: &Choice) -> Result<Counts, CountError> {
    Ok(Counts {
        tokens: choice.counter.count_text(part)?.tokens,
        bytes: part.len() as u64,
        lines: part.bytes().map(|byte| u64::from(byte == b'\n')).sum(),
        estimate: begin.estimate.map(|_| choice.estimator.estimate(part)),
    })
}
