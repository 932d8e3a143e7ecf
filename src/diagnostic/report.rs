//! Diagnostics for machines: JSON, SARIF 2.1.0 and GitHub's workflow commands.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Applicability, Code, Diagnostic, Fix, Severity, render};
use crate::source::{SourceFile, Span};

/// The diagnostics of one file.
#[derive(Debug, Clone)]
pub struct Report {
    /// The file.
    pub file: SourceFile,
    /// Its diagnostics, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// One line of the JSON output. Lines and columns count from 1.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Path of the file.
    pub file: String,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// One past the last column.
    pub end_column: usize,
    /// `error` or `warning`.
    pub severity: Severity,
    /// The code.
    pub code: &'static str,
    /// The message.
    pub message: String,
    /// The remedy.
    pub help: Option<String>,
    /// The same as edits, where a program can make them.
    pub fix: Option<FixRow>,
}

/// A fix in the JSON output.
#[derive(Debug, Clone, Serialize)]
pub struct FixRow {
    /// What it does.
    pub title: String,
    /// `safe` or `suggested`.
    pub applicability: Applicability,
    /// The edits.
    pub edits: Vec<EditRow>,
}

/// An edit in the JSON output.
#[derive(Debug, Clone, Serialize)]
pub struct EditRow {
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// One past the last column.
    pub end_column: usize,
    /// The new text.
    pub replacement: String,
}

impl Report {
    /// Gives fixes the exact places of their edits, and drops those that do not fit the text.
    pub fn locate_fixes(&mut self) {
        for diagnostic in &mut self.diagnostics {
            diagnostic.fix = diagnostic.fix.take().and_then(|fix| fix.located(&self.file)).map(Box::new);
        }
    }

    /// The fixes that are made without asking.
    pub fn safe_fixes(&self) -> impl Iterator<Item = &Fix> {
        let fixes = self.diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_deref());
        fixes.filter(|fix| fix.applicability == Applicability::Safe)
    }

    /// One row per diagnostic.
    pub fn rows(&self) -> Vec<Row> {
        self.diagnostics.iter().map(|diagnostic| row(&self.file, diagnostic)).collect()
    }

    /// Whether anything is an error rather than a warning.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.code.severity() == Severity::Error)
    }
}

/// As shown to people, without colours.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.file, &self.diagnostics, false))
    }
}

fn row(file: &SourceFile, diagnostic: &Diagnostic) -> Row {
    let ends = |span: Span| (file.position(span.start), file.position(span.end));
    let (start, end) = ends(diagnostic.span);
    let fix = diagnostic.fix.as_ref().and_then(|fix| fix.located(file));
    let fix = fix.map(|fix| {
        let edits = fix.edits.into_iter().map(|edit| {
            let ((start, end), replacement) = (ends(edit.span), edit.replacement);
            let (line, column, end_line, end_column) = (start.line, start.column, end.line, end.column);
            EditRow { line, column, end_line, end_column, replacement }
        });
        FixRow { title: fix.title, applicability: fix.applicability, edits: edits.collect() }
    });
    Row {
        file: file.name().to_owned(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        severity: diagnostic.code.severity(),
        code: diagnostic.code.name(),
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        fix,
    }
}

/// An array of rows.
pub fn to_json(reports: &[Report]) -> Value {
    let rows: Vec<Row> = reports.iter().flat_map(Report::rows).collect();
    json!(rows)
}

/// A SARIF 2.1.0 log.
pub fn to_sarif(reports: &[Report]) -> Value {
    let rules: Vec<Value> = Code::ALL
        .iter()
        .map(|code| json!({ "id": code.name(), "shortDescription": { "text": code.summary() } }))
        .collect();
    let results: Vec<Value> = reports.iter().flat_map(Report::rows).map(|row| sarif_result(&row)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "hob", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

fn sarif_result(row: &Row) -> Value {
    let text = match &row.help {
        Some(help) => format!("{}; {help}", row.message),
        None => row.message.clone(),
    };
    let mut result = json!({
        "ruleId": row.code,
        "level": row.severity,
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": row.file },
            "region": {
                "startLine": row.line, "startColumn": row.column,
                "endLine": row.end_line, "endColumn": row.end_column,
            },
        } }],
    });
    if let Some(fix) = &row.fix {
        let replacements: Vec<Value> = fix.edits.iter().map(sarif_replacement).collect();
        result["fixes"] = json!([{
            "description": { "text": fix.title },
            "artifactChanges": [{
                "artifactLocation": { "uri": row.file },
                "replacements": replacements,
            }],
        }]);
    }
    result
}

fn sarif_replacement(edit: &EditRow) -> Value {
    json!({
        "deletedRegion": {
            "startLine": edit.line, "startColumn": edit.column,
            "endLine": edit.end_line, "endColumn": edit.end_column,
        },
        "insertedContent": { "text": edit.replacement },
    })
}

/// Workflow commands that GitHub shows beside the lines of a pull request.
pub fn to_github(reports: &[Report]) -> String {
    let mut lines = String::new();
    for row in reports.iter().flat_map(Report::rows) {
        let level = if row.severity == Severity::Error { "error" } else { "warning" };
        let text = match &row.help {
            Some(help) => format!("{}\n{help}", row.message),
            None => row.message.clone(),
        };
        let Row { file, line, column, end_line, end_column, code, .. } = row;
        let file = escape_property(&file);
        let place = format!("file={file},line={line},col={column},endLine={end_line},endColumn={end_column}");
        lines.push_str(&format!("::{level} {place},title={code}::{}\n", escape(&text)));
    }
    lines
}

/// Escapes characters that would end a value in `key=value`.
fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn reports() -> Vec<Report> {
        let file = SourceFile::new("a.yaml", "x: 1\nyy: 2\n");
        let diagnostics = vec![
            Diagnostic::new(Code::UnknownField, Span::new(5, 7), "no field `yy`")
                .suggest("yy", ["y"])
                .help("100% sure"),
        ];
        vec![Report { file, diagnostics }]
    }

    #[test]
    fn rows_have_both_ends() {
        let rows = to_json(&reports());
        assert_eq!(
            rows,
            json!([{ "file": "a.yaml", "line": 2, "column": 1, "end_line": 2, "end_column": 3,
                "severity": "error", "code": "unknown-field", "message": "no field `yy`", "help": "100% sure",
                "fix": { "title": "replace `yy` with `y`", "applicability": "suggested", "edits": [
                    { "line": 2, "column": 1, "end_line": 2, "end_column": 3, "replacement": "y" },
                ] } }])
        );
    }

    #[test]
    fn github_and_sarif_carry_the_place() {
        assert_eq!(
            to_github(&reports()),
            "::error file=a.yaml,line=2,col=1,endLine=2,endColumn=3,title=unknown-field::no field `yy`%0A100%25 sure\n"
        );
        let region =
            &to_sarif(&reports())["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region["startLine"], 2);
        let change = &to_sarif(&reports())["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0];
        assert_eq!(change["artifactLocation"]["uri"], "a.yaml");
        assert_eq!(
            change["replacements"],
            json!([{
                "deletedRegion": { "startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 3 },
                "insertedContent": { "text": "y" },
            }])
        );
    }

    #[test]
    fn a_fix_of_hidden_text_is_not_shown() {
        let mut reports = reports();
        reports[0].file = reports[0].file.masked([Span::new(5, 7)]);
        assert_eq!(to_json(&reports)[0]["fix"], Value::Null);
        reports[0].locate_fixes();
        assert_eq!(reports[0].diagnostics[0].fix, None);
    }
}
