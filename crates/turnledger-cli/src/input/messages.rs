//! Single messages: the JSON text that `append` reads.

use std::io::{self, Read};

use serde_json::value::RawValue;
use turnledger::{Limits, Message};

use super::thread::on_thread;
use crate::error::CliError;

/// The longest text that is read, in bytes: it is held in memory.
const LONGEST: u64 = 256 << 20;

/// Reads messages from standard input: one JSON object, or one after the other.
///
/// All of them are valid, or none is returned.
pub(crate) async fn messages_of_standard_input(limits: Limits) -> Result<Vec<Message>, CliError> {
    let read = on_thread(|| {
        let mut bytes = Vec::new();
        io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = read.await?.map_err(|source| CliError::StandardInput { source })?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(CliError::LongStandardInput { limit: LONGEST });
    }
    let text = String::from_utf8(bytes).map_err(|_| CliError::StandardInputNotUtf8)?;
    parse(text.strip_prefix('\u{feff}').unwrap_or(&text), &limits)
}

fn parse(text: &str, limits: &Limits) -> Result<Vec<Message>, CliError> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut messages = Vec::new();
    loop {
        let start = values.byte_offset();
        let Some(value) = values.next() else { break };
        let value = value.map_err(|error| CliError::BadMessage {
            line: error.line(),
            source: Box::new(error),
        })?;
        let message = Message::from_json(value.get(), limits).map_err(|error| {
            CliError::BadMessage { line: line_of(text, start), source: Box::new(error) }
        })?;
        messages.push(message);
    }
    if messages.is_empty() { Err(CliError::NoMessage) } else { Ok(messages) }
}

/// The line, from 1, of what stands behind an offset and the blanks there.
fn line_of(text: &str, offset: usize) -> usize {
    let rest = &text[offset..];
    let begin = offset + rest.len() - rest.trim_start().len();
    1 + text[..begin].bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_or_lines_of_them() {
        let check = |text: &str, expected: usize| {
            assert_eq!(parse(text, &Limits::default()).unwrap().len(), expected, "{text:?}");
        };
        check(r#"{"role":"user","content":"x"}"#, 1);
        check("{\n  \"role\": \"user\",\n  \"content\": \"x\"\n}\n", 1);
        check("{\"role\":\"user\"}\n\n{\"role\":\"assistant\"}\r\n", 2);
    }

    #[test]
    fn a_bad_message_names_its_line_and_no_content() {
        let check = |text: &str, line: usize| match parse(text, &Limits::default()).unwrap_err() {
            CliError::BadMessage { line: found, source } => {
                assert_eq!(found, line, "{text:?}");
                assert!(!source.to_string().contains("hush"), "{source}");
            }
            other => panic!("{text:?}: {other}"),
        };
        check("hush", 1);
        check("{\"role\":\"user\"}\n\n  {\"role\":\"hero\",\"content\":\"hush\"}", 3);
        check("{\"role\":\"user\"}\n[\"hush\"]", 2);
        check("{\"role\":\"user\"}\n{\"role\":\n\"hush", 3);
        assert!(matches!(parse(" \n", &Limits::default()), Err(CliError::NoMessage)));
    }
}
