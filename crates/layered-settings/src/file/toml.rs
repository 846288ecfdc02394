//! What TOML needs besides its parser.

use config::{Map, Value, ValueKind};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use crate::file::format::{DEEPEST, Flaw};

/// A number that no setting holds, whatever its digits are.
const BEYOND: ValueKind = ValueKind::U128(u128::MAX);

/// Refuses nesting that the parser would take.
///
/// The parser bounds brackets and dotted keys each, but not their product, and its result is
/// dropped recursively. So the tokens are counted first: a level for each open bracket, and one
/// for each dot of a key.
pub(crate) fn check(text: &str) -> Result<(), Flaw> {
    let mut dots_before = Vec::new();
    let mut dots = 0_usize;
    let mut all_dots = 0_usize;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => {
                dots += 1;
                all_dots += 1;
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                dots_before.push(dots);
                dots = 0;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                all_dots -= dots;
                dots = dots_before.pop().unwrap_or(0);
            }
            TokenKind::Comma => {
                all_dots -= dots;
                dots = 0;
            }
            TokenKind::Newline if dots_before.is_empty() => {
                all_dots -= dots;
                dots = 0;
            }
            _ => {}
        }
        if dots_before.len() + all_dots > DEEPEST {
            return Err(Flaw::too_deep(line_at(text, token.span().start())));
        }
    }
    Ok(())
}

/// Parses a text.
///
/// The `config` crate's own reading of TOML refuses a number that does not fit 64 bits without
/// saying where it stands. Here it is a value like others, which its setting refuses by name.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, Flaw> {
    match DeTable::parse(text) {
        Ok(parsed) => Ok(table(parsed.into_inner())),
        // Its own `Display` would quote the line.
        Err(error) => {
            let line = error.span().map(|span| line_at(text, span.start));
            Err(Flaw::new(line, error.message()))
        }
    }
}

fn table(entries: DeTable<'_>) -> Map<String, Value> {
    let entry = |(key, entry): (Spanned<DeString<'_>>, Spanned<DeValue<'_>>)| {
        (key.into_inner().into_owned(), Value::new(None, kind(entry.into_inner())))
    };
    entries.into_iter().map(entry).collect()
}

fn kind(parsed: DeValue<'_>) -> ValueKind {
    match parsed {
        DeValue::String(text) => ValueKind::String(text.into_owned()),
        DeValue::Boolean(boolean) => ValueKind::Boolean(boolean),
        DeValue::Datetime(time) => ValueKind::String(time.to_string()),
        DeValue::Integer(digits) => {
            i128::from_str_radix(digits.as_str(), digits.radix()).map_or(BEYOND, ValueKind::I128)
        }
        DeValue::Float(digits) => digits.as_str().parse().map_or(BEYOND, ValueKind::Float),
        DeValue::Array(list) => {
            let values = list.into_iter().map(|item| Value::new(None, kind(item.into_inner())));
            ValueKind::Array(values.collect())
        }
        DeValue::Table(entries) => ValueKind::Table(table(entries)),
    }
}

fn line_at(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.split(|byte| *byte == b'\n').count()
}
