//! Fields that `pick` finds.

use super::Rule;
use crate::check::Context;
use crate::check::result_shape::{InvalidStep, answer_shape};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::PathStep;

/// `pick` names fields that the answer has.
pub struct PickedFields;

impl Rule for PickedFields {
    fn summary(&self) -> &'static str {
        "A `pick` of plain names reads fields that the answer has, as far as the catalog knows them."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for action in context.recipe.all_actions() {
            let (Some(pick), Some(operation)) = (&action.pick, context.operation(action)) else { continue };
            let (Some(mut known), Some(steps)) = (answer_shape(operation), plain(pick)) else { continue };
            for step in &steps {
                match (known.step(step), step) {
                    (Ok(Some(next)), _) => known = next,
                    (Err(InvalidStep::NoField(fields)), PathStep::Field(name)) => {
                        let message = format!("the answer of `{}` has no `{name}` there", operation.id);
                        let diagnostic = Diagnostic::new(Code::UnknownResultField, pick.span, message);
                        let help = format!("there are {}", fields.join(", "));
                        found.push(context.suggest(diagnostic.help(help), name, fields));
                        break;
                    }
                    _ => break,
                }
            }
        }
    }
}

/// The steps of a path of names, `[*]` and indexes; none for any other path.
fn plain(path: &str) -> Option<Vec<PathStep>> {
    let mut steps = Vec::new();
    for part in path.strip_prefix('$')?.split('.').enumerate() {
        let (name, items) = match part {
            (0, items) => ("", items),
            (_, part) => part.split_at(part.find('[').unwrap_or(part.len())),
        };
        let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        match (part.0, name.is_empty()) {
            (0, _) => {}
            (_, false) if name.chars().all(letter) => steps.push(PathStep::Field(name.to_owned())),
            _ => return None,
        }
        for index in items.split_terminator(']') {
            let index = index.strip_prefix('[')?;
            if index != "*" && index.parse::<usize>().is_err() {
                return None;
            }
            steps.push(PathStep::Item);
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_followed() {
        let field = |name: &str| PathStep::Field(name.into());
        assert_eq!(plain("$"), Some(vec![]));
        assert_eq!(
            plain("$.a.b[*].c[0]"),
            Some(vec![field("a"), field("b"), PathStep::Item, field("c"), PathStep::Item])
        );
        assert_eq!(plain("$[*].a"), Some(vec![PathStep::Item, field("a")]));
        for other in ["$..a", "$['a']", "$.*", "$.a[?(@.b)]", "$.a[1:2]", "a"] {
            assert_eq!(plain(other), None, "{other}");
        }
    }
}
