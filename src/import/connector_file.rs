//! The API as a whole: name, address, authentication.

use serde_json::{Map, Value, json};
use url::Url;

use super::document::{Document, Documents, file_name};
use super::error::Error;
use super::finding::FindingKind;
use super::names;
use super::overlay::Overlay;
use super::schema::Reading;
use super::write;
use crate::catalog::PathTemplate;

/// Header of a `connector.yaml` created by an import.
const HEAD: &str =
    "# Started by `hob import openapi`, which does not touch it again: it is yours. API descriptions do not
# cover error messages, limits, settings and webhooks; `docs/connectors.md` explains these.
";

/// A name for the connector, from the title of the first document that has one.
pub fn name_for(documents: &[Document<'_>]) -> Result<Option<String>, Error> {
    let read = Documents::read(documents)?;
    let title = read.iter().find_map(|(_, root)| root.pointer("/info/title")?.as_str()).unwrap_or_default();
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let said = words.filter(|word| !["api", "rest", "openapi"].contains(&word.to_lowercase().as_str()));
    let name = said.map(names::word).collect::<Vec<_>>().join("_");
    Ok(name.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name))
}

/// The text of `connector.yaml`.
pub(super) fn connector(
    reading: &mut Reading<'_>,
    documents: &Documents,
    overlay: &Overlay,
    name: &str,
) -> String {
    let title = documents.iter().find_map(|(_, root)| root.pointer("/info/title")?.as_str()).unwrap_or(name);
    let mut fields = Map::new();
    fields.insert("connector".into(), json!(name));
    fields.insert("title".into(), json!(title.split_whitespace().collect::<Vec<_>>().join(" ")));
    fields.insert("about".into(), json!("Imported from its description. Say here what it is for."));
    let base_url = address(reading, documents);
    fields.extend(base_url.map(|url| ("base_url".to_owned(), json!(url))));
    fields.insert("auth".into(), Value::Array(schemes(reading, documents)));
    let header = overlay.version_header.as_ref();
    fields.extend(header.map(|header| ("version_header".to_owned(), json!(header))));
    format!("{HEAD}{}", write::mapping(&fields))
}

/// The first absolute address, with defaults of its variables.
fn address(reading: &mut Reading<'_>, documents: &Documents) -> Option<String> {
    let servers = documents.iter().flat_map(|(_, root)| root.get("servers")?.as_array()).flatten();
    for server in servers {
        let Some(template) = server.get("url").and_then(Value::as_str) else { continue };
        let default = |name: &str| server.get("variables")?.get(name)?.get("default")?.as_str();
        let Ok(template) = PathTemplate::try_from(template.to_owned()) else { continue };
        let Ok(url) = template.fill(|name| default(name).map(str::to_owned).ok_or(())) else { continue };
        if Url::parse(&url).is_ok_and(|url| ["http", "https"].contains(&url.scheme())) {
            return Some(url.trim_end_matches('/').to_owned());
        }
    }
    let first = documents.iter().next().map_or("", |(path, _)| file_name(path));
    reading.begin(first, "");
    reading.note(FindingKind::NoAddress, "");
    None
}

/// Kinds of authentication, without duplicates, in document order.
fn schemes(reading: &mut Reading<'_>, documents: &Documents) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for (document, root) in documents.iter() {
        reading.begin(file_name(document), "");
        let schemes = root.pointer("/components/securitySchemes").and_then(Value::as_object);
        for (name, scheme) in schemes.into_iter().flatten() {
            let scheme = documents.resolve(document, scheme).map_or(scheme, |found| found.value);
            match one(scheme) {
                Some(scheme) if !found.contains(&scheme) => found.push(scheme),
                Some(_) => {}
                None => reading.note(FindingKind::AuthOther, name.clone()),
            }
        }
    }
    found
}

fn one(scheme: &Value) -> Option<Value> {
    let text = |name: &str| scheme.get(name).and_then(Value::as_str);
    match (text("type")?, text("scheme").map(str::to_lowercase).as_deref(), text("in")) {
        ("http", Some("bearer"), _) | ("openIdConnect", ..) => Some(json!({ "kind": "bearer" })),
        ("http", Some("basic"), _) => Some(json!({ "kind": "basic" })),
        ("apiKey", _, Some("header")) => Some(json!({ "kind": "header" })),
        ("oauth2", ..) => {
            let flow = |name: &str| scheme.get("flows")?.get(name)?.as_object();
            let of = |flow: &Map<String, Value>, name: &str| {
                flow.get(name).and_then(Value::as_str).filter(|url| !url.is_empty()).map(str::to_owned)
            };
            let (token_url, authorize_url) = match (flow("authorizationCode"), flow("clientCredentials")) {
                (Some(code), _) => (of(code, "tokenUrl")?, of(code, "authorizationUrl")),
                (None, Some(own)) => (of(own, "tokenUrl")?, None),
                (None, None) => return Some(login(&of(flow("password")?, "tokenUrl")?)),
            };
            let mut found = json!({ "kind": "oauth", "token_url": token_url });
            if let Some(url) = authorize_url {
                found["authorize_url"] = json!(url);
            }
            Some(found)
        }
        _ => None,
    }
}

/// OAuth's password grant as a login.
fn login(url: &str) -> Value {
    let body =
        json!({ "grant_type": "password", "username": "{{ username }}", "password": "{{ password }}" });
    json!({ "kind": "login", "url": url, "form": true, "body": body, "token": "$.access_token",
        "expires_in": "$.expires_in" })
}

#[cfg(test)]
mod tests {
    use super::super::import;
    use super::*;
    use crate::catalog::{AuthScheme, Catalog};

    fn shop() -> String {
        json!({
            "openapi": "3.0.3",
            "info": { "title": "Pet Shop  API" },
            "servers": [
                { "url": "/v1" },
                { "url": "https://{host}/v1/", "variables": { "host": { "default": "shop.example.com" } } }
            ],
            "components": { "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "X-Key" },
                "other": { "type": "apiKey", "in": "header", "name": "X-Other" },
                "query": { "type": "apiKey", "in": "query", "name": "key" },
                "user": { "type": "oauth2", "flows": { "password": { "tokenUrl": "/login" } } },
                "app": { "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": "/token" } } }
            } },
            "paths": { "/events": { "get": { "responses": { "200": { "description": "" } } } } }
        })
        .to_string()
    }

    #[test]
    fn address_and_schemes_come_from_the_description() {
        let text = shop();
        let documents = [Document { path: "shop.json", text: &text }];
        assert_eq!(name_for(&documents).unwrap().as_deref(), Some("pet_shop"));
        let imported = import(&documents, None, "pet_shop").unwrap();
        let mut files = imported.files.clone();
        // `events.yaml` is reserved for webhooks.
        assert_eq!(files[0].0, "events_operations.yaml");
        files.push(("connector.yaml".into(), imported.connector));
        let mut catalog = Catalog::default();
        catalog.add_folder("pet_shop", files).expect("connector files that load");
        let connector = catalog.connector("pet_shop").unwrap();
        assert_eq!(connector.title, "Pet Shop API");
        assert_eq!(connector.base_url.as_deref(), Some("https://shop.example.com/v1"));
        let oauth =
            AuthScheme::Oauth { token_url: "/token".into(), authorize_url: None, extra: Default::default() };
        let [header, AuthScheme::Login(login), app] = connector.auth.as_slice() else {
            panic!("{:?}", connector.auth)
        };
        assert_eq!((header, app), (&AuthScheme::Header, &oauth));
        assert_eq!(login.form_fields("me", "pw")[2], ("password".into(), "pw".into()));
        let dropped = imported.report.findings.iter().find(|finding| finding.kind == FindingKind::AuthOther);
        assert_eq!(dropped.unwrap().detail, "query");
        assert!(catalog.ids().all(|id| id.starts_with("pet_shop.events.")));
    }
}
