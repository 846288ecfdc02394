//! How names and values of unknown content appear in messages.

/// Characters of one name or value that a message shows before it is cut.
const LONGEST: usize = 80;

/// Whether a terminal does something else than to show the character.
///
/// Besides control characters that is what breaks a line elsewhere, and what turns the direction
/// of writing, so that the text behind it shows as another one.
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Marks of direction; separators, embeddings and overrides; isolates.
            '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A text as it may be printed: control characters escaped, a long one cut.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push('…');
            break;
        }
        if is_obeyed(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same in quotes, so that its ends are seen.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text))
}

/// The candidate most like a name.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    // The distance costs the product of both lengths, and a file may hold a key of any length.
    let name: String = name.chars().take(LONGEST).collect();
    candidates
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&name, candidate), candidate))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_unprintable_texts_are_tamed() {
        assert_eq!(quoted("a\u{1b}[2Jb"), "\"a\\u{1b}[2Jb\"");
        assert_eq!(plain("a\u{202e}b\u{2066}\u{61c}"), "a\\u{202e}b\\u{2066}\\u{61c}");
        assert_eq!(plain(&"é".repeat(500)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn the_most_similar_name_is_found() {
        let names = ["counter.encoding", "queue.capacity", "queue.workers"];
        let check = |name: &str, expected: &str| {
            assert_eq!(nearest(name, names).as_deref(), Some(expected), "{name}");
        };
        check("countre.encoding", "counter.encoding");
        check("queue.capacty", "queue.capacity");
        check("queue.wrokers", "queue.workers");
        check(&"x".repeat(1_000_000), "counter.encoding");
        assert_eq!(nearest("x", []), None);
    }
}
