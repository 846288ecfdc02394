//! The rules that `tidy` and `docs` hold the project to.
//!
//! Each rule is a function from what it looks at to its findings, so that a test can show it
//! something that breaks it.

pub(crate) mod arrow_table;
pub(crate) mod arrows;
pub(crate) mod file_size;
mod finding;
pub(crate) mod flat_variables;
pub(crate) mod leftovers;
pub(crate) mod link_targets;
pub(crate) mod machine_paths;
pub(crate) mod manifests;
pub(crate) mod metric_names;
pub(crate) mod module_files;
pub(crate) mod settings;
pub(crate) mod sleeping_tests;

pub(crate) use finding::Finding;
