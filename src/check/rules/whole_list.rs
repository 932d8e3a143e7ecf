//! Lists of `for_each`.

use super::Rule;
use super::condition::intended;
use crate::check::{Context, Position, StepPart};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::quoted;
use crate::template::as_expression;

/// `for_each` is one `{{ … }}`: any other text is not a list.
pub struct WholeLists;

impl Rule for WholeLists {
    fn summary(&self) -> &'static str {
        "`for_each` is exactly one `{{ … }}`, since anything else makes text, which is no list."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.texts {
            let Position::Step { part: StepPart::List, .. } = site.position else { continue };
            if site.template.is_whole() {
                continue;
            }
            let message = "`for_each` takes a list, and this makes text";
            let diagnostic = Diagnostic::new(Code::WrongType, site.template.span, message);
            let meant = as_expression(site.template.text(), &site.position.roots());
            found.push(match meant {
                Some(meant) => {
                    let help = format!("write `for_each: {}`", quoted(&meant.template));
                    diagnostic.help(help).fix(intended(site, &meant))
                }
                None => diagnostic.help("write one expression: `for_each: \"{{ event.notes }}\"`"),
            });
        }
    }
}
