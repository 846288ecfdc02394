//! Making the corpus of real text.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::process;
use crate::project::Project;

/// What makes the corpus: unpacking and reading what packages ship is a matter of scripts.
const SCRIPT: &str = "xtask/corpus/corpus.py";

/// What the corpus says of itself; it is written last.
const MANIFEST: &str = "manifest.json";

/// Makes the corpus in this folder, or in the usual one.
pub(crate) fn run(project: &Project, to: Option<PathBuf>) -> Result<(), Error> {
    let folder = to.unwrap_or_else(|| usual(project));
    // The script runs the clients of registries in folders of its own.
    let folder = std::path::absolute(&folder)
        .map_err(|source| Error::Write { path: folder.clone(), source })?;
    process::run("corpus", &mut script(project.root(), &folder))
}

/// The usual folder, where a corpus is made if there is none.
pub(super) fn ensure(project: &Project) -> Result<PathBuf, Error> {
    let folder = usual(project);
    if !folder.join(MANIFEST).is_file() {
        run(project, Some(folder.clone()))?;
    }
    Ok(folder)
}

fn usual(project: &Project) -> PathBuf {
    project.target().join("corpus")
}

fn script(root: &Path, folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command.arg(root.join(SCRIPT)).arg("--root").arg(root).arg("--to").arg(folder);
    // What Python compiles belongs to no project.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_there_and_is_told_both_folders() {
        let project = Project::load().unwrap();
        let command = script(project.root(), Path::new("there"));
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert!(Path::new(words[0].as_ref()).is_file(), "{words:?}");
        let root = project.root().to_string_lossy();
        assert_eq!(words[1..], ["--root", root.as_ref(), "--to", "there"]);
    }
}
