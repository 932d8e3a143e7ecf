use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::connection::Setup;

fn operation(yaml: &str) -> Operation {
    let mut operation: Operation =
        serde_yaml::from_str(&format!("title: t\nsummary: s\nkinds: [action]\n{yaml}"))
            .expect("an operation");
    operation.id = "things.do".into();
    operation
}

fn connection() -> Connection {
    let connector = serde_yaml::from_str(
        "connector: x\ntitle: X\nabout: X\nbase_url: https://api.test/v1/\nversion_header: Version\nheaders: { X-App: hob }\n\
         settings: { location: { title: L, fills: [locationId] } }\nconstants: { altType: location }",
    )
    .expect("a connector");
    let settings = [("location".to_owned(), "loc-1".to_owned())].into();
    let setup = Setup { settings, ..Setup::default() };
    Connection::new("x", Arc::new(connector), setup).expect("a connection")
}

fn prepared(yaml: &str, inputs: Value) -> Result<PreparedRequest, Vec<InputProblem>> {
    prepare(&operation(yaml), inputs.as_object().unwrap(), &connection())
}

const UPDATE: &str = "method: PUT\npath: /contacts/{contactId}\nversion: 2021-07-28\n\
    parameters:\n  contactId: { in: path, shape: { type: string, required: true } }\n  \
    locationId: { in: query, shape: { type: string, required: true } }\n  \
    idQuery: { in: query, wire: contactId, shape: { type: integer } }\n  \
    tags: { in: query, style: brackets, shape: { type: array, items: { type: string } } }\n\
    body: { shape: { type: object, fields: { email: { type: string }, altType: { type: string, enum: [location] } } } }";

#[test]
fn everything_goes_to_its_place() {
    let inputs = json!({ "contactId": 7, "idQuery": "12", "tags": ["a b"], "email": "a@b.c" });
    let request = prepared(UPDATE, inputs).unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://api.test/v1/contacts/7?locationId=loc-1&contactId=12&tags%5B%5D=a%20b"
    );
    assert_eq!(request.method, Method::PUT);
    assert_eq!(request.headers["version"], "2021-07-28");
    assert_eq!(request.headers["x-app"], "hob");
    assert_eq!(request.body, body::json(&json!({ "email": "a@b.c", "altType": "location" })));
}

#[test]
fn given_inputs_override_provided_ones() {
    let request = prepared(UPDATE, json!({ "contactId": "c", "locationId": "other" })).unwrap();
    assert_eq!(request.url.query(), Some("locationId=other"));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let inputs = json!({ "emial": "x", "idQuery": "many", "tags": "a", "altType": "loction" });
    let problems = prepared(UPDATE, inputs).unwrap_err();
    let shown = super::super::problem::list(&problems);
    for expected in [
        "no input `emial` (did you mean `email`?)",
        "`idQuery` must be a whole number, not the text \"many\"",
        "`tags` must be a list of text",
        "did you mean `location`?",
        "`contactId` is missing",
    ] {
        assert!(shown.contains(expected), "{expected} not in {shown}");
    }
    assert_eq!(problems.len(), 5, "{shown}");
}

#[test]
fn dots_never_climb_out_of_the_path() {
    let problems = prepared(UPDATE, json!({ "contactId": ".." })).unwrap_err();
    assert!(problems[0].message.contains("must not be `..`"), "{problems:?}");
}

#[test]
fn a_demanded_page_size_is_filled() {
    let search = "method: POST\npath: /search\nbody: { shape: { type: object, fields: { pageLimit: { type: integer, required: true } } } }\n\
        list: { items: [$.x], paging: { style: page, page: page, limit: pageLimit, size: 100 } }";
    assert_eq!(prepared(search, json!({})).unwrap().body, body::json(&json!({ "pageLimit": 100 })));
}

#[test]
fn one_of_several_is_demanded() {
    let find = "method: GET\npath: /find\nparameters:\n  email: { in: query, shape: { type: string } }\n  \
        phone: { in: query, shape: { type: string } }\none_of: [email, phone]";
    let problems = prepared(find, json!({ "email": null })).unwrap_err();
    assert_eq!(problems[0].message, "one of `email`, `phone` must be given");
    assert_eq!(prepared(find, json!({ "phone": "+44" })).unwrap().url.query(), Some("phone=%2B44"));
}

#[test]
fn a_delete_may_have_a_body_and_a_get_none() {
    let delete = "method: DELETE\npath: /tags\nbody: { shape: { type: object, fields: { tags: { type: array, required: true } } } }";
    assert_eq!(
        prepared(delete, json!({ "tags": ["a"] })).unwrap().body,
        body::json(&json!({ "tags": ["a"] }))
    );
    assert_eq!(prepared("method: GET\npath: /tags", json!({})).unwrap().body, RequestBody::Empty);
}
