//! One written form for equal JSON texts.

use std::borrow::Cow;

use crate::limits::{LimitError, LimitKind, Limits};

/// How deep JSON nests, found without parsing it; refused where that is deeper than the limit.
///
/// On text that is not JSON the answer means nothing; the parser refuses that text afterwards.
pub(super) fn check_depth(json: &str, limits: &Limits) -> Result<usize, LimitError> {
    let mut depth = 0_usize;
    let mut deepest = 0;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
                limits.check(LimitKind::JsonDepth, depth)?;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(deepest)
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

/// Writes valid JSON without blanks between tokens, and with strings escaped no more than needed.
///
/// Names, their order and numbers stay as they are. Two texts that differ only in blanks and
/// escapes become the same, so that a repeated message is known again, whoever wrote it.
pub(super) fn normalise(json: &str) -> Cow<'_, str> {
    if is_normal(json) {
        return Cow::Borrowed(json);
    }
    let mut normal = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find(|c: char| c == '"' || is_blank(c)) {
        normal.push_str(&rest[..start]);
        rest = &rest[start..];
        if rest.starts_with('"') {
            let (token, after) = rest.split_at(string_length(rest));
            push_string(&mut normal, token);
            rest = after;
        } else {
            rest = rest.trim_start_matches(is_blank);
        }
    }
    normal.push_str(rest);
    Cow::Owned(normal)
}

fn is_normal(json: &str) -> bool {
    let mut in_string = false;
    for byte in json.bytes() {
        match byte {
            // A string with an escape may be written shorter, whichever escape it is.
            b'\\' => return false,
            b'"' => in_string = !in_string,
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => return false,
            _ => {}
        }
    }
    true
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// The length of the string token that `json` begins with, both quotes included.
fn string_length(json: &str) -> usize {
    let mut bytes = json.bytes();
    bytes.next();
    skip_string(&mut bytes);
    json.len() - bytes.len()
}

fn push_string(normal: &mut String, token: &str) {
    if !token.contains('\\') {
        normal.push_str(token);
        return;
    }
    // A lone surrogate has no other way to be written, so such a string stays as it is.
    match serde_json::from_str::<String>(token).and_then(|text| serde_json::to_string(&text)) {
        Ok(text) => normal.push_str(&text),
        Err(_) => normal.push_str(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_escapes_have_one_form() {
        let check = |json: &str, expected: &str| assert_eq!(normalise(json), expected);
        check(r#"{"a":1}"#, r#"{"a":1}"#);
        check("{ \"a\" :\n[1 ,\t2 ] }\r\n", r#"{"a":[1,2]}"#);
        check(r#"{"a":" b  c "}"#, r#"{"a":" b  c "}"#);
        check(r#"{"a": "\u00e9\/\u0041\n\""}"#, "{\"a\":\"é/A\\n\\\"\"}");
        check(r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"😀"}"#);
        check(r#"{"a":"\ud83d"}"#, r#"{"a":"\ud83d"}"#);
        check(
            r#"{"a":1.0e+10, "b":100000000000000000000000}"#,
            r#"{"a":1.0e+10,"b":100000000000000000000000}"#,
        );
        check(r#"{"a\\": "\\"}"#, r#"{"a\\":"\\"}"#);
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let limits = Limits { json_depth: 2, ..Limits::default() };
        assert!(check_depth(r#"{"a":[1]}"#, &limits).is_ok());
        assert!(check_depth(r#"{"a":["[[[{{{"]}"#, &limits).is_ok());
        assert!(check_depth(r#"{"a":"\"[[[["}"#, &limits).is_ok());
        assert!(check_depth(r#"{"a":[[1]]}"#, &limits).is_err());
        assert!(check_depth("[][][][]", &limits).is_ok());
        assert!(check_depth("\"[[[[", &limits).is_ok());
        assert!(check_depth("]]]]{", &limits).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn normal_json_means_the_same_and_stays_the_same(value in json()) {
            for written in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let normal = normalise(&written).into_owned();
                let read: serde_json::Value = serde_json::from_str(&normal).unwrap();
                proptest::prop_assert_eq!(&read, &value);
                let again = normalise(&normal).into_owned();
                proptest::prop_assert_eq!(&again, &normal);
                proptest::prop_assert_eq!(&normal, &value.to_string());
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            normalise(&text);
            let _ = check_depth(&text, &Limits::default());
        }
    }

    fn json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::btree_map(".{0,8}", inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
