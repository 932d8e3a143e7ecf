//! `hob run` processes that keep running during a test.

use std::path::Path;
use std::process::{Child, Command};

use crate::spawn::spawn;

/// A process that listens, and its address.
pub struct Listening {
    pub child: Child,
    pub address: String,
}

/// Starts `hob run` at a free port and waits until it listens.
pub fn listen(folder: &Path) -> Listening {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
    command.args(["run", "--listen", "127.0.0.1:0", "--concurrency", "16"]);
    let (child, mut lines) = spawn(command, folder);
    let address = lines
        .by_ref()
        .find_map(|line| line.strip_prefix("listening at ").map(str::to_owned))
        .expect("it prints its address");
    std::thread::spawn(move || lines.for_each(drop));
    Listening { child, address }
}

/// A `hob run` process that is killed at the end of its test.
pub struct Running(Child);

impl Running {
    /// Starts it and waits until it has begun to work.
    pub fn start(folder: &Path) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
        command.arg("run");
        let (child, mut lines) = spawn(command, folder);
        assert!(lines.any(|line| line.contains("Ctrl-C stops")), "it has begun to work");
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
