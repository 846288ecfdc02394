//! Running cargo and the tools around it.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::error::Error;
use crate::say;

/// A cargo command at the top of the project, with the cargo that started this program.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments);
    command
}

/// Runs a command whose output is shown as it comes; failing is an error that names the step.
pub(crate) fn run(step: &str, command: &mut Command) -> Result<(), Error> {
    say::step(&format!("==> {step}: {}", line(command)));
    let status = command.status().map_err(|source| start_error(command, source))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Step { step: step.to_owned(), status: describe(status) })
    }
}

/// Runs a command and returns its standard output; standard error is shown as it comes.
pub(crate) fn output(step: &str, command: &mut Command) -> Result<Vec<u8>, Error> {
    say::step(&format!("==> {step}: {}", line(command)));
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| start_error(command, source))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Step { step: step.to_owned(), status: describe(output.status) })
    }
}

/// Whether cargo knows a subcommand that is installed apart, such as `nextest`.
pub(crate) fn has_subcommand(root: &Path, name: &str) -> bool {
    cargo(root, &[name, "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn start_error(command: &Command, source: std::io::Error) -> Error {
    Error::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}

fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "ended by a signal".to_owned(),
    }
}

/// The command as someone would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy();
    let mut words = vec![name.into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn a_failing_command_is_an_error_with_its_exit_code() {
        let error = run("a step", &mut cargo(here(), &["no-such-command"])).unwrap_err();
        assert_eq!(error.to_string(), "a step failed (exit code 101)");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run("a step", &mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.to_string().contains("`no-such-program-here`"), "{error}");
    }

    #[test]
    fn an_unknown_subcommand_is_not_found() {
        assert!(!has_subcommand(here(), "no-such-command"));
    }

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let shown = line(&cargo(here(), &["doc", "--workspace"]));
        assert_eq!(shown, "cargo doc --workspace");
    }
}
