//! `hob test` runs the tests beside recipes, sends nothing, and shows what differs at its place.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{EndedRun, hob};

const HOB_YAML: &str = "connections:\n  studio: { connector: highlevel, location: loc1, auth: { token: '${NOT_SET}' } }\n  fitr: { connector: fitr, base_url: 'http://127.0.0.1:9', auth: { header: { name: X-API-Key, value: '${NOT_SET}' } } }\nenv: [GREETING]\n";

/// A workspace with a recipe `r` and its tests.
fn workspace(recipe: &str, tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), HOB_YAML).unwrap();
    fs::write(folder.path().join("recipes/r.yaml"), recipe).unwrap();
    fs::write(folder.path().join("recipes/r.test.yaml"), tests).unwrap();
    folder
}

fn test(folder: &Path, arguments: &[&str]) -> EndedRun {
    hob(folder, &[&["test"], arguments].concat())
}

/// The results of the tests `tests` of `recipe`, by name.
fn results(recipe: &str, tests: &str) -> Vec<Value> {
    let folder = workspace(recipe, tests);
    let ended = test(folder.path(), &["--format", "json"]);
    assert!(!folder.path().join("state").exists(), "a test stores nothing in the workspace");
    ended.json()["tests"].as_array().unwrap().clone()
}

/// The messages of the failures of the only test.
fn failures(recipe: &str, tests: &str) -> Vec<String> {
    let results = results(recipe, tests);
    let [only] = results.as_slice() else { panic!("{results:#?}") };
    let failures = only["failures"].as_array().unwrap().iter();
    failures.map(|failure| failure["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_gallery_recipe_passes_tests_that_reach_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), HOB_YAML).unwrap();
    let mut untested = Vec::new();
    for entry in fs::read_dir(recipes).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_test = name.ends_with(".test.yaml");
        if !is_test && !path.with_extension("test.yaml").exists() {
            untested.push(name.clone());
        }
        fs::copy(&path, folder.path().join("recipes").join(name)).unwrap();
    }
    assert_eq!(untested, [""; 0]);
    let ended = test(folder.path(), &["recipes", "--coverage", "--min", "100"]).code(0);
    assert!(ended.output.contains(" 0 failed"), "{}", ended.output);
}

#[test]
fn the_test_that_init_writes_passes_and_reaches_everything() {
    let folder = tempfile::tempdir().unwrap();
    hob(folder.path(), &["init"]).code(0);
    let ended = test(folder.path(), &["--coverage", "--min", "100"]).code(0);
    assert!(ended.output.contains("2 tests: 2 passed"), "{}", ended.output);
}

const UPSERT: &str = "name: r\ntrigger: { manual: {} }\nactions:\n  - id: contact\n    do: contacts.upsert\n    with: { email: '{{ event.email }}', firstName: '{{ event.first | default(omit) }}' }\n";

#[test]
fn what_differs_is_shown_at_its_place_with_the_place_in_the_recipe() {
    let folder = workspace(
        UPSERT,
        "tests:\n  - name: t\n    event: { email: a@b.c, first: Ada }\n    expect:\n      requests:\n        - do: contacts.upsert\n          with: { email: a@b.c, firstName: Bob }\n",
    );
    let ended = test(folder.path(), &[]).code(1);
    for part in [
        "FAILED t",
        "recipes/r.test.yaml:7:17",
        "it is sent at recipes/r.yaml:4:5",
        "- firstName: \"Bob\"",
        "+ firstName: \"Ada\"",
        "1 test: 0 passed, 1 failed",
    ] {
        assert!(ended.output.contains(part), "{part}: {}", ended.output);
    }
}

#[test]
fn too_many_too_few_and_other_requests_are_failures() {
    let tests = |requests: &str| {
        format!(
            "tests:\n  - name: t\n    event: {{ email: a@b.c, first: Ada }}\n    expect: {{ requests: {requests} }}\n"
        )
    };
    let found = |requests: &str| failures(UPSERT, &tests(requests));
    assert_eq!(found("[{ do: contacts.upsert }]"), [""; 0]);
    assert!(found("[]")[0].starts_with("`contacts.upsert` was sent too, with {"), "{:?}", found("[]"));
    let two = found("[{ do: contacts.upsert }, { do: contacts.tags.add }]");
    assert_eq!(two, ["`contacts.tags.add` was not sent; sent were `contacts.upsert`"]);
    let exact = found("[{ do: contacts.upsert, with: { email: a@b.c }, exact: true }]");
    assert_eq!(exact, ["`contacts.upsert` was sent with other inputs"]);
    let exact = found("[{ do: contacts.upsert, with: { email: a@b.c, firstName: Ada }, exact: true }]");
    assert_eq!(exact, [""; 0], "what the connection fills in does not count");
}

#[test]
fn retries_waits_and_lost_answers_take_no_time_and_end_as_they_do_in_production() {
    let recipe = "name: r\ntrigger: { manual: {} }\nactions:\n  - { do: wait, with: { for: 3d } }\n  - { id: read, do: contacts.get, with: { contactId: c1 } }\n  - { id: note, do: contacts.notes.create, with: { contactId: c1, body: '{{ now() | date(''%Y-%m-%d'') }}' } }\n";
    let tests = "tests:\n  - name: retried\n    now: 2026-11-28T09:00:00Z\n    event: {}\n    stubs: { contacts.get: [{ status: 503 }, { status: 429, headers: { Retry-After: '60' } }, { result: { id: c1 } }] }\n    expect: { requests: [{ do: contacts.get }, { do: contacts.get }, { do: contacts.get }, { do: contacts.notes.create, with: { body: '2026-12-01' } }], steps: { read: { id: c1 } } }\n  - name: given up\n    event: {}\n    stubs: { contacts.get: { status: 500 } }\n    expect: { run: failed, reason: gave up after 5 attempts }\n  - name: refused\n    event: {}\n    stubs: { contacts.get: { status: 404, body: { message: no such contact } } }\n    expect: { run: failed, reason: no such contact }\n  - name: made although the answer was lost\n    now: 2026-11-28T09:00:00Z\n    event: {}\n    stubs:\n      contacts.notes.create: { lost: true }\n      contacts.notes.list: { result: [{ id: n1, body: '2026-12-01', contactId: c1, dateAdded: '2026-12-01T09:00:00Z' }] }\n    expect: { steps: { note: { id: n1 } } }\n";
    let results = results(recipe, tests);
    for result in &results {
        assert_eq!(result["passed"], true, "{result:#}");
    }
    assert_eq!(results.len(), 4);
}

#[test]
fn links_values_and_the_environment_are_set_and_compared() {
    let recipe = "name: r\ntrigger: { manual: {} }\nactions:\n  - { id: there, do: links.find, with: { name: pair, from: a } }\n  - { do: links.save, with: { name: pair, from: b, to: '{{ steps.there }}2' } }\n  - { id: before, do: state.get, with: { key: k } }\n  - { do: state.put, with: { key: k, value: '{{ steps.before ~ env.GREETING }}' } }\n";
    let tests = |expect: &str| {
        format!(
            "env: {{ GREETING: hello }}\ntests:\n  - name: t\n    event: {{}}\n    links: {{ pair: {{ a: 1 }} }}\n    state: {{ k: 'say ' }}\n    expect: {expect}\n"
        )
    };
    let good = "{ links: { pair: { a: '1', b: '12', c: null } }, state: { k: say hello, other: null } }";
    assert_eq!(failures(recipe, &tests(good)), [""; 0]);
    let bad = "{ links: { pair: { a: null, c: x } }, state: { k: other } }";
    assert_eq!(
        failures(recipe, &tests(bad)),
        [
            "link `pair` from `a` is there, as \"1\"",
            "link `pair` from `c` is not there",
            "the value of `k` is another one"
        ]
    );
}

#[test]
fn events_come_as_the_trigger_would_make_them() {
    let poll = "name: r\ntrigger: { poll: contacts.search, emit: [new, changed] }\nwhen: \"{{ 'email' in event.changed | default([]) }}\"\nactions: [{ do: log, with: { message: '{{ event.before.email }}' } }]\n";
    let tests = "tests:\n  - { name: changed, kind: changed, event: { id: c1, email: new@b.c }, before: { id: c1, email: old@b.c }, expect: { steps: { log-1: { message: old@b.c } } } }\n  - { name: same, kind: changed, event: { id: c1, email: old@b.c }, before: { id: c1, email: old@b.c }, expect: { run: filtered } }\n";
    for result in results(poll, tests) {
        assert_eq!(result["passed"], true, "{result:#}");
    }
    let webhook = "name: r\ntrigger: { webhook: [highlevel.ContactUpdate, highlevel.ContactCreate], hydrate: true }\nactions: [{ do: log, with: { message: '{{ event.email }}' } }]\n";
    let tests = "tests:\n  - name: t\n    event: { type: ContactUpdate, id: c1 }\n    stubs: { contacts.get: { with: { contactId: c1 }, result: { id: c1, email: whole@b.c } } }\n    expect: { steps: { log-1: { message: whole@b.c } } }\n";
    assert_eq!(failures(webhook, tests), [""; 0], "the record is fetched whole");
    let other = tests.replace("type: ContactUpdate", "type: ContactDelete");
    assert!(failures(webhook, &other)[0].contains("not `ContactDelete`"), "{:?}", failures(webhook, &other));
    let sample = "tests:\n  - { name: t, event_sample: true, event: { email: own@b.c }, expect: { steps: { log-1: { message: own@b.c } } } }\n";
    let poll = "name: r\ntrigger: { poll: contacts.search }\nactions: [{ do: log, with: { message: '{{ event.email }}' } }]\n";
    assert_eq!(failures(poll, sample), [""; 0]);
}

#[test]
fn mistakes_in_test_files_are_shown_and_the_other_tests_run() {
    let folder = workspace(UPSERT, "tests:\n  - { name: t, event: { email: a@b.c } }\n");
    let broken = "recipe: rr\ntests:\n  - { name: t, event: {}, stub: {} }\n";
    fs::write(folder.path().join("recipes/broken.test.yaml"), broken).unwrap();
    let ended = test(folder.path(), &[]).code(1);
    assert!(ended.output.contains("a test has no field `stub`"), "{}", ended.output);
    assert!(ended.output.contains("1 test: 1 passed, 0 failed, 1 file with mistakes"), "{}", ended.output);
    fs::write(folder.path().join("recipes/broken.test.yaml"), broken.replace("stub: {}", "kind: x")).unwrap();
    let ended = test(folder.path(), &[]).code(1);
    assert!(ended.output.contains("there is no recipe `rr`"), "{}", ended.output);
    fs::remove_file(folder.path().join("recipes/broken.test.yaml")).unwrap();
    hob(folder.path(), &["validate"]).code(0);
    test(folder.path(), &["--name", "nothing"]).code(2);
    test(folder.path(), &["recipes/none.yaml"]).code(2);
    test(folder.path(), &["recipes/r.yaml"]).code(0);
}

#[test]
fn validate_checks_tests_too() {
    let good =
        "tests:\n  - { name: t, event: { email: a@b.c }, expect: { steps: { contact: { id: c1 } } } }\n";
    let told = |tests: &str, arguments: &[&str]| {
        let folder = workspace(UPSERT, tests);
        let ended = hob(folder.path(), &[&["validate", "--format", "json"], arguments].concat());
        let rows = ended.json();
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["code"] != "unset-variable")
            .map(|row| format!("{} {}", row["file"].as_str().unwrap(), row["code"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(good, &[]), [""; 0]);
    for (from, to, code) in [
        ("contact:", "contcat:", "unknown-step"),
        ("event:", "evnt:", "unknown-field"),
        ("tests:", "recipe: rr\ntests:", "not-allowed"),
        ("expect: {", "stubs: { contacts.upserts: { status: 500 } }, expect: {", "unknown-operation"),
    ] {
        let broken = good.replace(from, to);
        for arguments in [&[][..], &["recipes"], &["recipes/r.test.yaml"]] {
            assert_eq!(told(&broken, arguments), [format!("recipes/r.test.yaml {code}")], "{arguments:?}");
        }
        assert_eq!(told(&broken, &["recipes/r.yaml"]), [""; 0]);
    }
}

#[test]
fn coverage_names_what_no_test_reaches() {
    let recipe = "name: r\ntrigger: { manual: {} }\nwhen: '{{ event.on }}'\nactions:\n  - { id: a, do: log, with: { message: a }, if: '{{ event.a }}' }\n  - { id: b, do: log, with: { message: b } }\non_failure: [{ id: f, do: log, with: { message: f } }]\n";
    let folder = workspace(recipe, "tests:\n  - { name: t, event: { on: true, a: false } }\n");
    test(folder.path(), &["--coverage", "--min", "50"]).code(0);
    let ended = test(folder.path(), &["--coverage", "--min", "51"]).code(1);
    for part in [
        "r: 3 of 6 parts covered (50 %), too little",
        "r.yaml:3:7: not covered: `when` is false",
        "r.yaml:5:5: not covered: step `a` runs",
        "not covered: step `f` runs",
    ] {
        assert!(ended.output.contains(part), "{part}: {}", ended.output);
    }
    let coverage = test(folder.path(), &["--coverage", "--format", "json"]).json()["coverage"][0].clone();
    assert_eq!((&coverage["covered"], &coverage["total"]), (&json!(3), &json!(6)));
}

#[test]
fn junit_names_each_failure() {
    let folder = workspace(
        UPSERT,
        "tests:\n  - { name: good, event: { email: a@b.c } }\n  - { name: 'a <bad> & one', event: { email: a@b.c }, expect: { run: failed } }\n",
    );
    test(folder.path(), &["--junit", "out.xml"]).code(1);
    let xml = fs::read_to_string(folder.path().join("out.xml")).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
    assert!(xml.contains("name=\"a &lt;bad&gt; &amp; one\""), "{xml}");
    assert!(
        xml.contains("<failure message=\"the run ended as succeeded, not failed\">recipes/r.test.yaml:3:"),
        "{xml}"
    );
}
