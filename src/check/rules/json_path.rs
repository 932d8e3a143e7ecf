//! Valid JSONPaths.

use super::Rule;
use crate::catalog::path;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{DeliveryId, Trigger, Webhook};
use crate::source::Spanned;

/// Every JSONPath parses.
pub struct JsonPaths;

impl Rule for JsonPaths {
    fn summary(&self) -> &'static str {
        "Every JSONPath (`pick`, a webhook's `id`) parses."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let id = match &context.recipe.trigger {
            Trigger::Webhook(Webhook::Path { id: DeliveryId::Path(id), .. }) => Some(id),
            _ => None,
        };
        let picks = context.recipe.all_actions().filter_map(|action| action.pick.as_ref());
        found.extend(id.into_iter().chain(picks).filter_map(complaint));
    }
}

fn complaint(text: &Spanned<String>) -> Option<Diagnostic> {
    path::check(text).err()?;
    let diagnostic = Diagnostic::new(Code::BadJsonPath, text.span, format!("`{text}` is not a JSONPath"));
    let bare = text.trim_matches(['{', '}', '%', '=', '$', ' ']).trim();
    if text.contains(['{', '}', '%']) && !bare.is_empty() {
        let path = ["event.", "body.", "json.", "json.body."].iter().find_map(|root| bare.strip_prefix(root));
        let help = format!("it takes no template; a JSONPath begins with `$`: `$.{}`", path.unwrap_or(bare));
        return Some(diagnostic.help(help));
    }
    Some(match text.starts_with('$') {
        true => diagnostic.help("write it like `$`, `$.contact.id` or `$.items[*].name`"),
        false => diagnostic.help(format!("a JSONPath begins with `$`: `$.{}`", text.trim_start_matches('.'))),
    })
}
