//! `totals`: a conversation's sums.

use serde::Serialize;
use turnledger::{LedgerTotals, Memory, Totals};

use super::named::existing;
use crate::args::TotalsArgs;
use crate::error::{CliError, Outcome};
use crate::output::{Output, count, plain, table};

/// The sums under the counter that was asked for, and under each that has counted here.
#[derive(Serialize)]
struct Shown<'a> {
    conversation: &'a str,
    counter: &'a str,
    messages: u64,
    tokens: u64,
    pending: u64,
    fallback: u64,
    complete: bool,
    counters: Vec<Sums<'a>>,
}

/// The sums under one counter.
#[derive(Serialize)]
struct Sums<'a> {
    counter: &'a str,
    messages: u64,
    tokens: u64,
    pending: u64,
    fallback: u64,
    complete: bool,
}

impl<'a> Sums<'a> {
    fn of(counter: &'a str, totals: Totals) -> Self {
        let Totals { messages, tokens, pending, fallback, complete } = totals;
        Self { counter, messages, tokens, pending, fallback, complete }
    }
}

/// Prints the sums.
pub(crate) async fn totals(
    args: TotalsArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let (_, ledger) = existing(memory, &args.conversation).await?;
    let own = memory.tally_id();
    let Sums { counter, messages, tokens, pending, fallback, complete } =
        Sums::of(own.as_str(), ledger.under(&own));
    let counters = sums(&ledger);
    if args.encoded.json {
        let conversation = args.conversation.as_str();
        output.json(&Shown {
            conversation,
            counter,
            messages,
            tokens,
            pending,
            fallback,
            complete,
            counters,
        })?;
        return Ok(Outcome::Done);
    }
    let shown = count(messages, "message");
    output.line(format_args!("{}: {shown}", plain(&args.conversation)))?;
    let mut rows =
        vec![["counter", "tokens", "pending", "fallback", "complete"].map(str::to_owned)];
    let asked = Sums { counter, messages, tokens, pending, fallback, complete };
    let listed = counters.iter().any(|sums| sums.counter == counter);
    rows.extend(counters.iter().chain((!listed).then_some(&asked)).map(row));
    for line in table(&rows) {
        output.line(line)?;
    }
    Ok(Outcome::Done)
}

fn sums(ledger: &LedgerTotals) -> Vec<Sums<'_>> {
    ledger.counters.iter().map(|entry| Sums::of(entry.counter.as_str(), entry.totals)).collect()
}

fn row(sums: &Sums<'_>) -> [String; 5] {
    let complete = if sums.complete { "yes" } else { "no" };
    let [tokens, pending, fallback] =
        [sums.tokens, sums.pending, sums.fallback].map(|number| number.to_string());
    [plain(sums.counter), tokens, pending, fallback, complete.to_owned()]
}
