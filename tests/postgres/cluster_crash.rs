//! Crashes of the PostgreSQL server.

use crate::cluster::Cluster;

impl Cluster {
    /// Stops the server as a crash does: nothing is flushed, no client is notified.
    pub fn crash(&self) {
        let stopped = self.pg_ctl(&["stop", "-m", "immediate"]);
        assert!(stopped, "the server is stopped");
    }

    /// Starts it again.
    pub fn restart(&self) {
        assert!(self.is_started(), "the server starts again");
    }
}
