//! Options of a call.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{FileChoice, SendGuard};
use crate::event::Priority;

/// Options of a call.
#[derive(Debug, Clone)]
pub struct CallOptions {
    /// Priority among calls that wait for the same budget.
    pub priority: Priority,
    /// The recipe that it is for, if there is one.
    pub recipe: Option<Arc<str>>,
    /// Longest wait for the budget; when it would take longer, the call is put off.
    pub max_wait: Duration,
    /// Timeout of the request, where the action sets one.
    pub timeout: Option<Duration>,
    /// File to which a download is written.
    pub output: Option<PathBuf>,
    /// Who chose the files that the request uploads.
    pub files: FileChoice,
    /// Checked right before a request is sent.
    pub guard: Option<SendGuard>,
}

/// Those of a person's call, who waits for it.
impl Default for CallOptions {
    fn default() -> Self {
        Self {
            priority: Priority::Webhook,
            recipe: None,
            max_wait: Duration::from_secs(30),
            timeout: None,
            output: None,
            files: FileChoice::default(),
            guard: None,
        }
    }
}
