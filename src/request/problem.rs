//! Problems with the inputs of an operation, found before anything is sent.

use std::fmt;

use serde_json::Value;

use crate::diagnostic::closest;
use crate::value::{ProblemKind, ShapeProblem};

/// One problem with the inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputProblem {
    /// Path of the input: `email`, `customFields.0.id`. Empty for the inputs as a whole.
    pub input: String,
    /// Description of the problem.
    pub message: String,
    /// Advice on what to do.
    pub help: Option<String>,
}

impl InputProblem {
    pub(super) fn new(input: impl Into<String>, message: impl Into<String>) -> Self {
        Self { input: input.into(), message: message.into(), help: None }
    }

    pub(super) fn unknown<'a>(path: &[String], known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let name = path.last().map_or("", String::as_str);
        let help = match closest(name, known.clone()) {
            Some(suggestion) => Some(suggestion.to_string()),
            None => {
                let names: Vec<&str> = known.take(20).collect();
                (!names.is_empty()).then(|| format!("there are {}", names.join(", ")))
            }
        };
        let place = path.join(".");
        Self { message: format!("no input `{place}`"), input: place, help }
    }

    pub(super) fn missing(path: &[String], name: &str, about: Option<String>) -> Self {
        let place: Vec<&str> = path.iter().map(String::as_str).chain([name]).collect();
        let place = place.join(".");
        Self { message: format!("`{place}` is missing"), input: place, help: about }
    }

    pub(super) fn of_shape(problem: ShapeProblem) -> Self {
        let place = problem.path.join(".");
        match problem.kind {
            ProblemKind::WrongType { expected, found } => {
                Self::new(place.clone(), format!("`{place}` must be {expected}, not {found}"))
            }
            ProblemKind::NotAllowed { allowed, found } => {
                let names: Vec<String> = allowed.iter().map(plain).collect();
                let found = plain(&found);
                let help = closest(&found, names.iter().map(String::as_str)).map(|s| s.to_string());
                let message = format!("`{place}` must be one of {}, not {found}", names.join(", "));
                Self { input: place, message, help }
            }
            ProblemKind::UnknownField { known, .. } => {
                Self::unknown(&problem.path, known.iter().map(String::as_str))
            }
            ProblemKind::MissingField { name } => Self::missing(&problem.path, &name, None),
            ProblemKind::NoneOf { names } => {
                Self::new(place.clone(), format!("`{place}` needs one of `{}`", names.join("`, `")))
            }
            ProblemKind::GivenTwice { name } => Self::new(
                place.clone(),
                format!("`{place}` is another name for `{name}`, which is given too"),
            ),
            ProblemKind::Misfit(misfit) => {
                let message = format!("`{place}` is {:?}, which {}", misfit.found, misfit.reason);
                Self { input: place, message, help: Some(misfit.remedy) }
            }
            ProblemKind::TooSmall { minimum } => {
                Self::new(place.clone(), format!("`{place}` is less than {minimum}, the minimum of the API"))
            }
            ProblemKind::TooLarge { maximum } => {
                Self::new(place.clone(), format!("`{place}` is more than {maximum}, the maximum of the API"))
            }
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl fmt::Display for InputProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// All problems on one line.
pub fn list(problems: &[InputProblem]) -> String {
    problems.iter().map(InputProblem::to_string).collect::<Vec<_>>().join("; ")
}
