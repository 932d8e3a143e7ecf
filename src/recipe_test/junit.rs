//! Results of tests as JUnit XML, which build servers read.

use std::fmt::Write;

use super::outcome::{CaseOutcome, Failure};
use crate::source::SourceFile;

/// The results, one suite for each file, as JUnit XML.
pub fn to_junit(files: &[(SourceFile, Vec<CaseOutcome>)]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"hob\">\n");
    for (file, cases) in files {
        let failed = cases.iter().filter(|case| !case.passed()).count();
        let seconds: f64 = cases.iter().map(|case| case.took.as_secs_f64()).sum();
        let (name, all) = (escaped(file.name()), cases.len());
        writeln!(
            xml,
            "  <testsuite name=\"{name}\" tests=\"{all}\" failures=\"{failed}\" time=\"{seconds:.3}\">"
        )
        .ok();
        for case in cases {
            let (test, seconds) = (escaped(&case.name), case.took.as_secs_f64());
            write!(xml, "    <testcase classname=\"{name}\" name=\"{test}\" time=\"{seconds:.3}\"").ok();
            if case.passed() {
                xml.push_str("/>\n");
                continue;
            }
            xml.push_str(">\n");
            for Failure { span, message, differences, .. } in &case.failures {
                let place = file.position(span.start);
                let mut text = format!("{}:{}:{}: {message}", file.name(), place.line, place.column);
                for difference in differences {
                    write!(text, "\n{}", super::outcome::in_words(difference)).ok();
                }
                let (message, text) = (escaped(message), escaped(&text));
                writeln!(xml, "      <failure message=\"{message}\">{text}</failure>").ok();
            }
            xml.push_str("    </testcase>\n");
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// A text within XML. Characters that XML does not allow become `\u{fffd}`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push('\t'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
