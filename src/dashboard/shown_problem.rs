//! A problem as pages show it.

use serde::Serialize;

use super::state::Dashboard;
use crate::journal::Error;
use crate::overview::{Problem, ProblemKind};

/// A problem with what can be done about it here.
#[derive(Serialize)]
pub(super) struct ShownProblem<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    /// The words of acts on all of its runs.
    acts: &'static [&'static str],
}

impl<'a> ShownProblem<'a> {
    pub(super) fn of(problem: &'a Problem) -> Self {
        let acts: &[&str] = match (problem.kind, &problem.step) {
            (ProblemKind::Parked, Some(_)) => &["did-not", "happened", "skip"],
            (ProblemKind::Parked | ProblemKind::Failed, _) => &["retry", "skip"],
            _ => &[],
        };
        Self { problem, acts }
    }
}

impl Dashboard {
    /// The problem with the cause whose id begins with `cause`, if its runs still have it.
    pub(super) async fn problem(&self, cause: &str) -> Result<Option<Problem>, Error> {
        let status = self.status().await?;
        let mut problems = status.problems.iter();
        let is_it = |problem: &&Problem| problem.cause.as_ref().is_some_and(|id| id.starts_with(cause));
        Ok(problems.find(is_it).cloned())
    }
}
