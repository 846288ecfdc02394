//! What YAML needs besides its parser.

use std::error::Error;

use yaml_rust2::ScanError;
use yaml_rust2::parser::{Event, Parser};

use crate::file::format::{DEEPEST, Flaw};

/// Refuses what the loader would take: endless nesting, aliases, and more than one document.
///
/// The loader recurses for each level and copies what an alias stands for, so that a short file
/// overflows the stack or fills the memory. Pulling the events one by one does neither.
pub(crate) fn check(text: &str) -> Result<(), Flaw> {
    let mut parser = Parser::new(text.chars());
    let mut depth = 0_usize;
    let mut documents = 0_usize;
    loop {
        let (event, mark) = parser.next_token().map_err(|error| flaw(&error))?;
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::DocumentStart => documents += 1,
            Event::Alias(_) => {
                let reason = "an alias is not supported; write the value out";
                return Err(Flaw::new(mark.line(), reason));
            }
            Event::StreamEnd => return Ok(()),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(Flaw::too_deep(mark.line()));
        }
        if documents > 1 {
            return Err(Flaw::new(mark.line(), "only one document is allowed"));
        }
    }
}

/// Says what the loader dislikes.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> Option<Flaw> {
    error.downcast_ref().map(flaw)
}

fn flaw(error: &ScanError) -> Flaw {
    let reason = match error.info() {
        // These two quote a piece of the file.
        info if info.ends_with("duplicated key in mapping") => "a key stands twice",
        info if info.starts_with("unexpected character") => "unexpected character",
        info => info,
    };
    Flaw::new(error.marker().line(), reason)
}
