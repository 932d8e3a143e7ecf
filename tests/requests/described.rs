//! The vendor's descriptions of the named operations' requests: a committed table of facts, compared with the
//! descriptions if a developer has put them beside the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hob::catalog::Catalog;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A described request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// The operation's id.
    pub operation: String,
    /// Version of the API: `v2`, or `v3` if the request differs there.
    pub api: String,
    pub method: String,
    pub path: String,
    /// Value of the version header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// Schema of the JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// A parameter in path or query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "in")]
    pub place: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    pub schema: Value,
}

/// Keywords that constrain a value.
const KEPT: [&str; 11] = [
    "type",
    "properties",
    "items",
    "required",
    "enum",
    "anyOf",
    "nullable",
    "minimum",
    "maximum",
    "maxItems",
    "additionalProperties",
];

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests/described.jsonl")
}

/// The committed table.
pub fn table() -> Vec<Described> {
    let text = std::fs::read_to_string(file()).expect("the table of described requests");
    text.lines().map(|line| serde_json::from_str(line).expect("a described request")).collect()
}

#[test]
fn the_table_is_what_the_descriptions_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let Ok(list) = std::fs::read_to_string(root.join("reference/operations.csv")) else {
        eprintln!("SKIPPED: no descriptions under {}", root.display());
        return;
    };
    let catalog = Catalog::built_in();
    let (two, three) =
        (requests(&root.join("openapi/highlevel-v2")), requests(&root.join("openapi/highlevel-v3")));
    let mut rows = Vec::new();
    for id in list.lines().skip(1).filter_map(|line| line.split(',').nth(4)) {
        let Some(operation) = catalog.operation(id).filter(|operation| operation.composite.is_empty()) else {
            assert_eq!(id, "contacts.find", "no operation {id}");
            continue;
        };
        let call = |path: &str| (operation.method.to_lowercase(), path.to_owned());
        let base = two.get(&call(&operation.path)).unwrap_or_else(|| panic!("{id} is not described"));
        let base = Described { operation: id.to_owned(), api: "v2".to_owned(), ..base.clone() };
        if let Some(later) = catalog.operation_in(id, Some("v3")) {
            let later =
                three.get(&call(&later.path)).unwrap_or_else(|| panic!("{id} is not described in v3"));
            let later = Described { operation: id.to_owned(), api: "v3".to_owned(), ..later.clone() };
            let as_base = Described { version: base.version.clone(), api: base.api.clone(), ..later.clone() };
            rows.extend((as_base != base).then_some(later));
        }
        rows.push(base);
    }
    rows.sort_by(|a, b| (&a.operation, &a.api).cmp(&(&b.operation, &b.api)));
    if option_env!("HOB_BLESS").is_some() {
        let lines = rows.iter().map(|row| serde_json::to_string(row).expect("JSON") + "\n");
        std::fs::write(file(), lines.collect::<String>()).expect("a writable table");
    }
    let committed = table();
    for row in &rows {
        let same =
            committed.iter().find(|other| (&other.operation, &other.api) == (&row.operation, &row.api));
        let remedy = "HOB_BLESS=1 cargo test --test requests writes the table anew";
        assert_eq!(same, Some(row), "{remedy}");
    }
    assert_eq!(committed.len(), rows.len());
}

/// All requests of the documents in `folder`, by method and path.
fn requests(folder: &Path) -> BTreeMap<(String, String), Described> {
    let mut found = BTreeMap::new();
    let entries = std::fs::read_dir(folder).expect("a folder of descriptions").flatten();
    for file in
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json"))
    {
        let text = std::fs::read_to_string(file).expect("a readable description");
        let document: Value = serde_json::from_str(&text).expect("a description in JSON");
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let described = request(&document, path, method, operation);
                found.insert((method.clone(), path.clone()), described);
            }
        }
    }
    found
}

fn request(document: &Value, path: &str, method: &str, operation: &Value) -> Described {
    let declared = operation["parameters"].as_array().into_iter().flatten();
    let declared: Vec<&Value> = declared.map(|parameter| resolve(document, parameter)).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = declared.iter().find(|parameter| parameter["name"] == "Version");
    let sent = declared.iter().filter(|parameter| matches!(parameter["in"].as_str(), Some("path" | "query")));
    let parameters = sent.map(|parameter| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == json!(true),
        schema: facts(document, &parameter["schema"], 0),
    });
    let content = resolve(document, &operation["requestBody"])["content"].clone();
    let media = content.as_object().and_then(|content| content.values().next());
    Described {
        operation: String::new(),
        api: String::new(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        version: version.map(|parameter| text(&parameter["schema"]["enum"][0])),
        parameters: parameters.collect(),
        body: media.map(|media| facts(document, &media["schema"], 0)),
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => value,
    }
}

/// The constraints in `schema`, with references resolved and without prose. Systematic errors of the descriptions'
/// generator are corrected: `object` for unknown types (an example or a default shows the real type), a number's type
/// for texts, allowed values in a list within the list.
fn facts(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolve(document, schema);
    let Some(declared) = schema.as_object().filter(|_| depth < 12) else { return json!({}) };
    let mut found = Map::new();
    for part in declared.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        let Value::Object(part) = facts(document, part, depth + 1) else { continue };
        found.extend(part);
    }
    for (name, value) in declared.iter().filter(|(name, _)| KEPT.contains(&name.as_str())) {
        let value = match name.as_str() {
            "properties" => {
                let fields = value.as_object().into_iter().flatten();
                fields.map(|(name, field)| (name.clone(), facts(document, field, depth + 1))).collect()
            }
            "items" => facts(document, value, depth + 1),
            "additionalProperties" if value.is_object() => facts(document, value, depth + 1),
            "anyOf" => {
                let parts = value.as_array().into_iter().flatten();
                parts.map(|part| facts(document, part, depth + 1)).collect()
            }
            "enum" => match value.as_array().map(Vec::as_slice) {
                Some([Value::Array(inner)]) => inner.clone().into(),
                _ => value.clone(),
            },
            _ => value.clone(),
        };
        found.insert(name.clone(), value);
    }
    let sample = declared.get("default").or(declared.get("example")).filter(|sample| !sample.is_null());
    let unknown = declared.get("type") == Some(&json!("object")) && !declared.contains_key("properties");
    let texts = |values: &Value| values.as_array().is_some_and(|values| values.iter().all(Value::is_string));
    match sample {
        Some(sample) if unknown && !sample.is_object() => {
            found.remove("type");
            found.insert("example".into(), sample.clone());
        }
        _ if declared.get("type") == Some(&json!("any")) => drop(found.remove("type")),
        _ if declared.get("type") == Some(&json!("number")) && found.get("enum").is_some_and(texts) => {
            found.remove("type");
        }
        _ => {}
    }
    Value::Object(found)
}
