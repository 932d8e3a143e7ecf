//! Conditions that are conditions.

use super::Rule;
use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::template::as_expression;

/// `if` and `when` are one `{{ … }}`, or `true` or `false`: any other text would always hold.
pub struct Conditions;

impl Rule for Conditions {
    fn summary(&self) -> &'static str {
        "`if` and `when` are exactly one `{{ … }}`, or `true` or `false`."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.texts {
            let field = match site.position {
                Position::When => "when",
                Position::Step { part: StepPart::Condition, .. } => "if",
                _ => continue,
            };
            let text = site.template.text().trim();
            if !site.template.is_whole() && !matches!(text, "true" | "false") {
                found.push(complaint(site, field, text));
            }
        }
    }
}

fn complaint(site: &TemplateSite<'_>, field: &str, text: &str) -> Diagnostic {
    let (message, span) = match () {
        () if text.is_empty() => (format!("`{field}` is empty"), site.template.span),
        () if site.template.is_literal() => {
            (format!("`{field}` is a text, not a condition: it would always hold"), site.template.span)
        }
        () if text.contains("{%") => {
            (format!("`{field}` is a block that makes text, not a condition"), site.template.span)
        }
        () => match beside(site) {
            Some(span) => {
                (format!("text beside `{{{{ … }}}}` makes `{field}` a text, not a condition"), span)
            }
            None => {
                (format!("several `{{{{ … }}}}` make `{field}` a text, not a condition"), site.template.span)
            }
        },
    };
    Diagnostic::new(Code::NotACondition, span, message).help(remedy(site, field, text))
}

/// The first text outside the expression.
fn beside(site: &TemplateSite<'_>) -> Option<Span> {
    let text = site.template.text();
    let part =
        site.template.literal_parts().into_iter().find(|part| !text[part.clone()].trim().is_empty())?;
    let shown = &text[part.clone()];
    let start = part.start + (shown.len() - shown.trim_start().len());
    Some(site.template.place(start..start + shown.trim().len()))
}

fn remedy(site: &TemplateSite<'_>, field: &str, text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "always" | "1" | "true" => return format!("write `{field}: true`"),
        "no" | "off" | "n" | "never" | "0" | "false" => return format!("write `{field}: false`"),
        "" => return format!("leave `{field}` out, or write `{field}: \"{{{{ … }}}}\"`"),
        _ => {}
    }
    match as_expression(text, &site.position.roots()) {
        Some(meant) => format!("write `{field}: {}`", quoted(&meant)),
        None if text.matches("{{").count() > 1 => {
            format!("join them in one expression: `{field}: \"{{{{ a and b }}}}\"`")
        }
        None => format!("a condition is one expression: `{field}: \"{{{{ event.status == 'client' }}}}\"`"),
    }
}

/// A text as YAML.
fn quoted(text: &str) -> String {
    match (text.contains('"'), text.contains('\'')) {
        (false, _) => format!("\"{text}\""),
        (true, false) => format!("'{text}'"),
        (true, true) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
