//! One `hob run` process and the signals that can be sent to it.

use std::io::Write;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use tokio::sync::watch;

use crate::spawn::spawn;
use crate::workspace::Workspace;

/// Longest time until it listens, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A running process. Dropping it kills it.
pub struct Process {
    child: Child,
    address: watch::Receiver<Option<String>>,
}

impl Process {
    /// Starts it; it listens at a free port.
    pub fn start(workspace: &Workspace, arguments: &[&str]) -> Self {
        Self::launch(workspace, Command::new(assert_cmd::cargo::cargo_bin!("hob")), arguments)
    }

    /// The same, with SIGXFSZ ignored: a write beyond the file size limit is an error, not the process's end.
    pub fn start_limitable(workspace: &Workspace, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(assert_cmd::cargo::cargo_bin!("hob"));
        Self::launch(workspace, shell, arguments)
    }

    fn launch(workspace: &Workspace, mut program: Command, arguments: &[&str]) -> Self {
        program.args(["run", "--listen", "127.0.0.1:0", "--concurrency", "64"]).args(arguments);
        let (child, lines) = spawn(program, workspace.path());
        let (found, address) = watch::channel(None);
        let (mut log, id) = (workspace.log(), child.id());
        // Reads to the end, so that the process never blocks on the pipe.
        std::thread::spawn(move || {
            for line in lines {
                if let Some(address) = line.strip_prefix("listening at ") {
                    found.send_replace(Some(address.to_owned()));
                }
                writeln!(log, "{id}: {line}").unwrap();
            }
        });
        Self { child, address }
    }

    /// The address at which it listens, once it does.
    pub fn address(&self) -> watch::Receiver<Option<String>> {
        self.address.clone()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it listens.
    pub async fn ready(&mut self) {
        let begun = tokio::time::timeout(START_TIMEOUT, self.address.wait_for(Option::is_some)).await;
        match begun {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => panic!("hob ended while it began: {:?}", self.child.wait()),
            Err(_) => panic!("hob does not begin to listen"),
        }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.end();
    }

    /// SIGSTOP: it stands still until [`Self::resume`].
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// SIGTERM; waits until it has ended.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success(), "SIG{name} cannot be sent");
    }

    fn end(&mut self) {
        // Fails if it has ended already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
