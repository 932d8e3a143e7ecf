//! Names and ends of links.

use super::Rule;
use crate::catalog::Builtin;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{LocatedTemplate, TemplateTree, Use};

/// A link has a name, and is looked for from one end.
pub struct LinkInputs;

impl Rule for LinkInputs {
    fn summary(&self) -> &'static str {
        "A link has a name, and `links.find` is given one end of it."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let links = [
            Builtin::LinksFind,
            Builtin::LinksSave,
            Builtin::LinksDelete,
            Builtin::LinksBase,
            Builtin::LinksIntend,
            Builtin::LinksSettle,
        ];
        for (call, operation) in context.known_calls() {
            let Some(builtin) = operation.builtin.filter(|builtin| links.contains(builtin)) else { continue };
            for name in ["name", "from", "to"] {
                let Some(value) = call.with.get(name).filter(|value| is_empty(value)) else { continue };
                let message = format!("`{name}` of `{}` is empty", operation.id);
                found.push(Diagnostic::new(Code::NotAllowed, value.span, message));
            }
            let ends = ["from", "to"].map(|name| call.with.get(name).filter(|value| is_given(value)));
            if let ([Some(_), Some(to)], true) = (ends, builtin == Builtin::LinksFind) {
                let message = "`links.find` takes one end of the link, and two are given";
                let help = "give `from` or `to`, the end that is known; the result is the other one";
                found.push(Diagnostic::new(Code::FieldConflict, to.span, message).help(help));
            }
        }
    }
}

/// Whether it is a text without anything in it.
fn is_empty(value: &TemplateTree) -> bool {
    value.as_template().is_some_and(|text| text.is_literal() && text.text().is_empty())
}

/// Whether it has a value, whatever the data are.
fn is_given(value: &TemplateTree) -> bool {
    let may_be_left_out =
        |text: &&LocatedTemplate| text.uses().iter().any(|used| matches!(used, Use::Omit { .. }));
    let text = value.as_template().filter(|text| !is_empty(value) && !may_be_left_out(text));
    // An expression may be null, which is as if it were not given.
    text.is_some_and(|text| !text.is_whole() || text.is_literal() || reads_plainly(text))
}

/// Whether it is nothing but the value of one path.
fn reads_plainly(text: &LocatedTemplate) -> bool {
    let inner = text.text().trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    inner.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
}
