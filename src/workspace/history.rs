//! How long a workspace's history is kept.

use std::time::Duration;

use super::syntax;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Spanned;
use crate::value::parse_duration;

/// How long what is kept. What is unfinished is kept in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Finished runs and their events; `None`: for ever.
    pub keep: Option<Duration>,
    /// Most finished runs; `None`: any number.
    pub runs: Option<u64>,
    /// Dedup keys; `None`: for ever.
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
    /// Reads `history:`.
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
