//! The documentation builds without a warning, and its links lead somewhere.

use super::tidy;
use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::rules::link_targets;

/// Follows every relative link, then builds the documentation of all crates.
pub(crate) fn run(project: &Project) -> Result<(), Error> {
    let files = project.files()?;
    let pages = project.read_all(&files, "md")?;
    let summary = format!("{} pages", pages.len());
    tidy::report("docs", &summary, link_targets::check(&pages, &files))?;
    let mut doc =
        cargo(project.root(), &["doc", "--workspace", "--no-deps", "--all-features", "--locked"]);
    doc.env("RUSTDOCFLAGS", "--deny warnings");
    process::run("documentation", &mut doc)
}
