//! Starts the program without the environment of the tests.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// The result of a command line.
pub struct EndedRun {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

/// Runs `hob` in `folder`.
pub fn hob(folder: &Path, arguments: &[&str]) -> EndedRun {
    hob_with(folder, arguments, "")
}

/// Runs `hob` in `folder` with `input` on standard input.
pub fn hob_with(folder: &Path, arguments: &[&str], input: &str) -> EndedRun {
    let mut command = Command::cargo_bin("hob").unwrap();
    let ended = command.env_clear().current_dir(folder).args(arguments).write_stdin(input).output().unwrap();
    EndedRun {
        code: ended.status.code().unwrap_or(-1),
        output: String::from_utf8(ended.stdout).unwrap(),
        errors: String::from_utf8(ended.stderr).unwrap(),
    }
}

impl EndedRun {
    /// Asserts the exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.output, self.errors);
        self
    }

    /// The output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {}", self.output))
    }
}
