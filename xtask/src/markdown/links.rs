//! Links, headings and code spans, with their lines.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A link or an image, and its line, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) target: String,
}

/// Every link and image of a page; what stands in code is none.
pub(crate) fn links(page: &str) -> Vec<Link> {
    events(page)
        .filter_map(|(event, start)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(Link { line: line_at(page, start), target: dest_url.into_string() })
            }
            _ => None,
        })
        .collect()
}

/// Every word in backticks of a page, with its line.
pub(crate) fn code_spans(page: &str) -> Vec<(usize, String)> {
    events(page)
        .filter_map(|(event, start)| match event {
            Event::Code(code) => Some((line_at(page, start), code.into_string())),
            _ => None,
        })
        .collect()
}

/// The anchors that the headings of a page get where it is shown.
pub(crate) fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut heading: Option<String> = None;
    for (event, _) in events(page) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let anchor = slug(&heading.take().unwrap_or_default());
                let repeats = seen.entry(anchor.clone()).or_default();
                anchors.insert(match *repeats {
                    0 => anchor,
                    count => format!("{anchor}-{count}"),
                });
                *repeats += 1;
            }
            _ => {}
        }
    }
    anchors
}

/// The line, from 1, of a byte offset.
pub(super) fn line_at(page: &str, offset: usize) -> usize {
    1 + page[..offset].matches('\n').count()
}

fn events(page: &str) -> impl Iterator<Item = (Event<'_>, usize)> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(page, options).into_offset_iter().map(|(event, range)| (event, range.start))
}

/// Lower case, spaces to dashes, punctuation dropped: the form that repository hosts use.
fn slug(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_with_their_lines_and_code_is_passed_over() {
        let page =
            "[a](one.md)\n\n`[b](two.md)`\n\n```\n[c](three.md)\n```\n\n![d][e]\n\n[e]: four.png\n";
        let found: Vec<_> = links(page).into_iter().map(|link| (link.line, link.target)).collect();
        assert_eq!(found, [(1, "one.md".to_owned()), (9, "four.png".to_owned())]);
    }

    #[test]
    fn code_spans_are_found_in_tables_and_text() {
        let page = "Some `one`.\n\n| a |\n|---|\n| `two` |\n";
        assert_eq!(code_spans(page), [(1, "one".to_owned()), (5, "two".to_owned())]);
    }

    #[test]
    fn anchors_follow_the_headings() {
        let page = "# The two flows\n\n## `Settle`, again?\n\n## Words\n\n## Words\n";
        let expected = ["settle-again", "the-two-flows", "words", "words-1"];
        assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), expected);
    }
}
