//! A program that keeps running and listens.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program that listens, and where.
pub struct Listening {
    pub child: Child,
    pub address: String,
}

pub fn listen(folder: &Path) -> Listening {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("hob"))
        .args(["run", "--listen", "127.0.0.1:0", "--concurrency", "16"])
        .current_dir(folder)
        .env_clear()
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("listening at ").map(str::to_owned))
        .expect("it says where it listens");
    // Nobody may have to wait for this pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Listening { child, address }
}
