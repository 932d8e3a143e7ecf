//! Comments that allow a warning: `# hob: allow CODE because …`, on its line or on the one before.

use std::sync::LazyLock;

use regex::Regex;

use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::source::{SourceFile, Span};

/// Warnings that only some checks find: those of a whole workspace, and of settings.
const FOUND_ELSEWHERE: [Code; 3] = [Code::UnknownLink, Code::RecipeCycle, Code::UnsetVariable];

/// A comment that allows a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Allowance {
    /// The comment.
    span: Span,
    /// The name of the code.
    code: String,
    reason: Option<String>,
    /// The line of what it allows.
    line: usize,
}

/// Takes the allowed warnings out of `report`, and adds a warning about each allowance without a reason, an effect, or
/// a known code.
pub(super) fn apply(report: &mut Report) {
    let allowances = allowances(&report.file);
    if allowances.is_empty() {
        return;
    }
    let has_errors = report.has_errors();
    let mut found = Vec::new();
    for allowance in &allowances {
        let told = |message: String| Diagnostic::new(Code::BadAllowance, allowance.span, message);
        let name = &allowance.code;
        let Some(code) = Code::ALL.iter().copied().find(|code| code.name() == name) else {
            let names = Code::ALL.iter().map(|code| code.name());
            found.push(told(format!("there is no warning `{name}` to allow")).suggest(name, names));
            continue;
        };
        if code.severity() == Severity::Error {
            found.push(told(format!("`{name}` is an error, and cannot be allowed")));
            continue;
        }
        if allowance.reason.is_none() {
            let help = format!("say why: `# hob: allow {name} because …`");
            found.push(told(format!("no reason is given why `{name}` is allowed")).help(help));
            continue;
        }
        let before = report.diagnostics.len();
        let file = &report.file;
        let is_allowed = |diagnostic: &Diagnostic| {
            diagnostic.code == code && file.position(diagnostic.span.start).line == allowance.line
        };
        report.diagnostics.retain(|diagnostic| !is_allowed(diagnostic));
        let is_idle = report.diagnostics.len() == before;
        if is_idle && !has_errors && !FOUND_ELSEWHERE.contains(&code) {
            let message = format!("there is no `{name}` on this line or the next one to allow");
            found.push(told(message).help("remove the comment"));
        }
    }
    report.diagnostics.extend(found);
    report.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
}

fn allowances(file: &SourceFile) -> Vec<Allowance> {
    static COMMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:^|\s)(#\s*hob:\s*allow(?:\s+([\w-]+))?(?:\s+because\b[ \t]*(.*?))?[ \t]*)$").ok()
    });
    let Some(pattern) = COMMENT.as_ref().filter(|_| file.text().contains("hob:")) else { return Vec::new() };
    let lines: Vec<&str> = file.text().split('\n').collect();
    let mut found = Vec::new();
    let mut start = 0;
    for (at, line) in lines.iter().enumerate() {
        if let Some(captures) = pattern.captures(line.trim_end_matches('\r'))
            && let Some(comment) = captures.get(1)
        {
            let own_line = line.trim_start().starts_with('#');
            let is_passed_over = |line: &&&str| line.trim().is_empty() || line.trim_start().starts_with('#');
            let next = lines[at + 1..].iter().take_while(is_passed_over).count();
            let reason = captures.get(3).map(|reason| reason.as_str().trim()).filter(|text| !text.is_empty());
            found.push(Allowance {
                span: Span::new(start + comment.start(), start + comment.end()),
                code: captures.get(2).map_or(String::new(), |code| code.as_str().to_owned()),
                reason: reason.map(str::to_owned),
                line: if own_line { at + 2 + next } else { at + 1 },
            });
        }
        start += line.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str, warnings: &[(Code, &str)]) -> Vec<(Code, usize)> {
        let file = SourceFile::new("a.yaml", text);
        let diagnostics = warnings.iter().map(|(code, at)| {
            let start = text.find(at).unwrap();
            Diagnostic::new(*code, Span::new(start, start + at.len()), "odd")
        });
        let mut report = Report { diagnostics: diagnostics.collect(), file };
        apply(&mut report);
        let places = report.diagnostics.iter();
        places.map(|found| (found.code, report.file.position(found.span.start).line)).collect()
    }

    #[test]
    fn an_allowance_with_a_reason_takes_one_warning_away() {
        let warnings = [(Code::Suspicious, "x"), (Code::Suspicious, "y"), (Code::Deprecated, "z")];
        let text =
            "# hob: allow suspicious because it is right\n\nx z\ny # hob: allow suspicious because so\n";
        assert_eq!(report(text, &warnings), [(Code::Deprecated, 3)]);
    }

    #[test]
    fn others_are_told_themselves() {
        let told = [(Code::Suspicious, 2), (Code::BadAllowance, 2)];
        for comment in
            ["suspicious", "suspicious because", "suspicous because so", "unknown-step because so", ""]
        {
            let text = format!("a\nx # hob: allow {comment}\n");
            assert_eq!(report(&text, &[(Code::Suspicious, "x")]), told, "{text}");
        }
        let idle = "# hob: allow suspicious because so\na\n";
        assert_eq!(report(idle, &[]), [(Code::BadAllowance, 1)]);
        assert_eq!(report(idle, &[(Code::UnknownStep, "a\n")]), [(Code::UnknownStep, 2)]);
        assert_eq!(report("a: 'no comment#hob: allow x'\n", &[]), []);
        assert_eq!(report("# hob: allow recipe-cycle because so\na\n", &[]), []);
    }
}
