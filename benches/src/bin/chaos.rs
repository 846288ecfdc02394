//! Holds the embedded store to its promises; see [`benches::chaos`].

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::chaos::main()
}
