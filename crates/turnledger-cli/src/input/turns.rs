//! Messages in the ShareGPT form: `{"from", "value"}`.

use serde::Deserialize;
use serde_json::value::RawValue;
use turnledger::{Limits, Message, Role};

use super::error::MessageFault;

/// Characters of an unknown speaker that an error shows.
const SHOWN: usize = 32;

#[derive(Deserialize)]
struct Turn<'a> {
    #[serde(borrow)]
    from: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// Reads one turn as a message in the OpenAI form.
pub(super) fn message(text: &str, limits: &Limits) -> Result<Message, MessageFault> {
    if !text.starts_with('{') {
        return Err(MessageFault::NotATurn { source: None });
    }
    let turn: Turn<'_> = serde_json::from_str(text)
        .map_err(|source| MessageFault::NotATurn { source: Some(source) })?;
    let role = role(&string(turn.from, "from")?)?;
    let value = string(turn.value, "value")?;
    Ok(Message::builder(role).text(value).build(limits)?)
}

fn role(from: &str) -> Result<Role, MessageFault> {
    Ok(match from {
        "human" => Role::User,
        "gpt" => Role::Assistant,
        "system" => Role::System,
        "tool" | "function" | "observation" => Role::Tool,
        other => {
            let from = other.chars().take(SHOWN).collect();
            return Err(MessageFault::UnknownSpeaker { from });
        }
    })
}

fn string(raw: Option<&RawValue>, key: &'static str) -> Result<String, MessageFault> {
    let raw = raw.ok_or(MessageFault::NotText { key })?;
    serde_json::from_str(raw.get()).map_err(|_| MessageFault::NotText { key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_speaker_has_a_role() {
        let check = |from: &str, role: Role| {
            let turn = format!(r#"{{"from":"{from}","value":"Good\nmorning","weight":1}}"#);
            let message = message(&turn, &Limits::default()).unwrap();
            assert_eq!(message.role(), role, "{from}");
            assert_eq!(message.content().texts().collect::<Vec<_>>(), ["Good\nmorning"]);
        };
        check("human", Role::User);
        check("gpt", Role::Assistant);
        check("system", Role::System);
        check("tool", Role::Tool);
        check("function", Role::Tool);
        check("observation", Role::Tool);
    }

    #[test]
    fn a_bad_turn_is_told_without_content() {
        let check = |turn: &str, expected: &str| {
            let error = message(turn, &Limits::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{turn}: {error}");
            assert!(!error.contains("hush"), "{error}");
        };
        check(r#""hush""#, "`from` and `value`");
        check(r#"{"from":"robot","value":"hush"}"#, "\"robot\"");
        check(r#"{"from":"human"}"#, "`value`");
        check(r#"{"from":"human","value":["hush"]}"#, "`value`");
        check(r#"{"value":"hush"}"#, "`from`");
        check(r#"{"from":"human","from":"gpt","value":"hush"}"#, "`from` and `value`");
        let long = format!(r#"{{"from":"{}","value":""}}"#, "é".repeat(500));
        check(&long, &"é".repeat(32));
        assert!(message(&long, &Limits::default()).unwrap_err().to_string().len() < 200);
        let limits = Limits { message_bytes: 40, ..Limits::default() };
        assert!(message(r#"{"from":"human","value":"far too long for it"}"#, &limits).is_err());
    }
}
