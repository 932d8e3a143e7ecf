//! SQL by the user that owns the stores.

use crate::cluster::{Cluster, PASSWORD};

impl Cluster {
    /// Executes `sql` in the database of the stores, as their user.
    pub fn user(&self, sql: &str) {
        let address = format!("host=127.0.0.1 port={} user=hob password={PASSWORD} dbname=hob", self.port);
        self.sql(address, sql);
    }
}
