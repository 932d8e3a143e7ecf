//! Who a credential stands for, without what proves it.

use sha2::{Digest, Sha256};

/// Letters of a fingerprint.
const LETTERS: usize = 12;

/// Who a credential stands for, without what proves it.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    /// The way to authenticate, as in the connector.
    pub(super) kind: Option<&'static str>,
    pub(super) credential: Option<String>,
    pub(super) app: Option<String>,
}

/// Tells secrets apart without telling them.
pub(super) fn fingerprint(secret: &str) -> String {
    let mut letters = hex::encode(Sha256::digest(secret));
    letters.truncate(LETTERS);
    letters
}
