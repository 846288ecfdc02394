//! The typed fields of a message.

use std::fmt;

/// Who a message is from.
///
/// Exhaustive on purpose: these are the roles of the wire form, and a rule for each is needed
/// wherever messages are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions to the model.
    System,
    /// Instructions to the model, under the newer name.
    Developer,
    /// The person, or what stands for one.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
    /// The result of a function call, in the older form.
    Function,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::System, Self::Developer, Self::User, Self::Assistant, Self::Tool, Self::Function];

    /// The role as the wire form writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Function => "function",
        }
    }

    /// Reads the wire form's word; none where it is no role.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A call that the model makes to a tool.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolCall {
    pub(super) id: Option<Box<str>>,
    pub(super) name: Option<Box<str>>,
    pub(super) arguments: Option<Box<str>>,
}

impl ToolCall {
    /// A call of the function `name` with `arguments`, a JSON text.
    pub fn function(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        let boxed = |text: String| Some(text.into_boxed_str());
        Self { id: boxed(id.into()), name: boxed(name.into()), arguments: boxed(arguments.into()) }
    }

    /// The id that the result of this call names; none where the wire form gave none.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The function's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The function's arguments, a JSON text as the model wrote it.
    pub fn arguments(&self) -> Option<&str> {
        self.arguments.as_deref()
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names and arguments are content, which never reaches Debug.
        f.debug_struct("ToolCall")
            .field("argument_bytes", &self.arguments.as_deref().map_or(0, str::len))
            .finish_non_exhaustive()
    }
}

/// What a message says.
///
/// Exhaustive on purpose: these are the three forms that the wire form has.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Absent or null.
    Empty,
    /// One text.
    Text(Box<str>),
    /// A list of parts.
    Parts(Vec<ContentPart>),
}

impl Content {
    /// The parts, where content is given in parts.
    pub fn parts(&self) -> &[ContentPart] {
        match self {
            Self::Parts(parts) => parts,
            Self::Empty | Self::Text(_) => &[],
        }
    }

    /// The texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let whole = match self {
            Self::Text(text) => Some(&**text),
            Self::Empty | Self::Parts(_) => None,
        };
        whole.into_iter().chain(self.parts().iter().filter_map(|part| match part {
            ContentPart::Text(text) => Some(&**text),
            ContentPart::Media(_) => None,
        }))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Parts(parts) => write!(f, "Parts({})", parts.len()),
        }
    }
}

/// One part of a message's content.
///
/// Exhaustive on purpose: a part is text, or it is not.
#[derive(Clone, PartialEq, Eq)]
pub enum ContentPart {
    /// Text, also that of a refusal.
    Text(Box<str>),
    /// Anything else; only what is needed to charge it is kept here.
    Media(Media),
}

impl fmt::Debug for ContentPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Media(media) => media.fmt(f),
        }
    }
}

/// A part that is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Bytes of the base64 text that it carries, 0 where it carries none.
    pub data_bytes: u64,
}

/// What a part that is not text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// An image, to be read at low detail.
    ImageLow,
    /// An image.
    Image,
    /// Audio.
    Audio,
    /// A file.
    File,
    /// A part of a type that is not known here.
    Other,
}

/// How closely the model shall look at an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ImageDetail {
    /// As the model likes.
    #[default]
    Auto,
    /// A small copy of the image.
    Low,
    /// The image in tiles.
    High,
}

impl ImageDetail {
    /// The word of the wire form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}
