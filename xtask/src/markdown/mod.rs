//! What the rules read out of Markdown: tables, links, headings and code.

mod links;
mod tables;

pub(crate) use links::{anchors, code_spans, links};
pub(crate) use tables::{Row, Table, tables};
