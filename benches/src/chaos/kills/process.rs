//! A writing process, as the one who started it sees it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use super::child::Order;
use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::record::Record;

/// A process that writes; it is killed when it is let go of.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
}

const LISTEN: &str = "the writing process cannot be listened to";

impl Process {
    pub(crate) fn start(order: &Order) -> Outcome<Self> {
        let cannot = "the writing process cannot be started";
        let program = std::env::current_exe().map_err(ChaosError::system(cannot))?;
        let mut child = Command::new(program)
            .arg("write")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(ChaosError::system(cannot))?;
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        let told = match child.stdin.as_mut() {
            Some(input) => input.write_all(&line),
            None => Ok(()),
        };
        let output = child.stdout.take();
        if let (Ok(()), Some(output)) = (&told, output) {
            return Ok(Self { child, output: BufReader::new(output), line: Vec::new() });
        }
        // It cannot go on without an order.
        let _ = child.kill().and_then(|()| child.wait());
        match told {
            Err(source) => Err(ChaosError::System { what: cannot, source }),
            Ok(()) => Err(ChaosError::violation(LISTEN)),
        }
    }

    /// The next thing that it says; none when it is gone.
    pub(crate) fn next(&mut self) -> Outcome<Option<Record>> {
        self.line.clear();
        let read = self.output.read_until(b'\n', &mut self.line);
        read.map_err(ChaosError::system(LISTEN))?;
        // What it did not say wholly, it did not say.
        if self.line.pop() != Some(b'\n') {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(&self.line)?))
    }

    /// Kills it, unless it is gone.
    pub(crate) fn kill(&mut self) -> Outcome<()> {
        self.child.kill().map_err(ChaosError::system("the writing process cannot be killed"))
    }

    /// Kills it, and says how it ended.
    pub(crate) fn end(&mut self) -> Outcome<ExitStatus> {
        self.kill()?;
        self.child.wait().map_err(ChaosError::system("the writing process cannot be waited for"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
