//! Why a request has no result.

use lsp_server::ErrorCode;

/// Why a request has no result.
#[derive(Debug)]
pub struct Refusal {
    /// The protocol's number.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// Of a request that makes sense to the protocol, but not here.
    pub fn new(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::RequestFailed, message: message.into() }
    }
}
