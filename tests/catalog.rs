//! The built-in catalog: ids, paths, versions and paging styles that recipes rely on, and all cross-references.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hob::catalog::{
    AuthScheme, Catalog, Connector, Effect, InputName, NestedInputs, Operation, Paging, path,
};
use hob::value::{Kind, Shape};

fn paging_style(operation: &Operation) -> &'static str {
    match operation.list.as_ref().map(|list| &list.paging) {
        None => "-",
        Some(Paging::None) => "none",
        Some(Paging::Offset { .. }) => "offset",
        Some(Paging::Page { .. }) => "page",
        Some(Paging::Cursor { .. }) => "cursor",
        Some(Paging::Link { .. }) => "link",
    }
}

/// Inputs provided by a connection's settings and the connector's constants.
fn filled(connector: &Connector) -> BTreeSet<&str> {
    let settings = connector.settings.values().flat_map(|setting| &setting.fills);
    settings.chain(connector.constants.keys()).map(String::as_str).collect()
}

/// Id, method, path, version and paging style of operations used by existing recipes. Changing one breaks recipes, so
/// change this file only on purpose.
#[test]
fn named_operations_stay_as_they_are() {
    let catalog = Catalog::built_in();
    let found: String = catalog
        .operations()
        .filter(|operation| operation.connector == "highlevel")
        .map(|operation| {
            let version = operation.version.as_deref().unwrap_or("-");
            let style = paging_style(operation);
            format!("{},{},{},{version},{style}\n", operation.id, operation.method, operation.path)
        })
        .collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog/named.csv");
    if option_env!("HOB_BLESS").is_some() {
        std::fs::write(&file, &found).expect("a writable expectation");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    let found: BTreeMap<&str, &str> = found.lines().filter_map(|line| line.split_once(',')).collect();
    let broken: Vec<String> = expected
        .lines()
        .filter_map(|line| line.split_once(','))
        .filter(|(id, facts)| found.get(id) != Some(facts))
        .map(|(id, facts)| format!("{id}: {facts} expected, {} found", found.get(id).unwrap_or(&"nothing")))
        .collect();
    assert!(broken.is_empty(), "broken operations:\n{}", broken.join("\n"));
    assert!(expected.lines().count() >= 576, "{} is incomplete", file.display());
}

/// Where the named operations' answers have their records, and their fields: facts from several sources, not only the
/// descriptions.
const TWICE: &str = include_str!("catalog/twice.csv");
const ANSWERS: &str = include_str!("catalog/answers.csv");

#[test]
fn shapes_promise_what_is_answered() {
    let catalog = Catalog::built_in();
    let mut wrong = Vec::new();
    for row in ANSWERS.lines() {
        let cells: Vec<&str> = row.split(',').collect();
        let [id, kind, place, fields @ ..] = cells.as_slice() else { panic!("{row}") };
        let operation = catalog.operation(id).unwrap_or_else(|| panic!("no {id}"));
        let Some(shape) = operation.response.as_ref().and_then(|response| path::walk(response, place)) else {
            wrong.push(format!("{id}: nothing at {place}"));
            continue;
        };
        if place.ends_with("[*]") && shape.kind == Kind::Array {
            wrong.push(format!("{id}: {place} is a list of lists"));
        }
        for field in fields.iter().filter(|field| **field != "-") {
            if !shape.is_open() && !shape.fields.contains_key(*field) && shape.any_of.is_empty() {
                wrong.push(format!("{id}: {place} has no {field}"));
            }
        }
        if *kind == "poller" {
            let list = operation.list.as_ref().unwrap_or_else(|| panic!("{id} is no poller"));
            let given = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".to_owned());
            let facts =
                (list.items.iter().any(|items| items == place), given(&list.updated), given(&list.created));
            if facts != (true, fields[1].to_owned(), fields[2].to_owned()) {
                wrong.push(format!("{id}: {:?} {facts:?}, expected {row}", list.items));
            }
            if fields[0] != "-" && !list.id.iter().any(|id| id == fields[0]) {
                wrong.push(format!("{id}: id {:?}, expected {row}", list.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ANSWERS.lines().count() > 110);
}

/// The vendor's descriptions declare the items of many lists as lists, which no answer has.
#[test]
fn no_answer_of_highlevel_is_a_list_of_lists() {
    fn nested(shape: &Shape, at: &str, found: &mut Vec<String>) {
        if let Some(items) = shape.items.as_deref().filter(|_| shape.kind == Kind::Array) {
            if items.kind == Kind::Array {
                found.push(at.to_owned());
            }
            nested(items, &format!("{at}[*]"), found);
        }
        for (name, field) in &shape.fields {
            nested(field, &format!("{at}.{name}"), found);
        }
        for part in shape.any_of.iter().chain(shape.entries.as_deref()) {
            nested(part, at, found);
        }
    }
    let catalog = Catalog::built_in();
    let mut found = Vec::new();
    for operation in catalog.operations().filter(|operation| operation.connector == "highlevel") {
        if let Some(response) = &operation.response {
            nested(response, &operation.id, &mut found);
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// Results of examining all idempotent operations: sent twice, are state and answer the same, and what do later steps
/// read that is not?
#[test]
fn idempotent_operations_were_examined() {
    let catalog = Catalog::built_in();
    let mut unknown: BTreeSet<&str> =
        catalog.operations().filter(|o| o.effect == Effect::Idempotent).map(|o| o.id.as_str()).collect();
    for row in TWICE.lines().skip(1) {
        let [id, state, answer, later, note] = row.splitn(5, ',').collect::<Vec<_>>()[..] else {
            panic!("not five columns: {row}")
        };
        assert!(unknown.remove(id), "{id} is not idempotent, or stands there twice");
        let operation = catalog.operation(id).expect("an operation");
        assert_eq!(state == "same", operation.creates_when.is_empty(), "{id}: {state}");
        let fields: Vec<&str> = operation.first_only.iter().map(|first| first.field.as_str()).collect();
        assert_eq!(later.split(' ').filter(|field| *field != "-").collect::<Vec<_>>(), fields, "{id}");
        assert_eq!(answer == "differs", !fields.is_empty(), "{id}: {answer}");
        assert!(answer != "gone" || operation.method == "DELETE", "{id}: nothing is gone");
        // Fields with such names describe the request, unless the row says otherwise.
        let mut telling = Vec::new();
        if let Some(response) = &operation.response {
            names(response, &mut telling);
        }
        for name in telling.iter().filter(|name| {
            let ends = ["Added", "Removed"].iter().any(|end| name.ends_with(end) && **name != "dateAdded");
            ends || ["new", "deleted"].contains(&name.as_str())
                || name.starts_with("old")
                || name.starts_with("already")
        }) {
            let looked_at =
                fields.iter().any(|field| field.ends_with(name.as_str())) || note.contains(name.as_str());
            assert!(looked_at, "{id}: what does {name} tell the second time?");
        }
    }
    assert_eq!(unknown, BTreeSet::new(), "not in tests/catalog/twice.csv");
}

/// The names of all fields.
fn names(shape: &Shape, found: &mut Vec<String>) {
    for (name, field) in &shape.fields {
        found.push(name.clone());
        names(field, found);
    }
    shape.items.iter().for_each(|items| names(items, found));
    shape.any_of.iter().for_each(|part| names(part, found));
}

#[test]
fn every_json_path_is_one() {
    let catalog = Catalog::built_in();
    let check = |owner: &str, text: &str| {
        path::check(text).unwrap_or_else(|error| panic!("{owner}: {text}: {error}"));
    };
    for operation in catalog.operations() {
        let list = operation.list.iter().flat_map(|list| &list.items);
        let composite = operation.composite.iter().map(|alternative| &alternative.result);
        operation.result.iter().chain(list).chain(composite).for_each(|text| check(&operation.id, text));
    }
    for connector in catalog.connectors() {
        let errors = connector.errors.message.iter().chain(&connector.errors.trace);
        let webhooks = connector.webhooks.iter().flat_map(|hooks| {
            hooks.route.values().flatten().chain(&hooks.id).chain(std::iter::once(&hooks.r#type))
        });
        let logins = connector.auth.iter().flat_map(|scheme| match scheme {
            AuthScheme::Login(login) => std::iter::once(&login.token).chain(&login.expires_in).collect(),
            _ => Vec::new(),
        });
        errors.chain(webhooks).chain(logins).for_each(|text| check(&connector.connector, text));
        for (name, event) in &connector.events {
            let hydrate = event.hydrate.iter().flat_map(|hydrate| hydrate.with.values());
            let hydrate = hydrate.flat_map(|value| value.names()).map(|path| &path.0);
            let paths = event.id.iter().chain(&event.signs).chain(event.values.keys()).chain(hydrate);
            paths.chain(std::iter::once(&event.record)).for_each(|text| check(name, text));
        }
    }
}

#[test]
fn every_operation_is_complete() {
    let catalog = Catalog::built_in();
    for operation in catalog.operations() {
        let id = &operation.id;
        assert!(
            !operation.title.is_empty() && !operation.summary.is_empty(),
            "{id}: title or summary is empty"
        );
        assert!(!operation.kinds.is_empty(), "{id}: good for nothing");
        assert!(!operation.is_poller() || operation.list.is_some(), "{id}: a poller without list facts");
        assert!(!operation.is_poller() || operation.effect == Effect::Read, "{id}: a poller that writes");
        let sent = !operation.method.is_empty() && operation.path.starts_with('/');
        assert!(sent || operation.builtin.is_some() || !operation.composite.is_empty(), "{id}: no request");
        let wanted = path_parameters(&operation.path);
        let has = |name: &&str| {
            operation.parameters.iter().any(|(key, p)| {
                p.place == hob::catalog::Place::Path
                    && p.wire.as_deref().unwrap_or(key) == *name
                    && p.shape.required
            })
        };
        let missing: Vec<&str> = wanted.into_iter().filter(|name| !has(name)).collect();
        assert!(missing.is_empty() || !operation.composite.is_empty(), "{id}: no path parameter {missing:?}");
        let names: Vec<&str> = operation.inputs().iter().map(|input| input.name).collect();
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), unique.len(), "{id}: an input twice");
        for name in &operation.one_of {
            assert!(unique.contains(name.as_str()), "{id}: one_of names no input {name}");
        }
    }
}

fn path_parameters(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}

#[test]
fn every_example_fits_its_inputs() {
    let catalog = Catalog::built_in();
    for operation in catalog.operations() {
        let connector = catalog.connector(&operation.connector).expect("its connector");
        let (id, filled) = (&operation.id, filled(connector));
        let paging: Vec<&str> = operation.list.iter().flat_map(|list| list.paging.inputs()).collect();
        for (name, value) in &operation.example {
            let Some(input) = operation.input(name) else {
                assert!(operation.takes_any_input(), "{id}: example for no input {name}");
                continue;
            };
            let problems = input.shape.check(value, &|_| false);
            assert!(problems.is_empty(), "{id}: {name}: {problems:?}");
        }
        for input in operation.inputs().iter().filter(|input| input.shape.required) {
            let given = operation.example.contains_key(input.name);
            let ours = filled.contains(input.name) || paging.contains(&input.name);
            assert!(given || ours, "{id}: the example lacks {}", input.name);
        }
        let one_of = operation.one_of.iter().any(|name| operation.example.contains_key(name));
        assert!(
            one_of || operation.one_of.is_empty(),
            "{id}: the example has none of {:?}",
            operation.one_of
        );
    }
}

#[test]
fn paging_uses_inputs_that_exist() {
    for operation in Catalog::built_in().operations() {
        let Some(list) = &operation.list else { continue };
        for name in list.paging.inputs().into_iter().chain(list.newest_first.keys().map(String::as_str)) {
            let input = operation.input(name).unwrap_or_else(|| panic!("{}: no input {name}", operation.id));
            if let Some(value) = list.newest_first.get(name) {
                assert!(input.shape.check(value, &|_| false).is_empty(), "{}: {name}", operation.id);
            }
        }
        let size = match &list.paging {
            Paging::Offset { limit, size, .. } => Some((limit, *size)),
            Paging::Page { limit: Some(limit), size, .. } => Some((limit, *size)),
            Paging::Cursor { limit: Some(limit), size: Some(size), .. } => Some((limit, *size)),
            _ => None,
        };
        if let Some((limit, size)) = size {
            let most = operation.input(limit).and_then(|input| input.shape.maximum).unwrap_or(i64::MAX);
            assert!(size > 0 && i64::from(size) <= most, "{}: pages of {size}, {most} allowed", operation.id);
        }
    }
}

#[test]
fn list_facts_agree_with_the_answers_shape() {
    for operation in Catalog::built_in().operations() {
        let (Some(list), Some(response)) = (&operation.list, &operation.response) else { continue };
        let item = list.items.iter().find_map(|items| path::walk(response, items));
        let Some(item) = item.filter(|item| !item.is_open()) else { continue };
        for field in list.id.iter().take(1).chain(&list.updated).chain(&list.created) {
            // A few fields are known from live answers only.
            let known =
                item.fields.contains_key(field) || LIVE_FIELDS.contains(&(operation.id.as_str(), field));
            assert!(known, "{}: items have no {field}: {:?}", operation.id, item.fields.keys());
        }
    }
}

/// Fields of items that descriptions omit.
const LIVE_FIELDS: [(&str, &str); 4] = [
    ("conversations.search", "dateUpdated"),
    ("conversations.search", "dateAdded"),
    ("calendars.resources.list", "id"),
    ("calendars.resources.get", "id"),
];

/// Checks the references of `operation` in its version.
fn references_hold(catalog: &Catalog, operation: &Operation) {
    let id = format!("{} {}", operation.id, operation.api.as_deref().unwrap_or_default());
    let target = |other: &str| {
        catalog.sibling(operation, other).unwrap_or_else(|| panic!("{id}: no operation {other}")).clone()
    };
    for case in &operation.creates_when {
        assert_eq!(operation.effect, Effect::Idempotent, "{id}: a create has no cases");
        for name in case.equal.keys().chain(&case.without) {
            assert!(operation.input(name).is_some(), "{id}: no input {name}");
        }
    }
    for first in &operation.first_only {
        let response = operation.response.as_ref().unwrap_or_else(|| panic!("{id}: no answer is known"));
        for place in std::iter::once(&first.field).chain(&first.created) {
            assert!(path::walk(response, place).is_some(), "{id}: nothing at {place}");
        }
    }
    if let Some(probe) = &operation.probe {
        let creates = operation.effect == Effect::Create || !operation.creates_when.is_empty();
        assert!(creates, "{id}: a probe for no create");
        let read = target(&probe.operation);
        assert_eq!(read.effect, Effect::Read, "{id}: a probe that writes");
        let list = read.list.as_ref().unwrap_or_else(|| panic!("{id}: a probe without items"));
        assert!(probe.created.is_some() || !probe.matching.is_empty(), "{id}: a probe that finds anything");
        for theirs in probe.with.keys() {
            assert!(read.input(theirs).is_some(), "{id}: probe input {theirs}");
        }
        for ours in probe.inputs() {
            assert!(operation.input(ours).is_some(), "{id}: probe value {ours}");
        }
        for ours in probe.matching.values() {
            assert!(operation.input(ours).is_some(), "{id}: probe match {ours}");
        }
        let item = list.items.iter().find_map(|items| path::walk(read.response.as_ref()?, items));
        for theirs in probe.matching.keys().chain(&probe.created) {
            let shown =
                item.filter(|item| !item.is_open()).map(|item| path::walk(item, &format!("$.{theirs}")));
            assert!(shown != Some(None), "{id}: items of {} have no {theirs}", read.id);
        }
    }
    for alternative in &operation.composite {
        let part = target(&alternative.operation);
        for name in alternative.with.keys() {
            assert!(part.input(name).is_some(), "{id}: {} takes no {name}", part.id);
        }
        for name in alternative.when.iter().chain(passed_on(&alternative.with)) {
            assert!(operation.input(name).is_some(), "{id}: no input {name}");
        }
    }
    for name in operation.list.iter().flat_map(|list| list.paging.inputs()) {
        assert!(operation.input(name).is_some(), "{id}: no input {name}");
    }
}

#[test]
fn every_reference_between_operations_holds() {
    let catalog = Catalog::built_in();
    let target = |owner: &str, id: &str| {
        catalog.operation(id).unwrap_or_else(|| panic!("{owner}: no operation {id}")).clone()
    };
    for operation in catalog.operations() {
        let versions = catalog.connector(&operation.connector).expect("its connector").versions.names();
        let versions: Vec<&str> = versions.collect();
        references_hold(&catalog, operation);
        for later in
            versions.iter().skip(1).filter_map(|name| catalog.operation_in(&operation.id, Some(name)))
        {
            references_hold(&catalog, later);
        }
    }
    for connector in catalog.connectors() {
        for (name, event) in &connector.events {
            assert!(!event.types.is_empty() || !event.signs.is_empty(), "{name}: nothing tells it");
            if let Some(hydrate) = &event.hydrate {
                let read = target(name, &hydrate.operation);
                assert_eq!(read.effect, Effect::Read, "{name}: hydrate writes");
                let given: Vec<&str> = hydrate.with.keys().map(String::as_str).collect();
                for input in &given {
                    assert!(read.input(input).is_some(), "{name}: {} takes no {input}", read.id);
                }
                for input in read.inputs().iter().filter(|input| input.shape.required) {
                    let there = given.contains(&input.name) || filled(connector).contains(input.name);
                    assert!(there, "{name}: {} needs {}", read.id, input.name);
                }
            }
            if let Some(poller) = &event.reconcile {
                assert!(target(name, poller).is_poller(), "{name}: {poller} is no poller");
            }
        }
    }
}

/// The inputs that a composite operation passes on.
fn passed_on(with: &NestedInputs<InputName>) -> impl Iterator<Item = &String> {
    with.values().flat_map(|value| value.names()).map(|input| &input.0)
}

#[test]
fn lists_name_inputs_and_pollers_that_exist() {
    let complaint = |list: &str| {
        let operation = format!(
            "operations:\n  shop.orders.list:\n    title: t\n    summary: s\n    kinds: [poller]\n    method: GET\n    \
             path: /orders\n    parameters: {{ since: {{ in: query, shape: {{ type: string }} }} }}\n    list:\n      \
             items: [$.orders]\n      id: [id]\n{list}"
        );
        let connector = "connector: shop\ntitle: Shop\nabout: A shop.\nauth: []\n";
        let files = [("shop/connector.yaml", connector), ("shop/orders.yaml", &operation)];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        Catalog::built_in().add_folder("shop", files.to_vec()).err().map(|error| error.to_string())
    };
    let window = |to: &str| {
        format!(
            "      window: {{ from: since, to: {to}, form: date, time: at, days_past: 1, days_ahead: 1 }}\n"
        )
    };
    assert_eq!(complaint(""), None);
    let error = complaint(&window("until")).unwrap();
    assert!(error.contains("`window` names `until`, which is no input") && error.contains("12"), "{error}");
    assert_eq!(complaint(&window("since")), None);
    for unknown in ["{ instead: shop.carts.list }", "{ touches: { contacts.search: [new] } }"] {
        let error = complaint(&format!("      per_parent: {unknown}\n")).unwrap();
        assert!(
            error.contains("`per_parent` names `") && error.contains("no poller of this connector"),
            "{error}"
        );
    }
    assert_eq!(complaint("      per_parent: { instead: shop.orders.list }\n"), None);
}

#[test]
fn names_in_other_tools_lead_to_operations() {
    let catalog = Catalog::built_in();
    let mut names = 0;
    for connector in catalog.connectors() {
        for (name, id) in &connector.known_as {
            assert!(catalog.operation(name).is_none(), "{name} is an operation");
            let operation = catalog.operation(id).unwrap_or_else(|| panic!("{name}: {id}"));
            assert_eq!(operation.connector, connector.connector, "{name}");
            names += 1;
        }
    }
    assert!(names > 50, "only {names} names");
}
