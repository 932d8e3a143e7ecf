//! Diagnostics of the checker as the protocol has them.

use lsp_types::{DiagnosticSeverity, NumberOrString};
use serde_json::json;

use super::text_position::Encoding;
use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::secret::Redactor;
use crate::source::SourceFile;

/// The name under which editors show where a diagnostic comes from.
const SOURCE: &str = "hob";

/// All of `report`.
pub fn all(report: &Report, encoding: Encoding, redactor: &Redactor) -> Vec<lsp_types::Diagnostic> {
    report.diagnostics.iter().map(|found| one(found, &report.file, encoding, redactor)).collect()
}

/// One of `file`.
pub fn one(
    found: &Diagnostic,
    file: &SourceFile,
    encoding: Encoding,
    redactor: &Redactor,
) -> lsp_types::Diagnostic {
    let code = found.code.name();
    let lines = [Some(&found.message), found.label.as_ref(), found.help.as_ref()];
    let lines: Vec<&str> = lines.into_iter().flatten().map(String::as_str).collect();
    lsp_types::Diagnostic {
        range: encoding.range(file, found.span),
        severity: Some(severity(found.code)),
        code: Some(NumberOrString::String(code.to_owned())),
        source: Some(SOURCE.to_owned()),
        message: redactor.text(&lines.join("\n")),
        data: Some(json!({ "explain": format!("hob explain {code}") })),
        ..lsp_types::Diagnostic::default()
    }
}

fn severity(code: Code) -> DiagnosticSeverity {
    match (code, code.severity()) {
        // An editor has seldom the environment in which hob runs.
        (Code::UnsetVariable, _) => DiagnosticSeverity::INFORMATION,
        (_, Severity::Error) => DiagnosticSeverity::ERROR,
        (_, Severity::Warning) => DiagnosticSeverity::WARNING,
    }
}
