//! The processes that share the work: one on SQLite, several on PostgreSQL.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::home::Home;
use crate::process::Process;

/// Programs on one workspace, each of which is started again when it was killed.
pub struct Fleet {
    home: Arc<Home>,
    arguments: Vec<String>,
    members: Vec<Process>,
    addresses: Addresses,
}

/// Where the members listen at present. Clones share it.
#[derive(Clone)]
pub struct Addresses(Arc<Mutex<Vec<watch::Receiver<Option<String>>>>>);

impl Fleet {
    /// Starts so many processes.
    pub fn start(home: Arc<Home>, size: usize, arguments: &[&str]) -> Self {
        let members: Vec<Process> = (0..size).map(|_| Process::start(&home, arguments)).collect();
        let addresses = Addresses(Arc::new(Mutex::new(members.iter().map(Process::address).collect())));
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { home, arguments, members, addresses }
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

    /// Kills a member. Nobody is there in its place until another is begun.
    pub fn kill(&mut self, index: usize) {
        self.members.remove(index).kill();
    }

    /// Starts a program in the place of one that was killed.
    pub fn begin(&mut self, index: usize) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let new = Process::start(&self.home, &arguments);
        self.addresses.0.lock().unwrap()[index] = new.address();
        self.members.insert(index, new);
    }

    /// Waits until every member listens.
    pub async fn ready(&mut self) {
        for member in &mut self.members {
            member.ready().await;
        }
    }

    /// Asks all to stop, which they do well.
    pub fn stop(self) {
        for member in self.members {
            let status = member.stop();
            assert!(status.success(), "a member ended with {status}");
        }
    }
}

impl Addresses {
    /// That of a single program.
    pub fn of(process: &Process) -> Self {
        Self(Arc::new(Mutex::new(vec![process.address()])))
    }

    /// The address of some member that listens, another one for every `turn`.
    pub fn any(&self, turn: usize) -> Option<String> {
        let receivers = self.0.lock().unwrap();
        receivers[turn % receivers.len()].borrow().clone()
    }
}
