//! `hob explain`: what a code of a diagnostic means.

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

use super::{ExitCode, Failure, Format, Output, Session};
use crate::diagnostic::{Code, Severity, closest};
use crate::reference::{Explanation, explanation};

/// The page of all codes.
const PAGE: &str = include_str!("../../docs/reference/codes.md");

/// Explain a code, such as `maybe-missing`
#[derive(Debug, Args)]
#[command(after_help = "A warning that is not right for a line is allowed there, with a reason:\n  \
# hob: allow maybe-missing because every client has a phone number\n\n\
Examples:\n  hob explain maybe-missing\n  hob explain")]
pub struct Explain {
    /// The code, as in the brackets of a message [default: lists all codes]
    #[arg(value_name = "CODE")]
    code: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Explain {
    /// Prints the explanation.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let Some(name) = &self.code else {
            match self.output.format {
                Format::Json => {
                    session.streams.json(&Code::ALL.iter().copied().map(row).collect::<Value>())?
                }
                Format::Text => {
                    for code in Code::ALL {
                        session.streams.say(format!("{:<22}{}", code.name(), code.summary()))?;
                    }
                }
            }
            return Ok(ExitCode::Fine);
        };
        let name = name.trim_matches(['[', ']']);
        let Some(code) = Code::ALL.iter().copied().find(|code| code.name() == name) else {
            let reason = match closest(name, Code::ALL.iter().map(|code| code.name())) {
                Some(near) => anyhow!("there is no code `{name}`; {near}"),
                None => anyhow!("there is no code `{name}`; `hob explain` lists all codes"),
            };
            return Err(Failure::usage(reason));
        };
        match self.output.format {
            Format::Json => session.streams.json(&row(code))?,
            Format::Text => session.streams.show(text(code))?,
        }
        Ok(ExitCode::Fine)
    }
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "An error: the recipe does not run.",
        Severity::Warning => "A warning: the recipe runs.",
    }
}

fn text(code: Code) -> String {
    let mut text = format!("{}\n\n{} {}\n", code.name(), code.summary(), severity(code));
    if let Some(Explanation { recipe, output, mended }) = explanation(PAGE, code) {
        let indented = |text: &str| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
        let (recipe, mended) = (indented(&recipe), indented(&mended));
        text.push_str(&format!(
            "\nFor example, this:\n\n{recipe}\nis answered with:\n\n{output}\n\nMended:\n\n{mended}"
        ));
    }
    if code.severity() == Severity::Warning {
        let name = code.name();
        text.push_str(&format!(
            "\nWhere it is right all the same, say so on the line or the one before:\n\n  # hob: allow {name} because …\n"
        ));
    }
    text.trim_end().to_owned()
}

fn row(code: Code) -> Value {
    let explanation = explanation(PAGE, code);
    json!({
        "code": code.name(),
        "severity": code.severity(),
        "summary": code.summary(),
        "recipe": explanation.as_ref().map(|known| &known.recipe),
        "output": explanation.as_ref().map(|known| &known.output),
        "mended": explanation.as_ref().map(|known| &known.mended),
    })
}
