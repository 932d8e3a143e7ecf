//! Conditions that are conditions.

use super::Rule;
use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::source::{Span, quoted};
use crate::template::{Intended, as_expression};

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
    let diagnostic = Diagnostic::new(Code::NotACondition, span, message);
    if let Some(flag) = flag(text) {
        let edit = site.template.unquoted(flag);
        let fix = edit.map(|edit| Fix::new(format!("write `{flag}`"), vec![edit]));
        return diagnostic.help(format!("write `{field}: {flag}`")).fix(fix);
    }
    match as_expression(text, &site.position.roots()) {
        Some(meant) => {
            let help = format!("write `{field}: {}`", quoted(&meant.template));
            diagnostic.help(help).fix(intended(site, &meant))
        }
        None => diagnostic.help(remedy(field, text)),
    }
}

/// The fix that writes the template that the text was meant as.
pub(super) fn intended(site: &TemplateSite<'_>, meant: &Intended) -> Option<Fix> {
    let fix =
        Fix::new(format!("write `{}`", meant.template), vec![site.template.rewritten(&meant.template)?]);
    Some(if meant.is_exact { fix } else { fix.suggested() })
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

/// The words of other languages for `true` and `false`.
fn flag(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "always" | "1" | "true" => Some("true"),
        "no" | "off" | "n" | "never" | "0" | "false" => Some("false"),
        _ => None,
    }
}

fn remedy(field: &str, text: &str) -> String {
    match text {
        "" => format!("leave `{field}` out, or write `{field}: \"{{{{ … }}}}\"`"),
        _ if text.matches("{{").count() > 1 => {
            format!("join them in one expression: `{field}: \"{{{{ a and b }}}}\"`")
        }
        _ => format!("a condition is one expression: `{field}: \"{{{{ event.status == 'client' }}}}\"`"),
    }
}
