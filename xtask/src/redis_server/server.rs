//! The server that was decided for.

use std::path::PathBuf;
use std::process::Command;

use super::decision;
use super::machine::ThisMachine;
use crate::error::Error;
use crate::project::Project;
use crate::say;

/// The variable that names the program, for whoever runs tests and for the tests themselves.
pub(super) const VARIABLE: &str = "TURNLEDGER_REDIS_SERVER";

/// A program that serves Redis.
#[derive(Debug)]
pub(crate) struct RedisServer {
    path: PathBuf,
}

impl RedisServer {
    /// Finds a server, or installs one.
    pub(crate) fn ensure(project: &Project) -> Result<Self, Error> {
        let machine = ThisMachine::new(project.target().join("redis-server"));
        let mut path = decision::decide(&machine)?;
        if path.components().count() > 1 {
            // Tests run in the folders of their crates. A mere name is looked up on the `PATH`.
            path = std::path::absolute(&path).unwrap_or(path);
        }
        say::step(&format!("the Redis server is {}", path.display()));
        Ok(Self { path })
    }

    /// Tells a command where the server is.
    pub(crate) fn hand_to(&self, command: &mut Command) {
        command.env(VARIABLE, &self.path);
    }
}
