//! How long a workspace's history is kept.

use std::time::Duration;

use super::syntax;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Spanned;
use crate::value::parse_duration;

/// Retention. Unfinished runs are always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Age limit of finished runs and their events; `None` for no limit.
    pub keep: Option<Duration>,
    /// Maximum number of finished runs; `None` for no limit.
    pub runs: Option<u64>,
    /// Age limit of dedup keys; `None` for no limit.
    pub dedup: Option<Duration>,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for History {
    fn default() -> Self {
        Self { keep: Some(90 * DAY), runs: None, dedup: Some(400 * DAY) }
    }
}

/// Keeps everything.
const FOREVER: &str = "forever";

impl History {
    /// Parses `history:`.
    pub(super) fn read(given: syntax::History, found: &mut Vec<Diagnostic>) -> Self {
        let usual = Self::default();
        let mut age = |text: Option<Spanned<String>>, usual: Option<Duration>| match text {
            None => usual,
            Some(text) if text.value == FOREVER => None,
            Some(text) => match parse_duration(&text) {
                Ok(age) => Some(age),
                Err(error) => {
                    let help = "write a duration such as `90d`, or `forever`";
                    found.push(Diagnostic::new(Code::NotAllowed, text.span, error.to_string()).help(help));
                    usual
                }
            },
        };
        Self { keep: age(given.keep, usual.keep), dedup: age(given.dedup, usual.dedup), runs: given.runs }
    }
}
