//! One `hob run`, and what can be done to it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::sync::watch;

use crate::home::Home;

/// Longest time to begin, on a busy machine.
const BEGINNING: Duration = Duration::from_secs(120);

/// A program at work. Dropping it kills it.
pub struct Process {
    child: Child,
    address: watch::Receiver<Option<String>>,
}

impl Process {
    /// Starts it; it listens at a free port.
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::spawn(home, Command::new(assert_cmd::cargo::cargo_bin!("hob")), arguments)
    }

    /// The same; a file that may not grow any more is an error for it, not its end.
    pub fn start_limitable(home: &Home, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(assert_cmd::cargo::cargo_bin!("hob"));
        Self::spawn(home, shell, arguments)
    }

    fn spawn(home: &Home, mut program: Command, arguments: &[&str]) -> Self {
        let mut child = program
            .args(["run", "--listen", "127.0.0.1:0", "--concurrency", "64"])
            .args(arguments)
            .current_dir(home.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (found, address) = watch::channel(None);
        let (mut log, id) = (home.log(), child.id());
        // It reads to the end, so that nobody has to wait for the pipe.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("listening at ") {
                    found.send_replace(Some(address.to_owned()));
                }
                writeln!(log, "{id}: {line}").unwrap();
            }
        });
        Self { child, address }
    }

    /// Where it listens, once it does.
    pub fn address(&self) -> watch::Receiver<Option<String>> {
        self.address.clone()
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it listens.
    pub async fn ready(&mut self) {
        let begun = tokio::time::timeout(BEGINNING, self.address.wait_for(Option::is_some)).await;
        match begun {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => panic!("hob ended while it began: {:?}", self.child.wait()),
            Err(_) => panic!("hob does not begin to listen"),
        }
    }

    /// Ends it at this very moment.
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

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success(), "SIG{name} cannot be sent");
    }

    fn end(&mut self) {
        // Fails where it has ended already, and then that is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
