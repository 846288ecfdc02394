//! The crates and their arrows, as docs/architecture.md lists them.
//!
//! The page is the one place where an arrow is granted; there is no second list to keep in step.

use super::Finding;
use crate::markdown::{Table, tables};
use crate::project::TextFile;

/// One row: a crate, what it may depend on, and whether others may depend on it yet.
#[derive(Debug)]
pub(crate) struct CrateRow {
    pub(crate) name: String,
    pub(crate) arrows: Vec<String>,
    pub(crate) reserved: bool,
    pub(crate) line: usize,
}

/// Reads the table whose columns are `crate`, `arrows to` and `state`.
pub(crate) fn read(page: &TextFile) -> Result<Vec<CrateRow>, Finding> {
    let missing = || {
        let message =
            "no table with the columns `Crate`, `Arrows to` and `State`; list every crate";
        Finding::new(&page.path, 1, message)
    };
    let tables = tables(&page.text);
    let (table, columns) =
        tables.iter().find_map(|table| Some((table, columns(table)?))).ok_or_else(missing)?;
    let [name, arrows, state] = columns;
    table
        .rows
        .iter()
        .map(|row| {
            let [crate_name] = row.code(name) else {
                let message = "a row names one crate in backticks, by its folder";
                return Err(Finding::new(&page.path, row.line, message));
            };
            let reserved = match row.cells.get(state).map(|cell| cell.text.trim()) {
                Some("works") => false,
                Some("reserved") => true,
                _ => {
                    let message = "a crate's state is `works` or `reserved`";
                    return Err(Finding::new(&page.path, row.line, message));
                }
            };
            Ok(CrateRow {
                name: crate_name.clone(),
                arrows: row.code(arrows).to_vec(),
                reserved,
                line: row.line,
            })
        })
        .collect()
}

/// Finds rows whose arrows point up or at nothing: below means further down in the table.
pub(crate) fn check(page: &str, rows: &[CrateRow]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        for arrow in &row.arrows {
            if !rows[place + 1..].iter().any(|below| &below.name == arrow) {
                let message = format!(
                    "`{}` points to `{arrow}`, which is no row below it; arrows point down only",
                    row.name
                );
                findings.push(Finding::new(page, row.line, message));
            }
        }
    }
    findings
}

fn columns(table: &Table) -> Option<[usize; 3]> {
    Some([table.column("crate")?, table.column("arrows to")?, table.column("state")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &str) -> TextFile {
        let text = format!("# Map\n\n| Crate | Arrows to | State |\n|---|---|---|\n{rows}");
        TextFile { path: "docs/architecture.md".to_owned(), text }
    }

    #[test]
    fn rows_are_read_with_their_lines() {
        let rows =
            read(&page("| [`top`](x) | `base` and `mid` | works |\n| `base` | | reserved |\n"));
        let rows = rows.unwrap();
        assert_eq!(rows[0].name, "top");
        assert_eq!(rows[0].arrows, ["base", "mid"]);
        assert_eq!((rows[0].line, rows[0].reserved), (5, false));
        assert_eq!((rows[1].line, rows[1].reserved), (6, true));
    }

    #[test]
    fn a_table_that_cannot_be_read_is_found() {
        let check = |page: TextFile, line| assert_eq!(read(&page).unwrap_err().line(), line);
        check(TextFile { path: "docs/architecture.md".to_owned(), text: "# Map\n".to_owned() }, 1);
        check(page("| top | | works |\n"), 5);
        check(page("| `a` | | works |\n| `b` | | soon |\n"), 6);
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let rows = read(&page("| `a` | `b` | works |\n| `b` | `a` | works |\n")).unwrap();
        let findings = check("docs/architecture.md", &rows);
        assert_eq!(findings.iter().map(Finding::line).collect::<Vec<_>>(), [6]);
        let rows = read(&page("| `a` | `b` | works |\n| `b` | | works |\n")).unwrap();
        assert!(check("docs/architecture.md", &rows).is_empty());
    }
}
