//! Members of lists that may have fewer: `steps.found[1]` where nothing makes sure of a second one.

use std::sync::LazyLock;

use regex::Regex;

use super::Rule;
use crate::check::proven::present;
use crate::check::result_shape::value;
use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{Class, Need, PathStep};

/// The second and later members of lists are read where something makes sure of them.
pub struct LaterMembers;

impl Rule for LaterMembers {
    fn summary(&self) -> &'static str {
        "The second or a later member of a list is read only where the list's length is asked for, or with `default`: a list that is not empty has a first member, no more."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            if !site.template.text().contains('[') {
                continue;
            }
            let condition =
                matches!(site.position, Position::When | Position::Step { part: StepPart::Condition, .. });
            for need in site.template.needs(condition) {
                found.extend(complaint(context, site, &need));
            }
        }
    }
}

fn complaint(context: &Context<'_>, site: &TemplateSite<'_>, need: &Need) -> Option<Diagnostic> {
    let (upto, index) = later(&need.steps, site.template.text().get(need.range.clone())?)?;
    let asked_only = need.tolerant && upto == need.steps.len();
    let list = value(context, &site.position, &need.root, &need.steps[..upto - 1]);
    if asked_only || list.class() != Some(Class::List) || is_counted(context, site) {
        return None;
    }
    // A pair of `items` or `zip` has both of its members.
    if upto == 1 && context.shape_at(&site.position, &need.root, &[]).is_none() {
        return None;
    }
    if need.is_proven(upto, &present(context, &site.position)) {
        return None;
    }
    let path = need.path_to(upto - 1);
    let message = format!("`{path}` may have no member `[{index}]`: members count from 0");
    let place = site.template.place(need.range.clone());
    let help = match index {
        ..0 => format!("the last one is `{path}[-1]`; or give the whole path a `| default(…)`"),
        _ => format!(
            "the first one is `{path}[0]`; or ask first: `if: \"{{{{ {path} | length > {index} }}}}\"`"
        ),
    };
    Some(Diagnostic::new(Code::MaybeMissing, place, message).help(help))
}

/// The first step to a member that is neither the first nor the last, as the number of steps up to it, and its index.
fn later(steps: &[PathStep], text: &str) -> Option<(usize, i64)> {
    static INDEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\[\s*(-?\d+)\s*\]").ok());
    let indexes = INDEX.as_ref()?.captures_iter(text).filter_map(|found| found[1].parse::<i64>().ok());
    let members = steps.iter().enumerate().filter(|(_, step)| **step == PathStep::Item).map(|(at, _)| at + 1);
    members.zip(indexes).find(|(_, index)| !(-1..=0).contains(index))
}

/// Whether the template or a condition before it asks for a number of members.
fn is_counted(context: &Context<'_>, site: &TemplateSite<'_>) -> bool {
    let own = match site.position {
        Position::Step { action, .. } => action.condition.as_ref(),
        _ => None,
    };
    let asked = context.recipe.when.iter().chain(own).chain([site.template]);
    asked.into_iter().any(|template| template.text().contains("length") || template.text().contains("count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_and_last_members_are_there() {
        let steps = [PathStep::Field("found".to_owned()), PathStep::Item, PathStep::Field("id".to_owned())];
        assert_eq!(later(&steps, "steps.found[1].id"), Some((2, 1)));
        assert_eq!(later(&steps, "steps.found[-2].id"), Some((2, -2)));
        for text in ["steps.found[0].id", "steps.found[-1].id", "(steps.found | first).id"] {
            assert_eq!(later(&steps, text), None, "{text}");
        }
    }
}
