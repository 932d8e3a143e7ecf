//! The identity behind a credential, without secrets.

use sha2::{Digest, Sha256};

/// Characters of a fingerprint.
const LENGTH: usize = 12;

/// The identity behind a credential, without secrets.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    /// The authentication kind, as in the connector.
    pub(super) kind: Option<&'static str>,
    pub(super) credential: Option<String>,
    pub(super) app: Option<String>,
}

/// Distinguishes secrets without revealing them.
pub(super) fn fingerprint(secret: &str) -> String {
    let mut letters = hex::encode(Sha256::digest(secret));
    letters.truncate(LENGTH);
    letters
}
