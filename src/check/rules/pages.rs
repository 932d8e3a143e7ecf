//! Lists that are read completely where all items are needed.

use super::Rule;
use crate::catalog::{Operation, Paging, path};
use crate::check::context::Call;
use crate::check::{Context, Position, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::Action;
use crate::template::{PathStep, Use};

/// Steps read lists completely if all items are used, and `pages` is used only with paging operations.
pub struct WholeLists;

impl Rule for WholeLists {
    fn summary(&self) -> &'static str {
        "A step's list that is used has been read to its end (`pages: all`), or the recipe says how much of it is wanted."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls() {
            let Some(action) = call.action else { continue };
            match &action.pages {
                Some(pages) if operation.list.is_none() => {
                    let message = format!("`{}` is no list that could be read page by page", operation.id);
                    let diagnostic = Diagnostic::new(Code::FieldConflict, pages.span, message);
                    found.push(diagnostic.help("leave `pages` out"));
                }
                Some(pages) if has_no_place(operation) => {
                    let message = format!(
                        "`{}` answers its items in several places, which cannot be read page by page",
                        operation.id
                    );
                    let diagnostic = Diagnostic::new(Code::FieldConflict, pages.span, message);
                    found.push(diagnostic.help("leave `pages` out"));
                }
                None if reads_one_page(call, operation) => {
                    found.extend(first_use(context, action, operation))
                }
                _ => {}
            }
        }
    }
}

/// Whether no one place of the answer could hold the items of all pages.
fn has_no_place(operation: &Operation) -> bool {
    let is_place = |at: &String| path::pointer(at.trim_end_matches("[*]")).is_some();
    operation.list.as_ref().is_some_and(|list| {
        list.paging != Paging::None && !list.items.is_empty() && !list.items.iter().any(is_place)
    })
}

/// Whether it reads one page, without the recipe choosing which.
fn reads_one_page(call: &Call<'_>, operation: &Operation) -> bool {
    let Some(list) = operation.list.as_ref().filter(|list| list.paging != Paging::None) else { return false };
    let paging = list.paging_inputs();
    !call.inputs().iter().any(|(name, _)| paging.contains(&name.as_str()))
}

/// The fields that lead from the step's result to the list; none if the result is not the list.
fn way_to_list(action: &Action, operation: &Operation) -> Option<Vec<String>> {
    let given = action.pick.as_ref().map(|pick| pick.as_str());
    let taken = given.or(operation.result.first().map(String::as_str)).unwrap_or("$");
    let names = |text: &str| path::pointer(text.trim_end_matches("[*]"));
    let (taken, list) = (names(taken)?, names(operation.list.as_ref()?.items.first()?)?);
    let rest = list.strip_prefix(&taken)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.split('/').skip(1).map(str::to_owned).collect())
}

/// Whether the path reads the list, something in it, or its container.
fn leads_to(steps: &[PathStep], way: &[String]) -> bool {
    steps.iter().zip(way).all(|(step, name)| matches!(step, PathStep::Field(field) if field == name))
}

/// Whether all items are needed, rather than the first one or whether there is any.
fn wants_all(site: &TemplateSite<'_>, start: usize, id: &str, way: &[String]) -> bool {
    let text = site.template.text();
    let mut tail = text.get(start..).and_then(|path| path.split_once(id)).map_or("", |(_, tail)| tail);
    tail = tail.strip_prefix("']").or(tail.strip_prefix("\"]")).unwrap_or(tail);
    for name in way {
        tail = tail.strip_prefix('.').and_then(|tail| tail.strip_prefix(name.as_str())).unwrap_or(tail);
    }
    let tail = tail.trim_start();
    let filter = tail.strip_prefix('|').map(str::trim_start);
    let takes_first = tail.starts_with('[')
        || filter.is_some_and(|filter| {
            filter
                .strip_prefix("first")
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
    let condition = matches!(site.position, Position::Step { part: StepPart::Condition, .. });
    let before = text.get(..start).unwrap_or("").split_whitespace().next_back().unwrap_or("");
    let asked = condition || ["if", "elif", "not"].contains(&before);
    let ends = ["}}", "-}}", "%}", "-%}", ")", "and ", "or ", "else "];
    let asks_presence = asked && (tail.is_empty() || ends.iter().any(|end| tail.starts_with(end)));
    !takes_first && !asks_presence
}

/// The first place that uses the page like the list.
fn first_use(context: &Context<'_>, action: &Action, operation: &Operation) -> Option<Diagnostic> {
    let way = way_to_list(action, operation)?;
    // A recipe that tests for more knows the limit.
    if context.sites.iter().any(|site| site.template.text().contains("run.more")) {
        return None;
    }
    let range = |site: &&TemplateSite<'_>| {
        site.template.uses().iter().find_map(|used| match used {
            Use::Path { root, steps, range, .. } if root == "steps" => match steps.as_slice() {
                [PathStep::Field(id), rest @ ..] if *id == action.id => {
                    let members = rest.iter().take_while(|step| **step == PathStep::Item).count();
                    let rest = &rest[members.min(usize::from(action.for_each.is_some()))..];
                    (leads_to(rest, &way) && wants_all(site, range.start, id, &way)).then(|| range.clone())
                }
                _ => None,
            },
            _ => None,
        })
    };
    let (site, range) = context.sites.iter().find_map(|site| Some((site, range(&site)?)))?;
    let message = format!("step `{}` reads only the first page of `{}`", action.id, operation.id);
    let limit = operation.list.as_ref()?.limit_input();
    let enough =
        limit.map(|limit| format!("; if the first page is enough, say so with `{limit}` under its `with`"));
    let help = format!("add `pages: all` to that step{}", enough.unwrap_or_default());
    Some(Diagnostic::new(Code::TruncatedList, site.template.place(range), message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_put_together_in_one_place() {
        for (list, lacks) in [
            ("{ items: ['$.*.slots[*]'], paging: { style: page, page: page, size: 2 } }", true),
            ("{ items: ['$.*.slots[*]'] }", false),
            ("{ items: ['$.slots[*]'], paging: { style: page, page: page, size: 2 } }", false),
            (
                "{ items: ['$.*.slots[*]', '$.slots[*]'], paging: { style: page, page: page, size: 2 } }",
                false,
            ),
            ("{ items: [], paging: { style: page, page: page, size: 2 } }", false),
        ] {
            let text = format!(
                "{{ title: t, summary: s, kinds: [action], method: GET, path: /x, effect: read, parameters: {{ page: {{ in: query, \
                 shape: {{ type: integer }} }} }}, list: {list} }}"
            );
            let operation: Operation = serde_yaml::from_str(&text).unwrap();
            assert_eq!(has_no_place(&operation), lacks, "{list}");
        }
    }
}
