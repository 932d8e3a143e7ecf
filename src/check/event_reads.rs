//! Which fields of its event, and of records read by its steps, a recipe reads.

use std::collections::BTreeSet;

use crate::recipe::{Action, Recipe};
use crate::template::{LocatedTemplate, PathStep, Use};

/// The paths read by a recipe's templates. A path ends where it enters a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventReads {
    /// Paths below `event`; an empty path means all of it.
    pub event: BTreeSet<Vec<String>>,
    /// Paths below `steps`, starting with the step.
    pub steps: BTreeSet<Vec<String>>,
}

impl EventReads {
    /// The paths that `recipe` reads.
    pub fn from_recipe(recipe: &Recipe) -> Self {
        let mut reads = Self::default();
        let begin = recipe.when.iter().chain(&recipe.lane);
        let vars = recipe.vars.values().flat_map(|tree| tree.templates());
        begin.chain(vars).for_each(|template| reads.add(template));
        recipe.all_actions().flat_map(templates).for_each(|template| reads.add(template));
        reads
    }

    fn add(&mut self, template: &LocatedTemplate) {
        for used in template.uses() {
            let Use::Path { root, steps, .. } = used else { continue };
            match root.as_str() {
                "event" => self.event.insert(until_item(steps)),
                "steps" => self.steps.insert(through_items(steps)),
                _ => false,
            };
        }
    }
}

fn templates(action: &Action) -> impl Iterator<Item = &LocatedTemplate> {
    action.for_each.iter().chain(&action.condition).chain(action.with.templates())
}

fn until_item(steps: &[PathStep]) -> Vec<String> {
    let fields = steps.iter().map_while(|step| match step {
        PathStep::Field(name) => Some(name.clone()),
        PathStep::Item => None,
    });
    fields.collect()
}

fn through_items(steps: &[PathStep]) -> Vec<String> {
    let fields = steps.iter().filter_map(|step| match step {
        PathStep::Field(name) => Some(name.clone()),
        PathStep::Item => None,
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::parse;
    use crate::source::SourceFile;

    #[test]
    fn fields_are_read_in_every_template_position() {
        let text = "name: r
trigger: { manual: {} }
when: \"{{ event.active }}\"
vars: { first: \"{{ event.name | split(' ') | first }}\" }
actions:
- { id: a, do: log, with: { message: \"{{ event.address.city }} {{ vars.first }}\" } }
- { do: log, for_each: \"{{ event.notes[0].lines }}\", with: { message: \"{{ steps.a[0].email }}\" } }
on_failure:
- { do: log, if: \"{{ event['phone'] }}\", with: { message: \"{{ event | tojson }}\" } }
";
        let reads = EventReads::from_recipe(&parse(&SourceFile::new("r.yaml", text)).recipe.unwrap());
        let paths = |paths: &[&[&str]]| -> BTreeSet<Vec<String>> {
            paths.iter().map(|path| path.iter().map(|&name| name.to_owned()).collect()).collect()
        };
        let event: &[&[&str]] = &[&["active"], &["name"], &["address", "city"], &["notes"], &["phone"], &[]];
        assert_eq!(reads.event, paths(event));
        assert_eq!(reads.steps, paths(&[&["a", "email"]]));
    }
}
