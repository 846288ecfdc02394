//! Reading of messages: what is accepted, what is refused, and how.

use super::super::fields::{Media, MediaKind};
use super::*;

fn read(json: &str) -> Result<Message, MessageError> {
    Message::from_json(json, &Limits::default())
}

#[test]
fn fields_are_read_and_the_rest_survives() {
    let json = r#"{"tool_calls":[{"id":"c1","type":"function","index":0,"function":{"name":"f","arguments":"{\"a\":1}","strict":true}}],"role":"assistant","content":null,"name":"helper","big":123456789012345678901234567890}"#;
    let message = read(json).unwrap();
    assert_eq!(message.as_json(), json);
    assert_eq!(message.role(), Role::Assistant);
    assert_eq!(*message.content(), Content::Empty);
    assert_eq!(message.name(), Some("helper"));
    let call = &message.tool_calls()[0];
    assert_eq!(
        (call.id(), call.name(), call.arguments()),
        (Some("c1"), Some("f"), Some(r#"{"a":1}"#))
    );
    assert_eq!(message.texts().collect::<Vec<_>>(), ["assistant", "helper", "f", r#"{"a":1}"#]);
    assert_eq!(Message::from_payload(message.payload()).unwrap(), message);
}

#[test]
fn parts_are_text_or_media() {
    let message = read(
        r#"{"role":"user","content":[
            {"type":"text","text":"look"},
            {"type":"image_url","image_url":{"url":"u","detail":"high"}},
            {"type":"image_url","image_url":"bare"},
            {"type":"input_audio","input_audio":{"data":"QUJD","format":"wav"}},
            {"type":"file","file":{"file_id":"x"}},
            {"type":"refusal","refusal":"no"},
            {"type":"hologram"}]}"#,
    )
    .unwrap();
    let media = |kind, data_bytes| ContentPart::Media(Media { kind, data_bytes });
    assert_eq!(
        message.content().parts(),
        [
            ContentPart::Text("look".into()),
            media(MediaKind::Image, 0),
            media(MediaKind::Image, 0),
            media(MediaKind::Audio, 4),
            media(MediaKind::File, 0),
            ContentPart::Text("no".into()),
            media(MediaKind::Other, 0),
        ]
    );
    assert!(message.has_media());
}

#[test]
fn what_is_wrong_is_named() {
    let check = |json: &str, expected: &str| {
        let error = read(json).unwrap_err();
        assert!(error.to_string().contains(expected), "{json}: {error}");
    };
    check("", "not valid JSON");
    check("{", "not valid JSON");
    check("nonsense", "not valid JSON");
    check("[]", "JSON object");
    check("\"user\"", "JSON object");
    check("{}", "no role");
    check(r#"{"role":null}"#, "no role");
    check(r#"{"role":"bot"}"#, "`bot`");
    check(r#"{"role":7}"#, "`role` must be a string");
    check(r#"{"role":"user","role":"user"}"#, "not valid JSON");
    check(r#"{"role":"user","content":5}"#, "`content` must be a string, an array");
    check(r#"{"role":"user","content":["x"]}"#, "`content[0]` must be an object");
    check(r#"{"role":"user","content":[{"type":"text"}]}"#, "`content[0].text` must be a string");
    check(r#"{"role":"user","content":[{}]}"#, "`content[0].type` must be a string");
    check(r#"{"role":"user","name":[]}"#, "`name` must be a string");
    check(r#"{"role":"assistant","tool_calls":{}}"#, "`tool_calls` must be an array");
    check(r#"{"role":"assistant","tool_calls":[1]}"#, "`tool_calls[0]` must be an object");
    check(
        r#"{"role":"assistant","tool_calls":[{},{"function":{"arguments":{}}}]}"#,
        "`tool_calls[1].function.arguments` must be a string",
    );
    check(r#"{"role":"tool","tool_call_id":1}"#, "`tool_call_id` must be a string");
}

#[test]
fn limits_hold_for_bytes_and_depth() {
    let limits = Limits { message_bytes: 40, json_depth: 3, ..Limits::default() };
    let check = |json: &str, valid: bool| {
        assert_eq!(Message::from_json(json, &limits).is_ok(), valid, "{json}");
    };
    check(r#"{"role":"user","content":"12345678901"}"#, true);
    check(r#"{"role":"user","content":"1234567890123"}"#, false);
    // Blanks do not count, as long as they are not most of it.
    let padded = |blanks: usize| format!(r#"{{"role":"user",{}"content":""}}"#, " ".repeat(blanks));
    check(&padded(280), true);
    check(&padded(300), false);
    check(r#"{"role":"user","x":[[]]}"#, true);
    check(r#"{"role":"user","x":[[[]]]}"#, false);
    let deep = format!(r#"{{"role":"user","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read(&deep), Err(MessageError::Limit(_))));
    let raised = Limits { json_depth: 200_000, ..Limits::default() };
    assert_eq!(Message::from_json(&deep, &raised).unwrap().as_json(), deep);
}

#[test]
fn no_error_and_no_debug_shows_content() {
    const CANARY: &str = "canary-7f3a";
    for json in [
        r#"{"role":"user","content":{"canary-7f3a":1}}"#,
        r#"{"role":"user","content":["canary-7f3a"]}"#,
        r#"{"role":"user","content":"canary-7f3a" oops}"#,
        r#""canary-7f3a""#,
        r#"["canary-7f3a"]"#,
        r#"{"role":"user","content":"canary-7f3a","content":"canary-7f3a"}"#,
        r#"{"role":"assistant","tool_calls":[{"function":"canary-7f3a"}]}"#,
        r#"{"role":"user","content":[{"type":"text","text":{"canary-7f3a":[]}}]}"#,
    ] {
        let error = read(json).unwrap_err();
        let mut shown = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            shown.extend([inner.to_string(), format!("{inner:?}")]);
            source = inner.source();
        }
        assert!(!shown.contains(CANARY), "{shown}");
    }
    let message = read(
        r#"{"role":"assistant","content":"canary-7f3a","name":"canary-7f3a","tool_calls":[
        {"id":"canary-7f3a","function":{"name":"canary-7f3a","arguments":"canary-7f3a"}}]}"#,
    )
    .unwrap();
    assert!(!format!("{message:?} {:?}", message.tool_calls()).contains(CANARY));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in r#"[\[\]{}",:a-z0-9\\ ]{0,60}"#) {
        let _ = read(&text);
        let _ = read(&format!(r#"{{"role":"user","content":{text}}}"#));
        let _ = Message::from_payload(text.into());
    }
}
