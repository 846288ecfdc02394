//! Tables with the lines that their rows stand on.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::links::line_at;

/// A table: its header and its rows.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) header: Vec<Cell>,
    pub(crate) rows: Vec<Row>,
}

/// A row and its line, from 1.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) cells: Vec<Cell>,
}

/// A cell: all its text, and what of it stands in backticks.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) code: Vec<String>,
}

impl Table {
    /// The place of the column with this heading, whatever its case.
    pub(crate) fn column(&self, heading: &str) -> Option<usize> {
        self.header.iter().position(|cell| cell.text.trim().eq_ignore_ascii_case(heading))
    }
}

impl Row {
    /// The words in backticks of one cell; none where the row is too short.
    pub(crate) fn code(&self, column: usize) -> &[String] {
        self.cells.get(column).map_or(&[], |cell| &cell.code)
    }
}

/// Every table of a page.
pub(crate) fn tables(page: &str) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut table = Table::default();
    let mut row = Row::default();
    let mut cell = Cell::default();
    for (event, range) in Parser::new_ext(page, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Table(_)) => table = Table::default(),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                row = Row { line: line_at(page, range.start), cells: Vec::new() };
            }
            Event::Start(Tag::TableCell) => cell = Cell::default(),
            Event::Text(text) => cell.text.push_str(&text),
            Event::Code(code) => {
                cell.text.push_str(&code);
                cell.code.push(code.into_string());
            }
            Event::End(TagEnd::TableCell) => row.cells.push(std::mem::take(&mut cell)),
            Event::End(TagEnd::TableHead) => table.header = std::mem::take(&mut row).cells,
            Event::End(TagEnd::TableRow) => table.rows.push(std::mem::take(&mut row)),
            Event::End(TagEnd::Table) => tables.push(std::mem::take(&mut table)),
            _ => {}
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_its_lines_text_and_code() {
        let page = "# Page\n\n| Key | Default |\n|---|---|\n| `a.b` | `5` s |\n| [`c`](x.md) | |\n";
        let tables = tables(page);
        assert_eq!(tables.len(), 1);
        assert_eq!(tables[0].column("key"), Some(0));
        assert_eq!(tables[0].column("unit"), None);
        let [first, second] = &tables[0].rows[..] else { panic!("two rows expected") };
        assert_eq!(
            (first.line, first.code(0), first.code(1)),
            (5, &["a.b".into()][..], &["5".into()][..])
        );
        assert_eq!(first.cells[1].text, "5 s");
        assert_eq!((second.line, second.code(0)), (6, &["c".into()][..]));
        assert!(second.code(9).is_empty());
    }
}
