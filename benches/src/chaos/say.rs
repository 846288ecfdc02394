//! What a run tells whoever started it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to people")]

use std::error::Error;

/// Says how a part went, on standard output.
pub(super) fn result(line: &str) {
    println!("{line}");
}

/// Says why the run failed, with every cause.
pub(super) fn error(error: &dyn Error) {
    eprintln!("chaos: FAILED: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprintln!("  because: {inner}");
        cause = inner.source();
    }
}
