//! The forms of a store's URL.

use std::path::{Path, PathBuf};

use layered_settings::Url;

/// Where a store is, as its URL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// A file of the embedded store.
    File(PathBuf),
    /// The embedded store without a file.
    Memory,
    /// A server, sentinels or a cluster of Redis.
    Redis,
}

/// A shell does not expand it behind `file:`, and a directory of that name is never meant.
const TILDE: &str = "~ does not stand for the home directory here; write the path in full";

/// Why a URL names no store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nobody knows the scheme.
    UnknownScheme { scheme: String },
    /// The scheme is known and what follows it is wrong.
    Form { reason: &'static str },
}

impl StoreUrl {
    /// Reads `file:PATH`, `file:///PATH`, `memory:` or a URL of Redis, whose parts are for the pool's
    /// settings to read.
    ///
    /// What follows `file:` is the path as it stands. Only the form that begins `file://` is a URL
    /// in the sense of RFC 8089, with percent escapes.
    pub(crate) fn parse(url: &Url) -> Result<Self, Flaw> {
        let (scheme, rest) = url.expose().split_once(':').unwrap_or((url.expose(), ""));
        match scheme.to_ascii_lowercase().as_str() {
            "file" => match rest.strip_prefix("//") {
                Some(after) => absolute(after),
                None if rest.is_empty() => Err(Flaw::Form { reason: "the path is missing" }),
                None if rest.starts_with("~/") => Err(Flaw::Form { reason: TILDE }),
                None => Ok(Self::File(rest.into())),
            },
            "memory" if matches!(rest, "" | "//") => Ok(Self::Memory),
            "memory" => Err(Flaw::Form { reason: "nothing follows the colon of memory:" }),
            "redis" | "rediss" | "redis-sentinel" | "rediss-sentinel" | "redis-cluster"
            | "rediss-cluster" => Ok(Self::Redis),
            _ => Err(Flaw::UnknownScheme { scheme: scheme.to_owned() }),
        }
    }
}

/// The URL of a file: the path as it stands, or escaped where a URL cannot hold it so.
pub(crate) fn of_file(path: &Path) -> String {
    let plain =
        path.to_str().filter(|text| !text.starts_with("//")).map(|text| format!("file:{text}"));
    match plain {
        Some(url) if Url::parse(&url).is_some() => url,
        _ => {
            // The escaped form has no relative paths.
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            format!("file://{}", escaped(absolute.as_os_str().as_encoded_bytes()))
        }
    }
}

/// The path in what follows `file://`.
fn absolute(after: &str) -> Result<StoreUrl, Flaw> {
    let refuse = |reason| Err(Flaw::Form { reason });
    let (host, path) = after.split_at(after.find('/').unwrap_or(after.len()));
    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
        return refuse("what follows file:// is a host; write file:PATH for a relative path");
    }
    if path.len() < 2 {
        return refuse("the path is missing");
    }
    if path.contains(['?', '#']) {
        return refuse("a ? or # in file:///PATH is written as %3F or %23");
    }
    match unescaped(path) {
        Some(path) => Ok(StoreUrl::File(path)),
        None => refuse("a % in file:///PATH begins an escape; write %25 for the character"),
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            url.push(char::from(*byte));
        } else {
            url.push('%');
            url.extend(
                [byte >> 4, byte & 15]
                    .map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)])),
            );
        }
        url
    })
}

fn unescaped(path: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut half =
            || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push((half()? << 4) | half()?);
    }
    // A path with a zero byte names no file on any system.
    if bytes.contains(&0) {
        return None;
    }
    #[cfg(unix)]
    let path = <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes);
    #[cfg(not(unix))]
    let path = String::from_utf8(bytes).ok()?;
    Some(path.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<StoreUrl, Flaw> {
        StoreUrl::parse(&Url::parse(text).unwrap())
    }

    #[test]
    fn each_form_is_read() {
        let file = |path: &str| Ok(StoreUrl::File(path.into()));
        let check = |url: &str, expected: Result<StoreUrl, Flaw>| {
            assert_eq!(parse(url), expected, "{url}");
        };
        check("memory:", Ok(StoreUrl::Memory));
        check("memory://", Ok(StoreUrl::Memory));
        check("MEMORY:", Ok(StoreUrl::Memory));
        check("file:a.redb", file("a.redb"));
        check("file:../a b/100%.redb?x#y", file("../a b/100%.redb?x#y"));
        check("file:/a/b%20c", file("/a/b%20c"));
        check("FILE:a", file("a"));
        check("file:///a/b", file("/a/b"));
        check("file://localhost/a/b", file("/a/b"));
        check("file:///a/b%20c%25%c3%A9", file("/a/b c%é"));
        check("file:////a", file("//a"));
        for scheme in ["redis", "REDISS", "redis-sentinel", "rediss-cluster"] {
            check(&format!("{scheme}://u:p@h/0"), Ok(StoreUrl::Redis));
        }
    }

    #[test]
    fn what_is_no_store_is_refused() {
        let scheme = |scheme: &str| scheme.to_owned();
        let check = |url: &str, expected: Flaw| {
            assert_eq!(parse(url), Err(expected), "{url}");
        };
        for other in ["http", "sqlite", "C", "files", "memoryx", "redis+unix", "valkey"] {
            check(&format!("{other}:x"), Flaw::UnknownScheme { scheme: scheme(other) });
        }
        for url in [
            "file:",
            "file:~/a",
            "file://",
            "file:///",
            "file://a.redb",
            "file://host/a",
            "file:///a%2",
            "file:///a%zz",
            "file:///a%é0",
            "file:///a%00",
            "file:///a?b",
            "file:///a#b",
            "memory:a",
            "memory:///",
        ] {
            let flaw = parse(url).unwrap_err();
            assert!(matches!(flaw, Flaw::Form { .. }), "{url}: {flaw:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_survive() {
        use std::os::unix::ffi::OsStringExt as _;

        let path = PathBuf::from(std::ffi::OsString::from_vec(b"/a\xff/b\n%".into()));
        let url = of_file(&path);
        assert_eq!(url, "file:///a%FF/b%0A%25");
        assert_eq!(parse(&url), Ok(StoreUrl::File(path)));
    }

    proptest! {
        #[test]
        fn the_url_of_a_file_leads_back_to_it(path in "/{1,2}([a%?#: é\n/]|[!-~]){0,20}a") {
            let url = of_file(Path::new(&path));
            prop_assert_eq!(parse(&url), Ok(StoreUrl::File(path.into())));
        }

        #[test]
        fn no_text_panics(text in "(file|memory|redis):?/{0,4}([a%#?@ é0-9]|\\PC){0,20}") {
            if let Some(url) = Url::parse(&text) {
                let _ = StoreUrl::parse(&url);
            }
        }
    }
}
