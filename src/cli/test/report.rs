//! Shows the results of tests.

use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::check::CheckedRecipe;
use crate::cli::{Failure, Session};
use crate::diagnostic::{Code, Diagnostic, Report, render, to_github};
use crate::recipe_test::{Answered, CaseOutcome, CoveredRecipe, Failure as Mismatch, in_words};
use crate::source::SourceFile;

/// The results of a round.
pub(super) struct Results {
    /// Files with mistakes.
    pub(super) broken: Vec<Report>,
    pub(super) files: Vec<SuiteResult>,
    pub(super) coverage: Vec<CoveredRecipe>,
    /// Least coverage of each recipe, in percent.
    pub(super) min: Option<u8>,
    pub(super) took: Duration,
}

/// The results of a test file.
pub(super) struct SuiteResult {
    pub(super) file: SourceFile,
    pub(super) recipe: CheckedRecipe,
    pub(super) cases: Vec<CaseOutcome>,
}

impl Results {
    /// Whether nothing is wrong.
    pub(super) fn passed(&self) -> bool {
        let too_little = self.coverage.iter().any(|recipe| is_too_little(recipe, self.min));
        self.broken.is_empty() && self.failed() == 0 && !too_little
    }

    /// Number of tests.
    pub(super) fn count(&self) -> usize {
        self.files.iter().map(|suite| suite.cases.len()).sum()
    }

    fn failed(&self) -> usize {
        self.files.iter().flat_map(|suite| &suite.cases).filter(|case| !case.passed()).count()
    }
}

/// The share of a recipe that its tests reach, in percent, rounded down.
fn percent(recipe: &CoveredRecipe) -> usize {
    (recipe.covered * 100).checked_div(recipe.total).unwrap_or(100)
}

fn is_too_little(recipe: &CoveredRecipe, min: Option<u8>) -> bool {
    min.is_some_and(|min| percent(recipe) < usize::from(min))
}

/// The format of the results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ResultFormat {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
    /// For people, and GitHub's workflow commands.
    Github,
}

/// Prints the results.
pub(super) fn print(results: &Results, session: &mut Session, format: ResultFormat) -> Result<(), Failure> {
    match format {
        ResultFormat::Text => print_text(results, session),
        ResultFormat::Json => {
            for report in &results.broken {
                session.show(report);
            }
            Ok(session.streams.json(&rows(results))?)
        }
        ResultFormat::Github => {
            print_text(results, session)?;
            let failed = results.files.iter().map(failures_of);
            let reports: Vec<Report> = results.broken.iter().cloned().chain(failed).collect();
            Ok(session.streams.print(&to_github(&reports))?)
        }
    }
}

/// The failures of a test file, each with the name of its test and the values that differ.
fn failures_of(suite: &SuiteResult) -> Report {
    let failures =
        suite.cases.iter().flat_map(|case| case.failures.iter().map(move |failure| (case, failure)));
    let diagnostics = failures.map(|(case, failure)| {
        let mut diagnostic = diagnostic(failure);
        diagnostic.message = format!("{}: {}", case.name, diagnostic.message);
        for difference in &failure.differences {
            diagnostic.message.push_str(&format!("\n{}", in_words(difference)));
        }
        diagnostic
    });
    Report { file: suite.file.clone(), diagnostics: diagnostics.collect() }
}

fn print_text(results: &Results, session: &mut Session) -> Result<(), Failure> {
    let colour = session.colour();
    for report in &results.broken {
        session.streams.show_coloured(&format!("{}\n", render(&report.file, &report.diagnostics, colour)))?;
    }
    for suite in &results.files {
        session.streams.say(suite.file.name())?;
        for case in &suite.cases {
            let state = match (case.passed(), colour) {
                (true, true) => "\u{1b}[32mok\u{1b}[0m    ",
                (true, false) => "ok    ",
                (false, true) => "\u{1b}[31mFAILED\u{1b}[0m",
                (false, false) => "FAILED",
            };
            session
                .streams
                .show_coloured(&format!("  {state} {}", crate::printable::line(&case.name, 200)))?;
            for remark in &case.remarks {
                session.streams.say(format!("         note: {remark}"))?;
            }
            for failure in &case.failures {
                let text = failure_text(&suite.file, failure, colour);
                session.streams.show_coloured(&text)?;
            }
            if !case.passed() {
                print_sent(case, session)?;
            }
        }
    }
    print_coverage(results, session)?;
    let (count, failed) = (results.count(), results.failed());
    let tests = if count == 1 { "1 test".to_owned() } else { format!("{count} tests") };
    let mistakes = match results.broken.len() {
        0 => String::new(),
        1 => ", 1 file with mistakes".to_owned(),
        files => format!(", {files} files with mistakes"),
    };
    let passed = count - failed;
    let seconds = results.took.as_secs_f64();
    session.streams.say(format!("{tests}: {passed} passed, {failed} failed{mistakes}, in {seconds:.2} s"))?;
    Ok(())
}

/// A failure at its place in the test file, with the values that differ.
fn failure_text(file: &SourceFile, failure: &Mismatch, colour: bool) -> String {
    let mut text = render(file, &[diagnostic(failure)], colour);
    for difference in &failure.differences {
        let shown = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        let path = if difference.path.is_empty() { "value" } else { &difference.path };
        let lines = [('-', 31, shown(&difference.expected)), ('+', 32, shown(&difference.found))];
        for (sign, code, value) in lines {
            let Some(value) = value else { continue };
            let line = crate::printable::line(&format!("{sign} {path}: {value}"), 400);
            text.push_str(&match colour {
                true => format!("\n\u{1b}[{code}m{line}\u{1b}[0m"),
                false => format!("\n{line}"),
            });
        }
    }
    let indented: Vec<String> = text.lines().map(|line| format!("         {line}")).collect();
    format!("{}\n", indented.join("\n"))
}

fn diagnostic(failure: &Mismatch) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::TestFailed, failure.span, failure.message.as_str());
    Diagnostic { help: failure.help.clone(), ..diagnostic }
}

/// What a failed test sent.
fn print_sent(case: &CaseOutcome, session: &mut Session) -> Result<(), Failure> {
    if case.sent.is_empty() {
        return Ok(());
    }
    session.streams.say("         sent, with the answers:")?;
    for sent in &case.sent {
        let answer = match sent.answered {
            Answered::Stub(status) => status.to_string(),
            Answered::Sample => "sample".to_owned(),
            Answered::Lost => "lost".to_owned(),
        };
        let inputs = Value::Object(sent.inputs.clone());
        let line = format!("         {:<7} {} {inputs}", answer, sent.operation);
        session.streams.say(crate::printable::line(&line, 300))?;
    }
    session.streams.say("")?;
    Ok(())
}

fn print_coverage(results: &Results, session: &mut Session) -> Result<(), Failure> {
    for recipe in &results.coverage {
        let CoveredRecipe { covered, total, file, .. } = recipe;
        let less = if is_too_little(recipe, results.min) { ", too little" } else { "" };
        let line =
            format!("{}: {covered} of {total} parts covered ({} %){less}", recipe.recipe, percent(recipe));
        session.streams.say(line)?;
        for missed in &recipe.missed {
            session
                .streams
                .say(format!("  {file}:{}:{}: not covered: {}", missed.line, missed.column, missed.part))?;
        }
    }
    Ok(())
}

/// The results as JSON.
fn rows(results: &Results) -> Value {
    let suites = results.files.iter().flat_map(|suite| {
        suite.cases.iter().map(|case| {
            let place = suite.file.position(case.span.start);
            let failures: Vec<Value> = case
                .failures
                .iter()
                .map(|failure| {
                    let place = suite.file.position(failure.span.start);
                    let words: Vec<String> = failure.differences.iter().map(in_words).collect();
                    json!({
                        "line": place.line,
                        "column": place.column,
                        "message": failure.message,
                        "differences": failure.differences,
                        "text": words,
                        "help": failure.help,
                    })
                })
                .collect();
            json!({
                "file": suite.file.name(),
                "line": place.line,
                "recipe": suite.recipe.name(),
                "name": case.name,
                "passed": case.passed(),
                "state": case.state,
                "reason": case.reason,
                "failures": failures,
                "remarks": case.remarks,
                "requests": case.sent,
                "seconds": case.took.as_secs_f64(),
            })
        })
    });
    let mistakes = results.broken.iter().flat_map(Report::rows);
    json!({
        "tests": suites.collect::<Vec<_>>(),
        "mistakes": mistakes.collect::<Vec<_>>(),
        "coverage": results.coverage,
        "passed": results.passed(),
    })
}
