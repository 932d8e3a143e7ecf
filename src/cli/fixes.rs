//! Makes the fixes that need no asking, in memory until they are written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use similar::TextDiff;

use super::replace_file::replace_file;
use super::{Failure, Session};
use crate::diagnostic::{Fix, Report, apply};
use crate::source::{SourceFile, parse};
use crate::workspace;

/// One mend may uncover the next: so often at most.
const MAX_ROUNDS: usize = 20;

/// Files with the fixes made in them.
#[derive(Debug, Default)]
pub(super) struct Fixes {
    files: BTreeMap<PathBuf, Fixed>,
}

/// A file with the fixes made in it.
#[derive(Debug)]
struct Fixed {
    /// As shown.
    name: String,
    before: String,
    after: String,
    made: usize,
}

impl Fixes {
    /// Makes all fixes that need no asking, while `check` finds some. Nothing is written.
    pub(super) fn make(
        session: &mut Session,
        mut check: impl FnMut(&mut Session) -> Result<Vec<Report>, Failure>,
    ) -> Result<Self, Failure> {
        let mut fixes = Self::default();
        for _ in 0..MAX_ROUNDS {
            let reports = check(session)?;
            let mut more = false;
            for report in &reports {
                more |= fixes.mend(session, report);
            }
            if !more {
                break;
            }
        }
        Ok(fixes)
    }

    /// Whether there was something to mend in the file of `report`.
    fn mend(&mut self, session: &mut Session, report: &Report) -> bool {
        let fixes: Vec<&Fix> = report.safe_fixes().collect();
        let path = session.path(Path::new(report.file.name()));
        let known = self.files.get(&path);
        // Only recipes and tests are read again before they are written.
        let is_read_again = path.file_name().is_none_or(|name| name != workspace::FILE);
        if fixes.is_empty() || known.is_some() && !is_read_again {
            return false;
        }
        let before = match known {
            Some(known) => known.after.clone(),
            None => match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(_) => return false,
            },
        };
        let (after, made) = sound(&before, &fixes);
        if made == 0 {
            return false;
        }
        session.texts.insert(path.clone(), after.clone());
        let name = report.file.name().to_owned();
        let fixed = self.files.entry(path).or_insert(Fixed { name, before, after: String::new(), made: 0 });
        fixed.after = after;
        fixed.made += made;
        true
    }

    /// How many were made.
    pub(super) fn made(&self) -> usize {
        self.files.values().map(|file| file.made).sum()
    }

    /// The number of files.
    pub(super) fn files(&self) -> usize {
        self.files.len()
    }

    /// Writes the files, each at once.
    pub(super) fn write(&self, session: &mut Session) -> Result<(), Failure> {
        session.texts.clear();
        for (path, file) in &self.files {
            replace_file(path, &file.after)
                .with_context(|| format!("cannot write {}", file.name))
                .map_err(Failure::unavailable)?;
        }
        Ok(())
    }

    /// What writing them would change, as a unified diff.
    pub(super) fn diff(&self) -> String {
        let diffs = self.files.values().map(|file| {
            let diff = TextDiff::from_lines(&file.before, &file.after);
            diff.unified_diff().header(&file.name, &file.name).to_string()
        });
        diffs.collect()
    }
}

/// `text` with `fixes`, and how many were made: all at once, or if they do not go together, those that do.
fn sound(text: &str, fixes: &[&Fix]) -> (String, usize) {
    let errors = |text: &str| parse(&SourceFile::new("", text)).errors.len();
    let known = errors(text);
    let (all, made) = apply(text, fixes.iter().copied());
    if errors(&all) <= known {
        return (all, made);
    }
    let mut kept: Vec<&Fix> = Vec::new();
    for fix in fixes {
        let more = apply(text, kept.iter().chain([fix]).copied()).0;
        if errors(&more) <= known {
            kept.push(fix);
        }
    }
    apply(text, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn fixes_that_break_the_text_together_are_made_apart() {
        let text = "wth: 1\nwiht: 2\nothr: 3\n";
        let rename = |name: &str, other: &str| {
            let at = text.find(name).unwrap();
            Fix::rename(Span::new(at, at + name.len()), name, other).unwrap()
        };
        let fixes = [rename("wth", "with"), rename("wiht", "with"), rename("othr", "other")];
        let (mended, made) = sound(text, &fixes.iter().collect::<Vec<_>>());
        assert_eq!((mended.as_str(), made), ("with: 1\nwiht: 2\nother: 3\n", 2), "not the same key twice");
    }
}
