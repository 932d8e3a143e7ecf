//! Logins of the dashboard.

use chrono::{DateTime, Utc};

/// A login that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorSession {
    /// The hash of the secret in the operator's cookie.
    pub id: [u8; 32],
    /// The operator's name.
    pub operator: String,
    /// A hash of the credential that was used: a session ends when the operator gets another one.
    pub credential: [u8; 32],
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it was last used, about.
    pub used: DateTime<Utc>,
}
