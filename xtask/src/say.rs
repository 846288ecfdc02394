//! What the commands tell whoever runs them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to people")]

use std::error::Error;

/// Says a result, on standard output.
pub(crate) fn result(line: &str) {
    println!("{line}");
}

/// Says what happens next, on standard error.
pub(crate) fn step(line: &str) {
    eprintln!("{line}");
}

/// Says why a command failed, with every cause.
pub(crate) fn error(error: &dyn Error) {
    eprintln!("xtask: error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprintln!("  because: {inner}");
        cause = inner.source();
    }
}
