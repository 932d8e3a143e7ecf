//! Steps that read parts of results that are unknown because an answer was lost. A missing field in a condition
//! counts as false, so unknown fields must not simply be missing.

use super::entry::StepKey;
use super::status::Status;
use crate::recipe::Action;
use crate::template::{PathStep, Use};

/// The unknown value that `action` reads: its step and a message. Templates that test whether it is defined, or have
/// a default, expect that it may be missing.
pub(super) fn unknown_read(status: &Status, action: &Action) -> Option<(StepKey, String)> {
    let mut reads = None;
    status.steps.iter().find_map(|(key, step)| {
        let unknown = step.unknown.as_ref()?;
        let reads = reads.get_or_insert_with(|| step_reads(action));
        let field = unknown.fields.iter().find(|field| {
            let place = place(key, field);
            let of_it = |(path, _): &&(Vec<PathStep>, bool)| reaches(path, &place);
            reads.iter().any(|read| of_it(&read)) && !reads.iter().filter(of_it).any(|(_, guarded)| *guarded)
        })?;
        Some((key.clone(), unknown_message(key, field, &unknown.reason)))
    })
}

fn unknown_message(key: &StepKey, field: &str, reason: &str) -> String {
    let (what, example) = match field.rsplit(['.', ']']).next().filter(|name| !name.is_empty()) {
        Some(name) => (format!("`{field}` of step `{key}`"), format!("{{\"{name}\": …}}")),
        None => (format!("the result of step `{key}`"), "…".to_owned()),
    };
    let asked = match key.item {
        None if field.is_empty() => format!("`steps.{}`", key.action),
        None => format!("`steps.{}.{field}`", key.action),
        Some(_) => "it".to_owned(),
    };
    format!(
        "{what} is unknown: an answer was lost, and {reason}. Check in the app, then run `hob runs resolve RUN \
         --happened --result '{example}'`; a recipe that can do without asks whether {asked} is defined"
    )
}

/// The path of `field` below `steps`.
fn place(key: &StepKey, field: &str) -> Vec<PathStep> {
    let mut place = vec![PathStep::Field(key.action.clone())];
    place.extend(key.item.map(|_| PathStep::Item));
    for part in field.replace("[]", ".[]").split('.').filter(|part| !part.is_empty()) {
        place.push(if part == "[]" { PathStep::Item } else { PathStep::Field(part.to_owned()) });
    }
    place
}

/// Whether a read of `path` includes `place`. A computed name may be any, including the step's, if only `steps` is
/// literal.
fn reaches(path: &[PathStep], place: &[PathStep]) -> bool {
    if path.is_empty() {
        return true;
    }
    path.len() >= place.len()
        && path.iter().zip(place).all(|(read, known)| read == known || matches!(read, PathStep::Item))
}

/// The paths that the templates of `action` read below `steps`, and whether they may be undefined. Reads of a
/// `for_each` item are reads of its list.
pub fn step_reads(action: &Action) -> Vec<(Vec<PathStep>, bool)> {
    let mut found = Vec::new();
    let below_steps = |used: &Use| match used {
        Use::Path { root, steps, guarded, .. } if root == "steps" => Some((steps.clone(), *guarded)),
        _ => None,
    };
    let lists: Vec<Vec<PathStep>> = action
        .for_each
        .iter()
        .flat_map(|template| template.uses())
        .filter_map(|used| below_steps(used).map(|(path, _)| path))
        .collect();
    for used in
        action.for_each.iter().chain(&action.condition).chain(action.with.templates()).flat_map(|t| t.uses())
    {
        found.extend(below_steps(used));
        if let Use::Path { root, steps, guarded, .. } = used
            && *root == action.item_name
        {
            let member = |list: &Vec<PathStep>| {
                let path = list.iter().cloned().chain([PathStep::Item]).chain(steps.iter().cloned());
                (path.collect(), *guarded)
            };
            found.extend(lists.iter().map(member));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::recipe;
    use crate::run::{Entry, StampedEntry};
    use chrono::DateTime;
    use serde_json::json;

    /// The message for an action with these lines if `fields` of step `c` are unknown.
    fn read(key: StepKey, fields: &[&str], lines: &str) -> Option<String> {
        let recipe =
            recipe(&format!("actions:\n- {{ id: c, do: things.get, with: {{ id: x }} }}\n- {lines}\n"));
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let entries = [
            Entry::UnknownFields { step: key.clone(), fields, reason: "nobody knows".into() },
            Entry::StepSucceeded {
                step: key,
                attempt: 2,
                result: json!({}).into(),
                known_by: None,
                truncated: false,
            },
        ];
        let entries = entries.map(|entry| StampedEntry::new(DateTime::UNIX_EPOCH, entry));
        unknown_read(&Status::fold(&entries), &recipe.recipe().actions[1]).map(|(_, reason)| reason)
    }

    #[test]
    fn reads_of_unknown_values_are_reported() {
        let message = |template: &str| format!("{{ do: log, with: {{ message: \"{template}\" }} }}");
        let reads = |template: &str| read(StepKey::new("c"), &["new"], &message(template)).is_some();
        for template in [
            "{{ steps.c.new }}",
            "{{ steps['c']['new'] }}",
            "{{ 'a' if not steps.c.new }}",
            "{{ steps[event.x].new }}",
        ] {
            assert!(reads(template), "{template}");
        }
        for template in [
            "{{ steps.c.id }}",
            "{{ steps.c }}",
            "{{ steps.c.new | default(false) }}",
            "{{ 'a' if steps.c.new is defined and steps.c.new }}",
        ] {
            assert!(!reads(template), "{template}");
        }
        let condition = "{ do: log, if: '{{ steps.c.new }}', with: { message: m } }";
        let told = read(StepKey::new("c"), &["new"], condition).unwrap();
        assert!(
            told.contains("`new` of step `c` is unknown") && told.contains("--result '{\"new\": …}'"),
            "{told}"
        );
    }

    #[test]
    fn members_of_lists_and_whole_results_are_read_too() {
        let each = "{ do: log, for_each: '{{ steps.c }}', as: one, with: { message: '{{ one.added }}' } }";
        assert!(read(StepKey::new("c"), &["[].added"], each).is_some());
        assert!(read(StepKey::new("c"), &["[].other"], each).is_none());
        let item = StepKey { action: "c".into(), item: Some(3) };
        let other = "{ do: log, with: { message: '{{ steps.c[3].new }}' } }";
        assert!(read(item, &["new"], other).is_some());
        let whole = "{ do: log, if: '{{ steps.c }}', with: { message: m } }";
        assert!(
            read(StepKey::new("c"), &[""], whole).is_some_and(|told| told.contains("the result of step `c`"))
        );
    }
}
