//! The project holds no path of one machine.

use super::Finding;
use crate::project::TextFile;

/// Folders that exist on one machine and not on the next.
const FOLDERS: [&str; 3] = ["work", "root", "home"];

/// Finds absolute paths below such folders.
pub(crate) fn check(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Some(folder) = FOLDERS.into_iter().find(|folder| names_folder(line, folder)) {
            let message = format!(
                "a path below /{folder} is of one machine; make it relative or take it out"
            );
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
    findings
}

/// A longer path may have a folder of that name, and an address a part.
fn names_folder(line: &str, folder: &str) -> bool {
    let needle = format!("/{folder}/");
    line.match_indices(&needle).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        !before.is_some_and(|letter| {
            letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | '}' | '*')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str, expected: &[usize]) {
        let file = TextFile { path: "docs/a.md".to_owned(), text: text.to_owned() };
        let lines: Vec<_> = check(&file).iter().map(Finding::line).collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for folder in FOLDERS {
            check_text(&format!("one\nsee /{folder}/someone/file"), &[2]);
            check_text(&format!("\"/{folder}/x\""), &[1]);
            check_text(&format!("file:/{folder}/x"), &[1]);
            check_text(&format!("docs/{folder}/x ../{folder}/x example.org/{folder}/"), &[]);
        }
    }
}
