//! Every setting is documented with its default, and every documented setting exists.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Finding;
use crate::markdown::{Row, Table, code_spans, tables};
use crate::project::TextFile;

/// The folder of the pages that describe the settings.
pub(crate) const FOLDER: &str = "docs/configuration/";

/// Words that a page uses where a setting has no value by default.
const NO_VALUE: [&str; 3] = ["none", "unset", "null"];

/// Compares what `turnledger config show --json` prints with the pages.
///
/// A row of a table whose columns are `Key` and `Default` names a setting; every setting stands
/// in backticks somewhere on one of the pages. A default is compared where its cell is one word in
/// backticks and nothing else.
pub(crate) fn check(shown: &Map<String, Value>, pages: &[TextFile]) -> Vec<Finding> {
    let named: BTreeSet<String> =
        pages.iter().flat_map(|page| code_spans(&page.text)).map(|(_, code)| code).collect();
    let mut findings: Vec<Finding> = shown
        .keys()
        .filter(|key| !named.contains(*key))
        .map(|key| {
            let message = format!("no page describes the setting `{key}`; add its row");
            Finding::new(FOLDER, 1, message)
        })
        .collect();
    for page in pages {
        for table in tables(&page.text) {
            if let Some(keys) = table.column("key") {
                for row in &table.rows {
                    findings.extend(check_row(shown, page, &table, row, keys));
                }
            }
        }
    }
    findings
}

fn check_row(
    shown: &Map<String, Value>,
    page: &TextFile,
    table: &Table,
    row: &Row,
    keys: usize,
) -> Vec<Finding> {
    let finding = |message: String| Finding::new(&page.path, row.line, message);
    let [key] = row.code(keys) else {
        return vec![finding("a row names one setting in backticks; write its key".to_owned())];
    };
    let Some(setting) = shown.get(key) else {
        return vec![finding(format!("there is no setting `{key}`; take the row out or mend it"))];
    };
    let documented = table.column("default").and_then(|column| row.cells.get(column));
    let Some([written]) = documented
        .filter(|cell| cell.code.len() == 1 && cell.text == cell.code[0])
        .map(|cell| &cell.code[..])
    else {
        return Vec::new();
    };
    let is_default = setting.get("layer").and_then(Value::as_str) == Some("default");
    match default_text(setting.get("value")) {
        Some(actual) if is_default && !same(written, &actual) => {
            vec![finding(format!("the default of `{key}` is `{actual}`, not `{written}`; mend it"))]
        }
        _ => Vec::new(),
    }
}

/// The default as a page writes it; lists and objects are not compared.
fn default_text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => Some(NO_VALUE[0].to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Quotes may stand around a text, and a missing value has several words.
fn same(written: &str, actual: &str) -> bool {
    let plain = written.trim_matches('"');
    plain == actual || (actual == NO_VALUE[0] && NO_VALUE.contains(&plain))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGE: &str = "docs/configuration/settings.md";

    fn check_pages(pages: &[TextFile], expected: &[&str]) {
        let shown = json!({
            "counter.encoding": { "value": "o200k_base", "layer": "default", "source": null },
            "queue.capacity": { "value": 1000, "layer": "default", "source": null },
            "queue.workers": { "value": 2, "layer": "derived", "source": "queue.capacity" },
            "store.url": { "value": null, "layer": "default", "source": null },
        });
        let Value::Object(shown) = shown else { panic!("an object is an object") };
        let found: Vec<_> = check(&shown, pages).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, start) in found.iter().zip(expected) {
            assert!(finding.starts_with(start), "{finding}");
        }
    }

    fn page(name: &str, text: &str) -> TextFile {
        TextFile { path: format!("{FOLDER}{name}"), text: text.to_owned() }
    }

    fn check_page(text: &str, expected: &[&str]) {
        let starts: Vec<_> = expected.iter().map(|start| format!("{PAGE}:{start}")).collect();
        let starts: Vec<_> = starts.iter().map(String::as_str).collect();
        check_pages(&[page("settings.md", text)], &starts);
    }

    const GOOD: &str = "| Key | Default | Meaning |\n|---|---|---|\n\
                        | `counter.encoding` | `o200k_base` | |\n\
                        | `queue.capacity` | `1000` | |\n\
                        | `queue.workers` | the cores, at most `10` | |\n\
                        | `store.url` | `none` | |\n";

    #[test]
    fn a_page_that_agrees_passes() {
        check_page(GOOD, &[]);
        check_page(&GOOD.replace("`none`", "a file in the data folder"), &[]);
        check_page(&GOOD.replace("`o200k_base`", "`\"o200k_base\"`"), &[]);
    }

    #[test]
    fn a_setting_that_no_page_has_is_found() {
        let row = "| `queue.capacity` | `1000` | |\n";
        let rest = page("settings.md", &GOOD.replace(row, ""));
        let expected = "docs/configuration/:1: no page describes the setting `queue.capacity`";
        check_pages(&[], &["", "", "", ""]);
        check_pages(std::slice::from_ref(&rest), &[expected]);
        let other = format!("| Key | Default |\n|---|---|\n{row}");
        check_pages(&[rest.clone(), page("queue.md", &other)], &[]);
        let wrong = other.replace("1000", "1");
        check_pages(&[rest, page("queue.md", &wrong)], &["docs/configuration/queue.md:3: "]);
    }

    #[test]
    fn a_row_without_a_setting_is_found() {
        check_page(
            &format!("{GOOD}| `queue.size` | `1` | |\n"),
            &["7: there is no setting `queue.size`"],
        );
        check_page(&format!("{GOOD}| queue | `1` | |\n"), &["7: a row names one setting"]);
    }

    #[test]
    fn a_wrong_default_is_found() {
        check_page(
            &GOOD.replace("`1000`", "`100`"),
            &["4: the default of `queue.capacity` is `1000`"],
        );
        check_page(
            &GOOD.replace("`none`", "`redis:`"),
            &["6: the default of `store.url` is `none`"],
        );
    }
}
