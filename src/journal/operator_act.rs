//! The audit log: what operators did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Logs in.
    Login,
    /// Tries to log in, with a wrong name or password.
    LoginFailed,
    /// Logs out.
    Logout,
    /// Continues failed runs.
    Retry,
    /// Gives up on runs.
    Skip,
    /// Says what happened in parked runs.
    Resolve,
    /// Pauses a recipe.
    Pause,
    /// Resumes a recipe.
    Resume,
    /// Accepts that records which a poll withholds were removed.
    AcceptRemoved,
    /// Tries an operation on a sandbox.
    TryOut,
    /// Something else that the dashboard was asked for.
    Request,
}

impl Act {
    /// All acts.
    pub const ALL: [Self; 11] = [
        Self::Login,
        Self::LoginFailed,
        Self::Logout,
        Self::Retry,
        Self::Skip,
        Self::Resolve,
        Self::Pause,
        Self::Resume,
        Self::AcceptRemoved,
        Self::TryOut,
        Self::Request,
    ];

    /// Its stored name. Must not change.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginFailed => "login-failed",
            Self::Logout => "logout",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Resolve => "resolve",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::AcceptRemoved => "accept-removed",
            Self::TryOut => "try",
            Self::Request => "request",
        }
    }
}

/// Something that an operator did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorAct {
    /// Ids are in the order of time.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub operator: String,
    /// From where: the client's address, or how else it was done.
    pub origin: String,
    /// The name of the [`Act`]; a later version may have others.
    pub act: String,
    /// What it was about: runs, a cause, a recipe.
    pub target: String,
    /// The number of runs that it changed.
    pub runs: u64,
}

/// Most bytes of a stored text: names and addresses come from outside.
const MAX_TEXT: usize = 1_000;

impl OperatorAct {
    /// `operator` does something now.
    pub fn new(at: DateTime<Utc>, operator: &str, origin: &str, act: Act) -> Self {
        Self {
            id: Uuid::now_v7().simple().to_string(),
            at,
            operator: cut(operator),
            origin: cut(origin),
            act: act.name().to_owned(),
            target: String::new(),
            runs: 0,
        }
    }

    /// The same, about `target`.
    pub fn about(self, target: &str) -> Self {
        Self { target: cut(target), ..self }
    }

    /// The same, which changed so many runs.
    pub fn changed(self, runs: u64) -> Self {
        Self { runs, ..self }
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_TEXT)].to_owned()
}

/// Which acts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActFilter {
    /// Those of this operator.
    pub operator: Option<String>,
    /// Those of this name.
    pub act: Option<String>,
    /// Those at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Those before the one with this id.
    pub before: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_are_cut_between_characters() {
        let act = OperatorAct::new(DateTime::UNIX_EPOCH, &"ü".repeat(600), "x", Act::LoginFailed);
        assert_eq!(act.operator, "ü".repeat(500));
        assert_eq!(act.about(&"a".repeat(1_200)).target.len(), 1_000);
    }
}
