//! From the wire form to typed fields.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::MessageError;
use super::fields::{Content, ContentPart, Media, MediaKind, Role, ToolCall};
use super::parse::Fields;

/// Refuses what is not JSON; numbers, names and unknown fields are looked at, too.
pub(super) fn check_syntax(json: &str) -> Result<(), MessageError> {
    serde_json::from_str::<&RawValue>(json).map(drop).map_err(syntax)
}

/// Reads a JSON object that begins with its brace.
pub(super) fn read(json: &Arc<str>, depth: Option<usize>) -> Result<Fields, MessageError> {
    let wire: Wire<'_> = serde_json::from_str(json).map_err(syntax)?;
    wire.into_fields(Arc::clone(json), depth)
}

/// The fields that matter, each still as JSON.
///
/// They are typed one by one, because a typed parse of the whole would quote content in its errors.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_call_id: Option<&'a RawValue>,
}

impl Wire<'_> {
    fn into_fields(self, json: Arc<str>, depth: Option<usize>) -> Result<Fields, MessageError> {
        let role = text(self.role, || "role".into())?.ok_or(MessageError::MissingRole)?;
        let role = Role::parse(&role)
            .ok_or_else(|| MessageError::UnknownRole { role: role.chars().take(32).collect() })?;
        Ok(Fields {
            role,
            content: content(self.content)?,
            name: text(self.name, || "name".into())?,
            tool_calls: tool_calls(self.tool_calls)?,
            tool_call_id: text(self.tool_call_id, || "tool_call_id".into())?,
            json,
            depth,
        })
    }
}

fn syntax(error: serde_json::Error) -> MessageError {
    MessageError::Syntax { source: Box::new(error) }
}

fn wrong(field: String, expected: &'static str) -> MessageError {
    MessageError::WrongType { field, expected }
}

/// The first byte of a JSON value tells its type.
fn begins(raw: &RawValue, with: char) -> bool {
    raw.get().starts_with(with)
}

fn text(
    raw: Option<&RawValue>,
    field: impl FnOnce() -> String,
) -> Result<Option<Box<str>>, MessageError> {
    match raw {
        Some(raw) if begins(raw, '"') => serde_json::from_str(raw.get()).map(Some).map_err(syntax),
        Some(raw) if !begins(raw, 'n') => Err(wrong(field(), "a string or null")),
        _ => Ok(None),
    }
}

/// The elements of an array; none where the field is absent or null.
fn array<'a>(
    raw: Option<&'a RawValue>,
    field: &str,
    expected: &'static str,
) -> Result<Option<Vec<&'a RawValue>>, MessageError> {
    match raw {
        Some(raw) if begins(raw, '[') => serde_json::from_str(raw.get()).map(Some).map_err(syntax),
        Some(raw) if !begins(raw, 'n') => Err(wrong(field.into(), expected)),
        _ => Ok(None),
    }
}

fn object<'a, T: Deserialize<'a>>(
    raw: &'a RawValue,
    field: impl FnOnce() -> String,
) -> Result<T, MessageError> {
    if begins(raw, '{') {
        serde_json::from_str(raw.get()).map_err(syntax)
    } else {
        Err(wrong(field(), "an object"))
    }
}

fn content(raw: Option<&RawValue>) -> Result<Content, MessageError> {
    if raw.is_some_and(|raw| begins(raw, '"')) {
        let text = text(raw, || "content".into())?;
        return Ok(text.map_or(Content::Empty, Content::Text));
    }
    let Some(parts) = array(raw, "content", "a string, an array of parts, or null")? else {
        return Ok(Content::Empty);
    };
    let parts = parts.into_iter().enumerate().map(|(index, raw)| part(index, raw));
    parts.collect::<Result<_, _>>().map(Content::Parts)
}

#[derive(Deserialize)]
struct WirePart<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow)]
    input_audio: Option<&'a RawValue>,
    #[serde(borrow)]
    file: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireMedia<'a> {
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    file_data: Option<&'a RawValue>,
}

fn part(index: usize, raw: &RawValue) -> Result<ContentPart, MessageError> {
    let path = |name: &str| format!("content[{index}]{name}");
    let part: WirePart<'_> = object(raw, || path(""))?;
    let kind = text(part.kind, || path(".type"))?;
    let kind = kind.ok_or_else(|| wrong(path(".type"), "a string"))?;
    let words =
        |raw, name: &str| text(raw, || path(name))?.ok_or_else(|| wrong(path(name), "a string"));
    let media = |kind, raw: Option<&RawValue>| {
        let bytes = raw.map_or(Ok(0), data_bytes)?;
        Ok::<_, MessageError>(ContentPart::Media(Media { kind, data_bytes: bytes }))
    };
    match &*kind {
        "text" => words(part.text, ".text").map(ContentPart::Text),
        "refusal" => words(part.refusal, ".refusal").map(ContentPart::Text),
        "image_url" => {
            let detail = part.image_url.filter(|raw| begins(raw, '{')).map(|raw| {
                object::<WireMedia<'_>>(raw, String::new)
                    .and_then(|image| text(image.detail, || path(".image_url.detail")))
            });
            let low = detail.transpose()?.flatten().as_deref() == Some("low");
            media(if low { MediaKind::ImageLow } else { MediaKind::Image }, None)
        }
        "input_audio" => media(MediaKind::Audio, part.input_audio),
        "file" => media(MediaKind::File, part.file),
        _ => media(MediaKind::Other, None),
    }
}

/// The bytes of base64 text that a media object carries, without reading it as a text.
fn data_bytes(raw: &RawValue) -> Result<u64, MessageError> {
    if !begins(raw, '{') {
        return Ok(0);
    }
    let media: WireMedia<'_> = object(raw, String::new)?;
    let data = media.data.or(media.file_data).filter(|data| begins(data, '"'));
    Ok(data.map_or(0, |data| data.get().len() as u64 - 2))
}

#[derive(Deserialize)]
struct WireCall<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    function: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireFunction<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

fn tool_calls(raw: Option<&RawValue>) -> Result<Vec<ToolCall>, MessageError> {
    let calls = array(raw, "tool_calls", "an array of tool calls, or null")?.unwrap_or_default();
    calls.into_iter().enumerate().map(|(index, raw)| tool_call(index, raw)).collect()
}

fn tool_call(index: usize, raw: &RawValue) -> Result<ToolCall, MessageError> {
    let path = |name: &str| format!("tool_calls[{index}]{name}");
    let call: WireCall<'_> = object(raw, || path(""))?;
    let function = call.function.filter(|raw| !begins(raw, 'n'));
    let (name, arguments) = match function {
        Some(raw) => {
            let function: WireFunction<'_> = object(raw, || path(".function"))?;
            (
                text(function.name, || path(".function.name"))?,
                text(function.arguments, || path(".function.arguments"))?,
            )
        }
        None => (None, None),
    };
    Ok(ToolCall { id: text(call.id, || path(".id"))?, name, arguments })
}
