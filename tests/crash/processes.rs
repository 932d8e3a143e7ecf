//! The processes that share one workspace: one on SQLite, several on PostgreSQL.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::process::Process;
use crate::workspace::Workspace;

/// Processes on one workspace, each of which is restarted after it was killed.
pub struct Processes {
    workspace: Arc<Workspace>,
    arguments: Vec<String>,
    members: Vec<Process>,
    addresses: Addresses,
}

/// The addresses at which the processes listen at present. Clones share it.
#[derive(Clone)]
pub struct Addresses(Arc<Mutex<Vec<watch::Receiver<Option<String>>>>>);

impl Processes {
    /// Starts `size` processes.
    pub fn start(workspace: Arc<Workspace>, size: usize, arguments: &[&str]) -> Self {
        let members: Vec<Process> = (0..size).map(|_| Process::start(&workspace, arguments)).collect();
        let addresses = Addresses(Arc::new(Mutex::new(members.iter().map(Process::address).collect())));
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { workspace, arguments, members, addresses }
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    pub fn size(&self) -> usize {
        self.members.len()
    }

    pub fn member(&mut self, index: usize) -> &mut Process {
        &mut self.members[index]
    }

    /// Kills a process. [`Self::restart`] starts another in its place.
    pub fn kill(&mut self, index: usize) {
        self.members.remove(index).kill();
    }

    /// Starts a process in the place of a killed one.
    pub fn restart(&mut self, index: usize) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let new = Process::start(&self.workspace, &arguments);
        self.addresses.0.lock().unwrap()[index] = new.address();
        self.members.insert(index, new);
    }

    /// Waits until every process listens.
    pub async fn ready(&mut self) {
        for member in &mut self.members {
            member.ready().await;
        }
    }

    /// Stops all; each has to end successfully.
    pub fn stop(self) {
        for member in self.members {
            let status = member.stop();
            assert!(status.success(), "a member ended with {status}");
        }
    }
}

impl Addresses {
    /// The address of a single process.
    pub fn of(process: &Process) -> Self {
        Self(Arc::new(Mutex::new(vec![process.address()])))
    }

    /// The address of a process that listens, another one for every `turn`.
    pub fn any(&self, turn: usize) -> Option<String> {
        let receivers = self.0.lock().unwrap();
        receivers[turn % receivers.len()].borrow().clone()
    }
}
