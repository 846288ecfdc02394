//! Holds the stores to their promises; see [`benches::chaos`].

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::chaos::main()
}
