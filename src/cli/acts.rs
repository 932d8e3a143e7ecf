//! Records in the audit log what is done on the command line.

use super::{Failure, Session};
use crate::clock::Clock;
use crate::journal::{Act, Journal, OperatorAct};
use crate::secret::Redactor;

/// Where acts of the command line come from, in the audit log.
const ORIGIN: &str = "command line";
/// Variables with the name of the operating system's user, in the order of trust.
const USER: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// Who uses this command line.
pub(super) struct User {
    name: String,
    redactor: Redactor,
}

impl User {
    /// The operating system's user, as the environment tells it. Whoever can use the command line can say anything here; the
    /// audit log is to inform, not to prove.
    pub(super) fn of(session: &Session) -> Self {
        let named = USER.iter().find_map(|name| session.environment.get(name));
        Self { name: named.unwrap_or("unknown").to_owned(), redactor: session.streams.redactor.clone() }
    }

    /// Records that they did `act` to `target`, which changed so many runs.
    pub(super) async fn did(
        &self,
        journal: &dyn Journal,
        act: Act,
        target: &str,
        runs: u64,
    ) -> Result<(), Failure> {
        let target = self.redactor.text(target);
        let entry = OperatorAct::new(Clock::system().now(), &self.name, ORIGIN, act);
        journal.save_act(&entry.about(&target).changed(runs)).await.map_err(Failure::unavailable)
    }
}
