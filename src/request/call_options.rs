//! How a call is made.

use std::path::PathBuf;
use std::time::Duration;

use super::{FileChoice, SendGuard};
use crate::event::Priority;

/// How a call is made.
#[derive(Debug, Clone)]
pub struct CallOptions {
    /// Who goes first when the budget is short.
    pub priority: Priority,
    /// Longest wait for the budget; beyond it the call is held.
    pub max_wait: Duration,
    /// Longest time of the request, where the action says so.
    pub timeout: Option<Duration>,
    /// File for a download.
    pub output: Option<PathBuf>,
    /// Whose choice the files are that it takes along.
    pub files: FileChoice,
    /// Asked right before a request leaves whether it still may.
    pub guard: Option<SendGuard>,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            priority: Priority::default(),
            max_wait: Duration::from_secs(30),
            timeout: None,
            output: None,
            files: FileChoice::default(),
            guard: None,
        }
    }
}
