//! The project as it lies on the disk: its packages and its files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};
use ignore::WalkBuilder;

use crate::error::Error;

/// The workspace, its packages and where it lies.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Package>,
}

/// A text file, by its path from the top of the project with `/` between folders.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Project {
    /// Asks cargo for the workspace around the working directory.
    pub(crate) fn load() -> Result<Self, Error> {
        let metadata = MetadataCommand::new()
            .no_deps()
            .exec()
            .map_err(|source| Error::Metadata(Box::new(source)))?;
        let packages = metadata.workspace_packages().into_iter().cloned().collect();
        Ok(Self {
            root: metadata.workspace_root.into_std_path_buf(),
            target: metadata.target_directory.into_std_path_buf(),
            packages,
        })
    }

    /// The top of the project.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts what it builds, and commands what they make.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The packages of the workspace.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// A path below the top, with `/` between folders.
    pub(crate) fn relative(&self, path: &Path) -> String {
        relative(&self.root, path)
    }

    /// Every file that belongs to the project: what `.gitignore` does not name.
    ///
    /// It needs no git, so that an unpacked archive is checked like a clone.
    pub(crate) fn files(&self) -> Result<BTreeSet<String>, Error> {
        files_below(&self.root)
    }

    /// Reads one file of the project.
    pub(crate) fn read(&self, path: &str) -> Result<TextFile, Error> {
        let full = self.root.join(path);
        let text =
            std::fs::read_to_string(&full).map_err(|source| Error::Read { path: full, source })?;
        Ok(TextFile { path: path.to_owned(), text })
    }

    /// Reads every file whose name ends with a dot and this extension.
    pub(crate) fn read_all(
        &self,
        files: &BTreeSet<String>,
        extension: &str,
    ) -> Result<Vec<TextFile>, Error> {
        files
            .iter()
            .filter(|path| Path::new(path).extension().is_some_and(|found| found == extension))
            .map(|path| self.read(path))
            .collect()
    }

    /// Reads a file, or nothing where it is not text.
    pub(crate) fn read_if_text(&self, path: &str) -> Result<Option<TextFile>, Error> {
        let full = self.root.join(path);
        let bytes = std::fs::read(&full).map_err(|source| Error::Read { path: full, source })?;
        Ok(String::from_utf8(bytes).ok().map(|text| TextFile { path: path.to_owned(), text }))
    }
}

fn files_below(root: &Path) -> Result<BTreeSet<String>, Error> {
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    let mut files = BTreeSet::new();
    for entry in walk {
        let entry = entry.map_err(|source| Error::List(Box::new(source)))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.insert(relative(root, entry.path()));
        }
    }
    Ok(files)
}

fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn hidden_files_count_and_ignored_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for inner in [".ci", ".git", "target", "src"] {
            fs::create_dir(root.join(inner)).unwrap();
            fs::write(root.join(inner).join("file"), "x").unwrap();
        }
        fs::write(root.join(".gitignore"), "/target\n").unwrap();

        let files = files_below(root).unwrap();

        assert_eq!(files.into_iter().collect::<Vec<_>>(), [".ci/file", ".gitignore", "src/file"]);
    }
}
