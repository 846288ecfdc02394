//! What TOML needs besides its parser.

use std::error::Error;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use crate::file::format::{DEEPEST, Flaw};

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

/// Says what the parser dislikes; its own `Display` would quote the line.
pub(crate) fn explain(error: &(dyn Error + 'static), text: &str) -> Option<Flaw> {
    let error: &toml::de::Error = error.downcast_ref()?;
    let line = error.span().map(|span| line_at(text, span.start));
    Some(Flaw::new(line, error.message()))
}

fn line_at(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.split(|byte| *byte == b'\n').count()
}
