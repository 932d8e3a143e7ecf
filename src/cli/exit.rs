//! All exit codes, and the failures that lead to them.

use std::fmt;

use crate::workspace;

/// The exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Success.
    Fine = 0,
    /// Problems in what was checked, called or run.
    Problems = 1,
    /// Wrong usage, or unreadable input.
    Usage = 2,
    /// The store, a port or the network failed.
    Unavailable = 3,
}

impl ExitCode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fine, Self::Problems, Self::Usage, Self::Unavailable];

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "All is well.",
            Self::Problems => "What was checked, called or run has problems.",
            Self::Usage => "Wrong usage, or input that cannot be read.",
            Self::Unavailable => "The store, a port or the network failed.",
        }
    }

    /// The number.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: ExitCode,
    /// The reason, for people; `None` if it has been shown.
    pub reason: Option<anyhow::Error>,
}

impl Failure {
    /// Problems that have been shown.
    pub fn shown() -> Self {
        Self { code: ExitCode::Problems, reason: None }
    }

    /// A problem in what was checked, called or run.
    pub fn problem(reason: impl Into<anyhow::Error>) -> Self {
        Self { code: ExitCode::Problems, reason: Some(reason.into()) }
    }

    /// Wrong usage, or unreadable input.
    pub fn usage(reason: impl Into<anyhow::Error>) -> Self {
        Self { code: ExitCode::Usage, reason: Some(reason.into()) }
    }

    /// An unreadable workspace, or invalid connectors.
    pub fn workspace(error: workspace::Error) -> Self {
        match error {
            workspace::Error::Connectors(_) => Self::problem(error),
            workspace::Error::Unreadable { .. } => Self::usage(error),
        }
    }

    /// The store, a port or the network failed.
    pub fn unavailable(reason: impl Into<anyhow::Error>) -> Self {
        Self { code: ExitCode::Unavailable, reason: Some(reason.into()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            // All causes in one line.
            Some(reason) => write!(f, "{reason:#}"),
            None => f.write_str("there are problems"),
        }
    }
}

/// Output that cannot be written.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::unavailable(error)
    }
}
