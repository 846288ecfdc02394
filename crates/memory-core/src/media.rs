//! What parts that are not text are charged.

use crate::message::{Media, MediaKind};

/// The figures that parts of a message which are not text are charged with.
///
/// No counter can count them from the wire form: an image's size stands in the image. The figures
/// are upper bounds where one is known, so that a window stays within its budget.
///
/// | part | tokens | where it comes from |
/// |---|---|---|
/// | `image_url` with `detail: "low"` | 85 | OpenAI's price of an image at low detail |
/// | any other `image_url` | 1445 | the same at high detail: 85 + 170 for each of at most 8 tiles, the most that an image of 2048 × 768 has |
/// | `input_audio` | 1 for each begun 500 bytes of its base64 text, at least 1 | 10 tokens a second of audio, at 40 kbit/s, below which speech is seldom sent |
/// | `file` | 1 for each begun 4 bytes of its base64 text, at least 1445 | a page as an image, or its text at 4 bytes a token |
/// | any other part | 1445 | as an image |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaFigures {
    /// Tokens of an image at low detail.
    pub image_low: u64,
    /// Tokens of any other image.
    pub image: u64,
    /// Bytes of base64 text of audio for one token.
    pub audio_bytes_per_token: u64,
    /// Bytes of base64 text of a file for one token.
    pub file_bytes_per_token: u64,
    /// Tokens of a part of another kind, and the least of a file.
    pub other: u64,
}

impl MediaFigures {
    /// The figures of `openai-chat-1`.
    pub const OPENAI_CHAT_1: Self = Self {
        image_low: 85,
        image: 1445,
        audio_bytes_per_token: 500,
        file_bytes_per_token: 4,
        other: 1445,
    };

    /// What one part is charged, in tokens.
    pub fn tokens(&self, media: Media) -> u64 {
        let share = |per_token: u64| media.data_bytes.div_ceil(per_token.max(1));
        match media.kind {
            MediaKind::ImageLow => self.image_low,
            MediaKind::Image => self.image,
            MediaKind::Audio => share(self.audio_bytes_per_token).max(1),
            MediaKind::File => share(self.file_bytes_per_token).max(self.other),
            MediaKind::Other => self.other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_figure() {
        let check = |kind, data_bytes, tokens| {
            let media = Media { kind, data_bytes };
            assert_eq!(MediaFigures::OPENAI_CHAT_1.tokens(media), tokens, "{media:?}");
        };
        check(MediaKind::ImageLow, 10_000, 85);
        check(MediaKind::Image, 10_000, 1445);
        check(MediaKind::Audio, 0, 1);
        check(MediaKind::Audio, 1001, 3);
        check(MediaKind::File, 0, 1445);
        check(MediaKind::File, 40_000, 10_000);
        check(MediaKind::Other, 0, 1445);
    }
}
