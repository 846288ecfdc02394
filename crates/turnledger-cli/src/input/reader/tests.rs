use std::error::Error;
use std::fs;

use super::*;

/// A conversation's id and number of messages, or an error with its causes.
type Read = Result<(String, usize), String>;

/// What a reader says of files with these names and texts, errors with their causes in one line.
fn read(files: &[(&str, &[u8])], forced: Option<ForcedFormat>) -> Vec<Read> {
    let folder = tempfile::tempdir().unwrap();
    let paths = files.iter().map(|(name, text)| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    });
    let mut reader = Reader::new(paths.collect(), forced, Limits::default());
    reader.longest = 1000;
    let found = reader.map(|read| match read {
        Ok(conversation) => Ok((conversation.id.as_str().to_owned(), conversation.messages.len())),
        Err(bad) => {
            let mut text = bad.to_string();
            let mut cause = bad.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            Err(text.replace(&folder.path().display().to_string(), ""))
        }
    });
    found.collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may have failed")]
fn good(id: &str, messages: usize) -> Read {
    Ok((id.to_owned(), messages))
}

const ONE: &str = r#"{"id":"one","messages":[{"role":"user","content":"x"}]}"#;
const TWO: &str = r#"{"id":"two","messages":[]}"#;
const NAMELESS: &str = r#"{"messages":[]}"#;
const TURNS: &str = r#"{"id":"turns","conversations":[{"from":"human","value":"x"}]}"#;

#[test]
fn lines_and_arrays_and_turns_are_recognised() {
    let check = |text: &str, expected: &[Read]| {
        assert_eq!(read(&[("f", text.as_bytes())], None), expected, "{text}");
    };
    check("", &[]);
    check(" \n\n", &[]);
    check("[]", &[]);
    check(&format!("{ONE}\n\n{TWO}\r\n"), &[good("one", 1), good("two", 0)]);
    check(&format!("\u{feff}{ONE}"), &[good("one", 1)]);
    check(&format!("\u{feff}\n [{ONE},\n{TWO}]"), &[good("one", 1), good("two", 0)]);
    check(&format!("{TURNS}\n{ONE}"), &[good("turns", 1), good("one", 1)]);
    check(&format!("[{TURNS}]"), &[good("turns", 1)]);
}

#[test]
fn a_conversation_without_an_id_is_named_by_file_and_place() {
    let lines = format!("{NAMELESS}\n\n{ONE}\nbad\n{NAMELESS}\n");
    let array = format!("[{NAMELESS},{NAMELESS}]");
    let found = read(&[("a.jsonl", lines.as_bytes()), ("b.json", array.as_bytes())], None);
    let ids: Vec<_> = found.iter().flatten().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["a.jsonl#1", "one", "a.jsonl#4", "b.json#1", "b.json#2"]);
}

#[test]
fn a_forced_format_is_not_recognised_but_taken() {
    let check = |text: &str, forced, expected: &str| {
        let found = read(&[("f", text.as_bytes())], Some(forced));
        let Err(error) = &found[0] else { panic!("{text}") };
        assert!(error.contains(expected), "{text}: {error}");
    };
    check(&format!("[{ONE}]"), ForcedFormat::Jsonl, "must be a JSON object");
    check(ONE, ForcedFormat::Json, "begin with `[`");
    check(TURNS, ForcedFormat::Jsonl, "no `messages`");
    check(ONE, ForcedFormat::Sharegpt, "no `conversations`");
    assert_eq!(read(&[("f", TURNS.as_bytes())], Some(ForcedFormat::Sharegpt)), [good("turns", 1)]);
}

#[test]
fn a_bad_piece_names_file_line_and_reason_and_costs_nothing_else() {
    let check = |text: &[u8], place: &str, reason: &str| {
        let mut whole = format!("{ONE}\n").into_bytes();
        whole.extend_from_slice(text);
        whole.extend_from_slice(format!("\n{TWO}").as_bytes());
        let found = read(&[("f.jsonl", &whole)], None);
        assert_eq!(found.len(), 3);
        assert_eq!((&found[0], &found[2]), (&good("one", 1), &good("two", 0)));
        let Err(error) = &found[1] else { panic!("{reason}") };
        assert!(error.starts_with(&format!("/f.jsonl, {place}:")), "{error}");
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains("hush"), "{error}");
    };
    check(b"hush", "line 2", "not valid JSON");
    check(b"\n\n{", "line 4", "not valid JSON");
    check(b"{\"id\":\"\xff\"}", "line 2", "not UTF-8 text, from byte 8");
    check(ONE.as_bytes(), "line 2", "\"one\" comes twice: it stands at /f.jsonl, line 1 already");
    check(br#"{"id":"","messages":[]}"#, "line 2", "empty");
    check(&vec![b' '; 1001], "line 2", "longer than 1000 bytes");
    let long = format!(r#"{{"id":"{}","messages":[]}}"#, "i".repeat(257));
    check(long.as_bytes(), "line 2", "256");
    let bad = br#"{"id":"x","messages":[{"role":"user"},{"role":"hero","content":"hush"}]}"#;
    check(bad, "line 2", "message 2 cannot be used: unknown role `hero`");
}

#[test]
fn a_fault_in_an_array_names_its_own_line() {
    let text = format!("[\n{ONE},\n{{\n\"id\": oops\n}},\n{TWO}\n]");
    let found = read(&[("f", text.as_bytes())], None);
    assert_eq!(found.len(), 3);
    assert!(found[1].as_ref().unwrap_err().starts_with("/f, line 4:"), "{:?}", found[1]);
    let cut =
        read(&[("f", format!("[\n{ONE},\n{{\"id\":\n").as_bytes()), ("g", TWO.as_bytes())], None);
    assert!(cut[1].as_ref().unwrap_err().starts_with("/f, line 3: the rest"), "{:?}", cut[1]);
    assert_eq!(cut[2], good("two", 0));
}

#[test]
fn what_cannot_be_read_at_all_is_named() {
    let check = |name: &str, text: &[u8], expected: &str| {
        let found = read(&[(name, text), ("next", ONE.as_bytes())], None);
        assert!(found[0].as_ref().unwrap_err().contains(expected), "{:?}", found[0]);
        assert_eq!(found[1], good("one", 1));
    };
    check("f", b"\xff\xfe[\0]\0", "UTF-16");
    let folder = tempfile::tempdir().unwrap();
    let (missing, directory) = (folder.path().join("missing"), folder.path().to_owned());
    let mut reader = Reader::new(vec![missing, directory], None, Limits::default());
    let error = reader.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("missing cannot be read"), "{error}");
    let error = reader.next().unwrap().unwrap_err();
    assert!(error.source().unwrap().to_string().contains("directory"), "{error}");
}

#[test]
fn files_of_one_name_need_ids_of_their_own() {
    let found = read(&[("a/f", NAMELESS.as_bytes()), ("b/f", NAMELESS.as_bytes())], None);
    assert_eq!(found[0], good("f#1", 0));
    let error = found[1].as_ref().unwrap_err();
    for part in ["/b/f, line 1", "/a/f, line 1", "rename one", "give the conversations"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_name_that_is_too_long_for_an_id_is_told_with_a_way_out() {
    let name = "n".repeat(255);
    let found = read(&[(&name, format!("{NAMELESS}\n{ONE}").as_bytes())], None);
    let error = found[0].as_ref().unwrap_err();
    assert!(error.contains("rename the file") && error.contains("256"), "{error}");
    assert_eq!(found[1], good("one", 1));
}

#[test]
fn an_object_over_several_lines_is_told_in_which_form_to_write_it() {
    let found = read(&[("f", ONE.replace(',', ",\n").as_bytes())], None);
    let error = found[0].as_ref().unwrap_err();
    assert!(error.starts_with("/f, line 1:") && error.contains("on one line"), "{error}");
    // In an array an element may have as many lines as it likes.
    let array = format!("[{}]", ONE.replace(',', ",\n"));
    assert_eq!(read(&[("f", array.as_bytes())], None), [good("one", 1)]);
    let cut = read(&[("f", format!("[{}]", &ONE[..20]).as_bytes())], None);
    assert!(!cut[0].as_ref().unwrap_err().contains("on one line"), "{cut:?}");
}
