//! Checks whether a successful status came with the answer that the catalog describes. A web page, an empty body or
//! truncated JSON is not a success.

use serde_json::{Map, Value};

use super::paging::{self, ERROR_FIELDS};
use crate::catalog::{Effect, Listing, Operation, path};
use crate::value::{Kind, Shape};

/// Fields that identify a record.
const IDS: [&str; 2] = ["id", "_id"];
/// Maximum length, in bytes, of a quoted answer.
const QUOTED: usize = 80;

/// Form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// No body.
    Nothing,
    /// JSON.
    Json,
    /// Text that is neither JSON nor a web page.
    Text,
    /// A web page.
    Page,
    /// A file, which was saved.
    File,
}

/// The answer that the catalog describes for an operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    /// The answer must be JSON. Otherwise it only must not be a web page.
    json: bool,
    /// The answer may be any text, including a web page.
    text: bool,
    /// The answer is a file.
    file: bool,
    /// Kind of the body: an object or a list.
    kind: Option<Kind>,
    /// The body must not be empty.
    promised: bool,
    /// Known fields of the body; empty when none are known.
    fields: Vec<String>,
    /// Where the items of a list are.
    listing: Option<Listing>,
    /// The list may be a single record, or null when there is none.
    one_or_null: bool,
    /// Paths of the result, and whether it must be a record with an id.
    result: Option<(Vec<String>, bool)>,
    /// Whether the result may be null because the record was not found.
    may_be_null: bool,
}

impl Expected {
    /// The expected answer of `operation`.
    pub fn from_operation(operation: &Operation) -> Self {
        // A deletion succeeded even when the answer is empty.
        let deletes = operation.method == "DELETE";
        let may_be_null = operation.effect == Effect::Read;
        let file = operation.download.is_some();
        let Some(response) = operation.response.as_ref() else {
            let says = !file && (operation.list.is_some() || !operation.result.is_empty());
            let result = says && !deletes && operation.list.is_none();
            return Self {
                json: says,
                file,
                promised: says && !deletes,
                listing: operation.list.clone(),
                result: result.then(|| (operation.result.clone(), false)),
                may_be_null,
                ..Self::default()
            };
        };
        let container = |shape: &Shape| matches!(shape.kind, Kind::Object | Kind::Array) && !shape.nullable;
        let known = container(response) && response.any_of.is_empty();
        let fields = || response.fields.keys().cloned().collect();
        let record = operation.result_shape().is_some_and(is_record);
        let result =
            known && !deletes && operation.list.is_none() && (record || !operation.result.is_empty());
        Self {
            json: known,
            text: response.kind == Kind::String,
            file,
            kind: known.then_some(response.kind),
            promised: known && !deletes && !(response.kind == Kind::Object && response.fields.is_empty()),
            fields: if known && !deletes { fields() } else { Vec::new() },
            listing: operation.list.clone(),
            one_or_null: operation.may_find_nothing(),
            result: result.then(|| (operation.result.clone(), record)),
            may_be_null,
        }
    }

    /// The expectation for one part of a composite operation, which has its own result path.
    pub(super) fn without_result(self) -> Self {
        Self { listing: None, result: None, ..self }
    }

    /// How `body` differs from what the catalog describes; `None` when it matches.
    pub(super) fn mismatch(&self, form: Form, body: &Value) -> Option<String> {
        match form {
            Form::Page if !self.text => return Some(format!("it is a web page{}", quoted(body))),
            Form::Text if self.file => {
                return Some(format!("it is a text instead of a file{}", quoted(body)));
            }
            Form::Text if self.json => return Some(format!("it is not JSON{}", quoted(body))),
            Form::Nothing | Form::Json if self.json && body.is_null() => {
                return self.promised.then(|| "it is empty".to_owned());
            }
            Form::Json if self.json => {}
            _ => return None,
        }
        let found = match body {
            Value::Object(_) => Kind::Object,
            Value::Array(_) => Kind::Array,
            _ => return Some("it is a single value".to_owned()),
        };
        if let Some(listing) = &self.listing {
            // A single record may stand for a list of one.
            let none = || format!("it has no list at {}", listing.items.join(", "));
            return paging::items_of(listing, self.one_or_null, body)
                .is_none()
                .then(none)
                .or_else(|| self.error(body));
        }
        if let Some(kind) = self.kind.filter(|kind| *kind != found) {
            let names = |kind| if kind == Kind::Array { "a list" } else { "an object" };
            return Some(format!("it is {} instead of {}", names(found), names(kind)));
        }
        if let Some((paths, record)) = &self.result {
            return self.without(paths, *record, body);
        }
        self.error(body)
    }

    /// The mismatch of an object that has none of the known fields and is empty or holds only error fields.
    fn error(&self, body: &Value) -> Option<String> {
        let Value::Object(object) = body else { return None };
        let known = self.fields.is_empty() || self.fields.iter().any(|field| object.contains_key(field));
        match object.keys().all(|field| ERROR_FIELDS.contains(&field.as_str())) {
            _ if known => None,
            true if object.is_empty() => (!self.may_be_null).then(|| "it is an empty object".to_owned()),
            true => Some(format!("it says only{}", quoted(&Value::String(body.to_string())))),
            false => None,
        }
    }

    fn without(&self, paths: &[String], record: bool, body: &Value) -> Option<String> {
        let place = if paths.is_empty() { "$".to_owned() } else { paths.join(", ") };
        let Some(found) = path::read_first(body, paths) else {
            let null = || paths.iter().any(|at| path::read(body, at).is_some());
            return (!(self.may_be_null && null())).then(|| format!("it has nothing at {place}"));
        };
        if !record {
            let empty = found.as_object().is_some_and(Map::is_empty) && !self.may_be_null;
            return empty.then(|| format!("it has an empty object at {place}"));
        }
        let is_id = |id: &Value| !id.is_null() && id.as_str().is_none_or(|text| !text.trim().is_empty());
        let has_id = IDS.iter().any(|name| found.get(name).is_some_and(is_id));
        (!has_id).then(|| format!("it has no id at {place}"))
    }
}

/// Whether the shape is an object with an id.
fn is_record(shape: &Shape) -> bool {
    let id = |name: &str| shape.fields.get(name).is_some_and(|id| !id.nullable);
    shape.kind == Kind::Object && shape.any_of.is_empty() && IDS.iter().any(|name| id(name))
}

/// The beginning of a text answer. Cut between words, so that no part of a secret remains.
fn quoted(body: &Value) -> String {
    let Value::String(text) = body else { return String::new() };
    let (mut quoted, mut words) = (String::new(), text.split_whitespace().peekable());
    while let Some(word) = words.next_if(|word| quoted.len() + word.len() < QUOTED) {
        quoted.push(' ');
        quoted.push_str(word);
    }
    let more = if words.peek().is_some() { "…" } else { "" };
    format!(":{quoted}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mismatch(operation: &str, form: Form, body: Value) -> Option<String> {
        let text = format!("{{ title: t, summary: s, kinds: [action], {operation} }}");
        Expected::from_operation(&serde_yaml::from_str(&text).unwrap()).mismatch(form, &body)
    }

    const RECORD: &str = "method: POST, result: [$.contact], response: { type: object, fields: { contact: \
                          { type: object, fields: { id: { type: string }, email: { type: string } } } } }";

    #[test]
    fn a_record_without_its_id_is_not_a_success() {
        let good = json!({ "contact": { "id": "c1" } });
        assert_eq!(mismatch(RECORD, Form::Json, good.clone()), None);
        assert_eq!(mismatch(RECORD, Form::Json, json!({ "contact": { "_id": 7 } })), None);
        for (body, part) in [
            (json!({ "contact": {} }), "no id"),
            (json!({ "contact": { "id": null } }), "no id"),
            (json!({ "contact": { "id": " " } }), "no id"),
            (json!({ "contact": [{ "id": "c1" }] }), "no id"),
            (json!({ "contact": null }), "nothing at $.contact"),
            (json!({ "error": "maintenance" }), "nothing at $.contact"),
            (json!([good]), "a list instead of an object"),
            (json!(null), "empty"),
            (json!("ok"), "a single value"),
            (json!(true), "a single value"),
        ] {
            let told = mismatch(RECORD, Form::Json, body.clone()).unwrap_or_else(|| panic!("{body}"));
            assert!(told.contains(part), "{body}: {told}");
        }
        assert_eq!(mismatch(RECORD, Form::Nothing, json!(null)).unwrap(), "it is empty");
        assert!(mismatch(RECORD, Form::Text, json!("{\"contact\":")).unwrap().contains("not JSON"));
        assert!(
            mismatch(RECORD, Form::Page, json!("<html> Back\nsoon")).unwrap().ends_with(": <html> Back soon")
        );
    }

    #[test]
    fn reads_may_find_nothing_and_deletions_prove_nothing() {
        let read = format!("effect: read, {RECORD}");
        assert_eq!(mismatch(&read, Form::Json, json!({ "contact": null })), None);
        assert!(mismatch(&read, Form::Json, json!({})).is_some());
        let delete = RECORD.replace("POST", "DELETE");
        for body in [json!(null), json!({}), json!({ "succeeded": true })] {
            assert_eq!(mismatch(&delete, Form::Json, body), None);
        }
        assert!(mismatch(&delete, Form::Page, json!("<html>")).is_some());
    }

    #[test]
    fn a_list_is_where_the_connector_states() {
        let list = "effect: read, list: { items: ['$.contacts[*]'] }";
        assert_eq!(mismatch(list, Form::Json, json!({ "contacts": [] })), None);
        for body in [json!({}), json!({ "contacts": null }), json!({ "error": "x" }), json!([]), json!(null)]
        {
            assert!(mismatch(list, Form::Json, body.clone()).is_some(), "{body}");
        }
        assert!(mismatch(list, Form::Nothing, json!(null)).is_some());
        let either =
            "effect: read, list: { items: [$] }, response: { type: object, fields: { a: { type: string } } }";
        for body in [json!([]), json!([{ "a": "x" }]), json!({ "a": "x" })] {
            assert_eq!(mismatch(either, Form::Json, body), None);
        }
        assert!(mismatch(either, Form::Json, json!({ "message": "maintenance" })).is_some());
        let whole = "effect: read, list: { items: ['$[*]'] }";
        assert_eq!(mismatch(whole, Form::Json, json!([])), None);
        assert!(mismatch(whole, Form::Json, json!({ "message": "maintenance" })).is_some());
    }

    #[test]
    fn where_nothing_is_said_anything_but_a_page_is_fine() {
        for (form, body) in [
            (Form::Nothing, json!(null)),
            (Form::Text, json!("OK")),
            (Form::Json, json!([1])),
            (Form::Json, json!(null)),
        ] {
            assert_eq!(mismatch("method: POST", form, body), None);
        }
        assert!(mismatch("method: POST", Form::Page, json!("<html>")).is_some());
        let text = "method: GET, response: { type: string }";
        assert_eq!(mismatch(text, Form::Page, json!("<html>")), None);
        assert_eq!(mismatch(text, Form::Text, json!("OK")), None);
        let sent = "method: POST, response: { type: object, fields: { messageId: { type: string } } }";
        assert_eq!(mismatch(sent, Form::Json, json!({ "messageId": "m" })), None);
        assert_eq!(mismatch(sent, Form::Json, json!({ "succeded": true })), None, "descriptions have slips");
        for body in [json!({}), json!({ "message": "maintenance" }), json!({ "error": "x", "code": 1 })] {
            assert!(mismatch(sent, Form::Json, body.clone()).is_some(), "{body}");
        }
        let open = "method: POST, response: { type: object }";
        assert_eq!(mismatch(open, Form::Nothing, json!(null)), None);
        assert!(mismatch(open, Form::Text, json!("OK")).is_some());
        let file = "method: GET, download: application/pdf";
        assert_eq!(mismatch(file, Form::File, json!({ "file": "x" })), None);
        assert!(mismatch(file, Form::Page, json!("<html>")).is_some());
    }
}
