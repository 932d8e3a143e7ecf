//! Starts the program as a process that keeps running.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts `command` in `folder`, without the tests' environment and with no output except standard error. Returns the
/// process and the lines of its standard error.
///
/// The lines must be read to their end, or the process blocks once the pipe is full.
pub fn spawn(mut command: Command, folder: &Path) -> (Child, impl Iterator<Item = String> + Send + 'static) {
    let mut child = command
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    (child, lines)
}
