//! The settings as the program itself shows them.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::Message;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;

/// The package and the program that show the settings.
const PACKAGE: &str = "turnledger-cli";
const PROGRAM: &str = "turnledger";

/// Builds the program and asks it for every setting, with nothing set around it.
///
/// It runs in an empty folder with an empty environment, so that what it shows are defaults.
pub(crate) fn read(project: &Project) -> Result<Map<String, Value>, Error> {
    let program = build(project)?;
    let folder =
        tempfile::tempdir().map_err(|source| Error::Read { path: std::env::temp_dir(), source })?;
    let mut show = show_command(&program, folder.path());
    parse(&process::output("config show", &mut show)?)
}

fn build(project: &Project) -> Result<PathBuf, Error> {
    let arguments = ["build", "--locked", "--package", PACKAGE, "--bin", PROGRAM];
    let mut build = cargo(project.root(), &arguments);
    build.args(["--message-format", "json-render-diagnostics"]);
    let messages = process::output("building the program", &mut build)?;
    Message::parse_stream(&messages[..])
        .filter_map(Result::ok)
        .find_map(|message| match message {
            Message::CompilerArtifact(artifact) if artifact.target.name == PROGRAM => {
                artifact.executable.map(cargo_metadata::camino::Utf8PathBuf::into_std_path_buf)
            }
            _ => None,
        })
        .ok_or(Error::NoProgram { package: PACKAGE })
}

fn show_command(program: &Path, empty: &Path) -> Command {
    let mut show = Command::new(program);
    show.args(["config", "show", "--json"]).current_dir(empty).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        show.env("PATH", path);
    }
    show.env("HOME", empty);
    show
}

fn parse(output: &[u8]) -> Result<Map<String, Value>, Error> {
    match serde_json::from_slice(output) {
        Ok(Value::Object(settings)) if !settings.is_empty() => Ok(settings),
        Ok(_) => Err(Error::Settings { source: None }),
        Err(source) => Err(Error::Settings { source: Some(source) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_with_settings_is_read_and_anything_else_is_an_error() {
        let settings = parse(br#"{"queue.capacity": {"value": 1000}}"#).unwrap();
        assert!(settings.contains_key("queue.capacity"));
        for output in ["", "{}", "[]", "queue.capacity = 1000"] {
            assert!(parse(output.as_bytes()).is_err(), "{output}");
        }
    }

    #[test]
    fn nothing_of_the_surroundings_reaches_the_program() {
        let empty = Path::new("empty");
        let show = show_command(Path::new("program"), empty);
        let names: Vec<_> = show.get_envs().map(|(name, _)| name.to_owned()).collect();
        assert!(names.iter().all(|name| name == "HOME" || name == "PATH"), "{names:?}");
        assert_eq!(show.get_current_dir(), Some(empty));
    }
}
