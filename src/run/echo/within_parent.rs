//! Records whose ids are unique only within a parent: which writes are to one of them.

use crate::catalog::{Catalog, Operation, WriteTarget};
use crate::check::CheckedRecipe;
use crate::event::Event;
use crate::run::Write;
use crate::value::id;

/// Whether the record of `event` is identified by its parent and its own id.
pub(super) fn is_within_parent(recipe: &CheckedRecipe, event: &Event) -> bool {
    let list = recipe.poller().and_then(|poller| poller.list.as_ref());
    let is_unique = list.is_some_and(|list| list.per_parent.unique_ids);
    recipe.parents().is_some() && event.source.is_list() && !is_unique
}

/// Whether the operation finds its record by the record's own id, which is unique then.
pub(super) fn finds_by_id_alone(catalog: &Catalog, operation: &Operation) -> bool {
    let connector = catalog.connector(&operation.connector);
    let input = connector.and_then(|connector| connector.id_input(operation));
    input.is_some() && operation.write_target() != Some(WriteTarget::Created)
}

/// Whether a write names the record `parent` in its path or in a field.
pub(super) fn names_parent(write: &Write, parent: &str) -> bool {
    let is_beside =
        write.origin.as_ref().is_some_and(|origin| origin.beside.iter().any(|other| other == parent));
    let mut fields = write.fields.as_object().into_iter().flat_map(|fields| fields.values());
    is_beside || fields.any(|value| id(value).is_some_and(|id| id == parent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::writes;
    use serde_json::json;

    #[test]
    fn a_write_below_a_parent_is_no_write_below_another_one() {
        let catalog = Catalog::built_in();
        let nested = catalog.operation("contacts.tasks.update").unwrap();
        assert!(!finds_by_id_alone(&catalog, nested));
        assert!(finds_by_id_alone(&catalog, catalog.operation("fitr.tasks.update").unwrap()));
        assert!(!finds_by_id_alone(&catalog, catalog.operation("contacts.tasks.create").unwrap()));

        let inputs = json!({ "contactId": "c1", "taskId": "t1", "title": "Call" });
        let origin = crate::run::Origin {
            run: crate::run::RunId("r".to_owned()),
            recipe: "r".to_owned(),
            step: "s".to_owned(),
            sent: Default::default(),
            answer: json!(null),
            beside: Vec::new(),
            chain: Vec::new(),
            source: None,
        };
        let inputs = inputs.as_object().unwrap();
        let written = writes(nested, Some("studio"), inputs, &json!(null), &Default::default(), Some(origin));
        let to_task = written.iter().find(|write| write.record == "t1").unwrap();
        assert!(names_parent(to_task, "c1") && !names_parent(to_task, "c2"));
        // The parent may be a field of the record.
        let in_body = Write { origin: None, fields: json!({ "client_id": "cl_1" }), ..to_task.clone() };
        assert!(names_parent(&in_body, "cl_1") && !names_parent(&in_body, "c1"));
    }
}
