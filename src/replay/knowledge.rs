//! What is known of the results of steps whose answers are not in the history.

use std::collections::HashMap;

use crate::recipe::Action;
use crate::run::step_reads;
use crate::template::PathStep;

/// How much is known of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// The ids in it: those of the record that was written, although the request would be another one.
    Ids,
}

/// The steps whose results are not known in full.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    unknown: HashMap<String, Known>,
}

/// What an action reads of such results.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Nothing of them.
    Known,
    /// Ids that are taken to be those that were recorded, of this step.
    Assumed(String),
    /// Something that is not known.
    Unknown {
        /// As it is read: `steps.contact.new`.
        path: String,
        /// Of this step.
        step: String,
    },
}

impl Knowledge {
    /// Of the result of the action, no more than this is known.
    pub(super) fn limit(&mut self, action: &str, known: Known) {
        let limit = self.unknown.entry(action.to_owned()).or_insert(known);
        *limit = known.min(*limit);
    }

    /// What `action` reads of results that are not known. A default is no answer: whether it is needed is not known.
    pub(super) fn reads(&self, action: &Action) -> Reads {
        let mut reads = Reads::Known;
        if self.unknown.is_empty() {
            return reads;
        }
        for (path, _) in step_reads(action) {
            for (step, known) in &self.unknown {
                match path.first() {
                    Some(PathStep::Field(name)) if name != step => {}
                    _ if *known == Known::Ids && is_id(&path) => reads = Reads::Assumed(step.clone()),
                    _ => return Reads::Unknown { path: shown(&path), step: step.clone() },
                }
            }
        }
        reads
    }
}

/// Whether a path below `steps` leads to an id within a result.
fn is_id(path: &[PathStep]) -> bool {
    match path {
        [PathStep::Field(_), .., PathStep::Field(name)] => {
            name == "id" || name == "_id" || name.ends_with("Id") || name.ends_with("_id")
        }
        _ => false,
    }
}

fn shown(path: &[PathStep]) -> String {
    path.iter().fold("steps".to_owned(), |shown, step| match step {
        PathStep::Field(name) => format!("{shown}.{name}"),
        PathStep::Item => format!("{shown}[]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::recipe;

    fn reads(known: Known, lines: &str) -> Reads {
        let recipe = recipe(&format!(
            "actions:\n- {{ id: c, do: things.create, with: {{ name: n }} }}\n- {{ id: g, do: things.get, with: {{ id: a }} }}\n- {{ {lines} }}\n"
        ));
        let mut knowledge = Knowledge::default();
        knowledge.limit("c", Known::Ids);
        knowledge.limit("c", known);
        knowledge.reads(&recipe.recipe().actions[2])
    }

    #[test]
    fn only_ids_are_known_of_the_answer_to_another_request() {
        let message = |text: &str| format!("do: log, with: {{ message: \"{{{{ {text} }}}}\" }}");
        for id in ["steps.c.id", "steps.c.thing.ownerId", "steps['c']._id"] {
            assert_eq!(reads(Known::Ids, &message(id)), Reads::Assumed("c".into()), "{id}");
            assert!(matches!(reads(Known::Nothing, &message(id)), Reads::Unknown { .. }), "{id}");
        }
        for other in ["steps.c.new", "steps.c", "steps", "steps[event.id].new", "steps.c.name | default('x')"]
        {
            assert!(matches!(reads(Known::Ids, &message(other)), Reads::Unknown { .. }), "{other}");
        }
        assert_eq!(reads(Known::Nothing, &message("steps.g.id")), Reads::Known);
        let each = "do: log, for_each: '{{ steps.c.parts }}', as: part, with: { message: '{{ part.id }}' }";
        let unknown = |path: &str| Reads::Unknown { path: path.to_owned(), step: "c".to_owned() };
        assert_eq!(reads(Known::Ids, each), unknown("steps.c.parts"));
        let condition = "do: log, if: '{{ steps.c.new }}', with: { message: m }";
        assert_eq!(reads(Known::Ids, condition), unknown("steps.c.new"));
    }
}
