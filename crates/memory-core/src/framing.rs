//! The rule that turns counted texts into a message's tally.

use crate::counter::TextCount;
use crate::media::MediaFigures;
use crate::message::{ContentPart, Message};
use crate::tally::{FinalReason, Tally};

/// How many tokens a chat format puts around the texts of a message.
///
/// The rule is data with a version: its id is part of the id that tallies are stored under
/// ([`CounterId::framed`](crate::CounterId::framed)), because tokens under another rule are other
/// tokens.
///
/// With T(x) the tokens of a text x, a message has
///
/// ```text
/// per_message + T(role) + T(content)
///   + per_name + T(name)                                   if it has a name
///   + per_call + T(function.name) + T(function.arguments)  for each tool call
/// ```
///
/// Absent and null fields count 0, as do ids and unknown fields. Of content in parts, each text
/// is counted by itself; the other parts are charged by [`MediaFigures`]. A whole window has
/// `reply_priming` more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Framing {
    id: &'static str,
    /// Tokens around every message.
    pub per_message: u64,
    /// Tokens around a name; a negative number where a name takes the place of something else.
    pub per_name: i64,
    /// Tokens around a tool call.
    pub per_call: u64,
    /// Tokens that prime the reply, once for a window.
    pub reply_priming: u64,
    /// What parts that are not text are charged.
    pub media: MediaFigures,
}

impl Framing {
    /// The rule `openai-chat-1`: 3 around a message, 1 around a name, 3 around a tool call, 3 for
    /// the reply.
    ///
    /// Source: OpenAI's published recipe for counting chat messages, which has 3 tokens around a
    /// message, 1 for a name and 3 for the reply's priming; the figure for tool calls is ours, in
    /// its likeness.
    pub const fn openai_chat_1() -> Self {
        Self {
            id: "openai-chat-1",
            per_message: 3,
            per_name: 1,
            per_call: 3,
            reply_priming: 3,
            media: MediaFigures::OPENAI_CHAT_1,
        }
    }

    /// The rule `openai-chat-0301`: as [`openai_chat_1`](Self::openai_chat_1), but 4 around a
    /// message and −1 around a name, which took the role's place.
    ///
    /// Source: OpenAI's published recipe, for the model `gpt-3.5-turbo-0301` alone.
    pub const fn openai_chat_0301() -> Self {
        Self { id: "openai-chat-0301", per_message: 4, per_name: -1, ..Self::openai_chat_1() }
    }

    /// The rule's name and version.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The tally of a message, with `count` for the tokens of each of its texts.
    ///
    /// The state is `Final(Fallback)` where a fallback counted any of the texts; otherwise
    /// `Final(Media)` where the message has parts that are not text; otherwise `Exact`. A caller
    /// whose `count` estimates says so with [`Framing::estimate`].
    ///
    /// # Errors
    ///
    /// The first error of `count`.
    pub fn tally<C: Into<TextCount>, E>(
        &self,
        message: &Message,
        mut count: impl FnMut(&str) -> Result<C, E>,
    ) -> Result<Tally, E> {
        let mut tokens = self.fixed_tokens(message);
        let mut by_fallback = false;
        for text in message.texts() {
            let counted: TextCount = count(text)?.into();
            tokens = tokens.saturating_add(counted.tokens);
            by_fallback |= counted.by_fallback;
        }
        Ok(if by_fallback {
            Tally::final_because(tokens, FinalReason::Fallback)
        } else if message.has_media() {
            Tally::final_because(tokens, FinalReason::Media)
        } else {
            Tally::exact(tokens)
        })
    }

    /// The estimated tally of a message, with `estimate` for each of its texts.
    pub fn estimate(&self, message: &Message, mut estimate: impl FnMut(&str) -> u64) -> Tally {
        let texts = message.texts().map(&mut estimate).fold(0, u64::saturating_add);
        Tally::estimated(self.fixed_tokens(message).saturating_add(texts))
    }

    /// What the rule adds to the tokens of a message's texts.
    pub fn fixed_tokens(&self, message: &Message) -> u64 {
        let calls = message.tool_calls().len() as u64;
        let name = if message.name().is_some() { self.per_name } else { 0 };
        let media = message.content().parts().iter().map(|part| match part {
            ContentPart::Text(_) => 0,
            ContentPart::Media(media) => self.media.tokens(*media),
        });
        media.fold(
            self.per_message.saturating_add_signed(name).saturating_add(calls * self.per_call),
            u64::saturating_add,
        )
    }
}

impl Default for Framing {
    /// [`Framing::openai_chat_1`].
    fn default() -> Self {
        Self::openai_chat_1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::tally::TallyState;
    use std::convert::Infallible;

    /// Counts one token for each character, so that every text weighs what it is long.
    fn characters(text: &str) -> u64 {
        text.chars().count() as u64
    }

    #[test]
    fn each_field_counts_as_the_rule_says() {
        let check = |json: &str, tokens: u64, state: TallyState| {
            let message = Message::from_json(json, &Limits::default()).unwrap();
            let tally = Framing::openai_chat_1()
                .tally(&message, |text| Ok::<_, Infallible>(characters(text)))
                .unwrap();
            assert_eq!((tally.tokens, tally.state), (tokens, state), "{json}");
            let estimate = Framing::openai_chat_1().estimate(&message, characters);
            assert_eq!(estimate, Tally::estimated(tokens), "{json}");
        };
        let exact = TallyState::Exact;
        let media = TallyState::Final(FinalReason::Media);
        check(r#"{"role":"user","content":"hello"}"#, 3 + 4 + 5, exact);
        check(r#"{"role":"user","content":null}"#, 3 + 4, exact);
        check(r#"{"role":"user"}"#, 3 + 4, exact);
        check(r#"{"role":"user","content":"","name":"bob"}"#, 3 + 4 + 1 + 3, exact);
        check(r#"{"role":"user","content":"x","name":null}"#, 3 + 4 + 1, exact);
        check(
            r#"{"role":"assistant","content":null,"tool_calls":[
                {"id":"a","type":"function","function":{"name":"find","arguments":"{}"}},
                {"id":"b","type":"function","function":{"name":"go","arguments":""}}]}"#,
            3 + 9 + (3 + 4 + 2) + (3 + 2),
            exact,
        );
        check(
            r#"{"role":"tool","tool_call_id":"a","content":"ok","x":"unknown"}"#,
            3 + 4 + 2,
            exact,
        );
        check(
            r#"{"role":"user","content":[{"type":"text","text":"ab"},{"type":"text","text":"c"}]}"#,
            3 + 4 + 3,
            exact,
        );
        check(
            r#"{"role":"user","content":[{"type":"text","text":"ab"},
                {"type":"image_url","image_url":{"url":"u","detail":"low"}}]}"#,
            3 + 4 + 2 + 85,
            media,
        );
    }

    #[test]
    fn the_first_snapshot_of_a_model_has_a_rule_of_its_own() {
        let check = |json: &str, tokens: u64| {
            let message = Message::from_json(json, &Limits::default()).unwrap();
            let count = |text: &str| Ok::<_, Infallible>(characters(text));
            let tally = Framing::openai_chat_0301().tally(&message, count);
            assert_eq!(tally, Ok(Tally::exact(tokens)), "{json}");
        };
        check(r#"{"role":"user","content":"hello"}"#, 4 + 4 + 5);
        check(r#"{"role":"user","content":"hello","name":"bob"}"#, 4 + 4 + 5 - 1 + 3);
        assert_ne!(Framing::openai_chat_0301().id(), Framing::openai_chat_1().id());
    }

    #[test]
    fn one_text_by_a_fallback_makes_the_tally_one() {
        let check = |json: &str, expected: Tally| {
            let message = Message::from_json(json, &Limits::default()).unwrap();
            let count = |text: &str| {
                let tokens = characters(text);
                Ok::<_, Infallible>(match text {
                    "down" => TextCount::by_fallback(tokens),
                    _ => tokens.into(),
                })
            };
            assert_eq!(Framing::openai_chat_1().tally(&message, count), Ok(expected), "{json}");
        };
        let fallback = |tokens| Tally::final_because(tokens, FinalReason::Fallback);
        check(r#"{"role":"user","content":"up"}"#, Tally::exact(3 + 4 + 2));
        check(r#"{"role":"user","content":"down","name":"bob"}"#, fallback(3 + 4 + 4 + 1 + 3));
        check(
            r#"{"role":"user","content":[{"type":"text","text":"down"},{"type":"text","text":"up"},
                {"type":"image_url","image_url":{"url":"u","detail":"low"}}]}"#,
            fallback(3 + 4 + 4 + 2 + 85),
        );
    }
}
