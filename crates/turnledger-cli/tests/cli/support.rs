//! A folder of its own for each test, and the program started in it.

use std::fs;
#[cfg(unix)]
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Output, Stdio};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The sample that lies beside the program.
pub(crate) const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample/conversations.jsonl");

/// A folder that is home, working directory and place of the store.
pub(crate) struct Place(TempDir);

/// What a run printed, and how it ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and returns its name.
    pub(crate) fn file<'a>(&self, name: &'a str, text: impl AsRef<[u8]>) -> &'a str {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        name
    }

    /// A process that knows nothing of this machine's user.
    pub(crate) fn process(&self, words: &[&str]) -> Process {
        let mut process = Process::new(program());
        process.args(words).current_dir(self.path()).env_clear();
        for (name, folder) in
            [("HOME", "home"), ("XDG_CONFIG_HOME", "home/config"), ("XDG_DATA_HOME", "home/data")]
        {
            process.env(name, self.path().join(folder));
        }
        process
    }

    /// Runs the program with words, standard input and variables.
    pub(crate) fn run_with(&self, words: &[&str], input: &str, variables: &[(&str, &str)]) -> Run {
        let mut process = self.process(words);
        process.envs(variables.iter().copied());
        let output = Command::from_std(process).write_stdin(input).output().unwrap();
        Run::of(&output)
    }

    /// Runs the program.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        self.run_with(words, "", &[])
    }

    /// Runs the program on the file `memory.redb` of this place.
    pub(crate) fn on_store(&self, words: &[&str]) -> Run {
        self.run(&[&["--store", "file:memory.redb"], words].concat())
    }

    /// Runs the program on that file with standard input.
    pub(crate) fn on_store_with(&self, words: &[&str], input: &str) -> Run {
        self.run_with(&[&["--store", "file:memory.redb"], words].concat(), input, &[])
    }

    /// Runs a command of a POSIX shell in the place of the program.
    #[cfg(unix)]
    pub(crate) fn in_shell(&self, command: &str) -> Run {
        let mut shell = Process::new("sh");
        shell.arg("-c").arg(command).current_dir(self.path()).env_clear();
        let same = self.process(&[]);
        shell.envs(same.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Run::of(&shell.output().unwrap())
    }

    /// Starts the program with all its streams in the hands of the test.
    pub(crate) fn start(&self, words: &[&str]) -> std::process::Child {
        let mut process = self.process(words);
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        process.spawn().unwrap()
    }
}

/// A new terminal: what a person sees and types, and what a program is given of it.
#[cfg(unix)]
pub(crate) fn terminal() -> (File, File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    let program = File::options().read(true).write(true).open(name).unwrap();
    (person.into(), program)
}

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_turnledger").into()
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Self { code: output.status.code(), stdout, stderr }
    }

    /// Insists on the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "\nstdout: {stdout}\nstderr: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        self
    }

    /// Insists that standard error says this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is not in:\n{}", self.stderr);
        self
    }

    /// Insists that standard output holds this.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "{text:?} is not in:\n{}", self.stdout);
        self
    }

    /// Every line of standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        let line =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        self.stdout.lines().map(line).collect()
    }
}

/// One conversation in the OpenAI form, with an id.
pub(crate) fn conversation(id: &str, texts: &[&str]) -> String {
    let messages: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(place, text)| {
            let role = if place % 2 == 0 { "user" } else { "assistant" };
            serde_json::json!({"role": role, "content": text})
        })
        .collect();
    serde_json::json!({"id": id, "messages": messages}).to_string()
}
