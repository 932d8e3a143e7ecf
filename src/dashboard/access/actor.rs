//! Who acts.

use chrono::{DateTime, Utc};

use crate::journal::{Act, OperatorAct};

/// Who acts, from where; in the extensions of every admitted request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The operator's name.
    pub operator: String,
    /// The client's address.
    pub origin: String,
}

impl Actor {
    /// The entry of the audit log for something that is done now.
    pub fn does(&self, at: DateTime<Utc>, act: Act) -> OperatorAct {
        OperatorAct::new(at, &self.operator, &self.origin, act)
    }
}
