//! The program in its own workspace, and the resources it used.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::sink::{CONNECTOR, OPERATIONS};

/// Writes a workspace whose only connection leads to `sink`, with one recipe.
pub fn workspace(folder: &Path, sink: SocketAddr, store: &str, recipe: &str) -> Result<()> {
    let connector = folder.join("connectors/sink");
    fs::create_dir_all(&connector)?;
    fs::create_dir_all(folder.join("recipes"))?;
    fs::write(connector.join("connector.yaml"), CONNECTOR)?;
    fs::write(connector.join("things.yaml"), OPERATIONS)?;
    fs::write(folder.join("recipes/bench.yaml"), recipe)?;
    let connections = format!("connections: {{ sink: {{ connector: sink, base_url: \"http://{sink}\" }} }}");
    fs::write(folder.join("hob.yaml"), format!("{connections}\nstore: {store}\n"))?;
    Ok(())
}

/// A running `hob run`; killed on drop.
pub struct Program {
    child: Child,
    pub address: Option<SocketAddr>,
}

/// Resources used so far.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    pub cpu: Duration,
    /// Peak and current memory, in MB.
    pub peak: f64,
    pub present: f64,
}

impl Program {
    /// Starts it in `folder` and waits until it is ready.
    pub fn start(folder: &Path, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hob"))
            .arg("run")
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?).lines();
        let listens = arguments.contains(&"--listen");
        let mut address = None;
        let mut told = Vec::new();
        for line in lines.by_ref() {
            let line = line?;
            if let Some(at) = line.strip_prefix("listening at http://") {
                address = Some(at.parse()?);
                break;
            }
            let begun = line.starts_with("running ");
            told.push(line);
            if begun && !listens {
                break;
            }
        }
        if listens && address.is_none() {
            return Err(format!("the program ended: {}", told.join("\n")).into());
        }
        // Its log must be read, or it would block.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }

    /// Resources used, according to Linux.
    pub fn used(&self) -> Result<Used> {
        let process = format!("/proc/{}", self.child.id());
        let stat = fs::read_to_string(format!("{process}/stat"))?;
        // Fields after the name in parentheses; user and system time are the 14th and 15th overall.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        let status = fs::read_to_string(format!("{process}/status"))?;
        let megabytes = |name: &str| -> Result<f64> {
            let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such line")?;
            let number: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
            Ok(number / 1024.0)
        };
        let cpu = Duration::from_millis(ticks * 10);
        Ok(Used { cpu, peak: megabytes("VmHWM")?, present: megabytes("VmRSS")? })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
