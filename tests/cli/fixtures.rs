//! `hob runs fixture` makes a test of a run, which passes with the recipe as it was.

use std::fs;

use serde_json::{Value, json};

use crate::program::{EndedRun, hob, hob_with};
use crate::stand_in::StandIn;

/// Reads, a link, a remembered value, a loop and writes.
const RECIPE: &str = "name: welcome
trigger: { manual: {} }
when: \"{{ event.email }}\"
vars:
  email: \"{{ event.email | lower }}\"
actions:
  - { id: count, do: state.get, with: { key: \"count-{{ event.id }}\", default: 0 } }
  - { id: known, do: links.find, with: { name: people, from: \"{{ event.id }}\" } }
  - { id: contact, do: contacts.upsert, with: { email: \"{{ vars.email }}\", firstName: \"{{ event.name }}\" } }
  - { id: whole, do: contacts.get, with: { contactId: \"{{ steps.contact.id }}\" } }
  - for_each: \"{{ event.tags }}\"
    as: tag
    do: contacts.notes.create
    with: { contactId: \"{{ steps.whole.id }}\", body: \"{{ event.name }} is {{ tag }}; {{ steps.count }} {{ steps.known }}\" }
  - { do: state.put, with: { key: \"count-{{ event.id }}\", value: \"{{ steps.count + 1 }}\" } }
  - { do: links.save, with: { name: people, from: \"{{ event.id }}\", to: \"{{ steps.whole.id }}\", replace: true } }
";

struct Workspace {
    stand_in: StandIn,
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new(recipe: &str) -> Self {
        let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("recipes")).unwrap();
        fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
        fs::write(folder.path().join("recipes/welcome.yaml"), recipe).unwrap();
        Self { stand_in, folder }
    }

    fn hob(&self, arguments: &[&str]) -> EndedRun {
        hob(self.folder.path(), arguments)
    }

    /// Runs the recipe on `event`; returns the run's id.
    fn run(&self, event: &Value, code: i32) -> String {
        hob_with(self.folder.path(), &["trigger", "welcome", "--event", "-"], &event.to_string()).code(0);
        self.hob(&["run", "--once"]).code(code);
        let runs = self.hob(&["runs", "list", "--limit", "1", "--format", "json"]).json();
        let newest = runs.as_array().map_or_else(|| &runs["runs"][0], |runs| &runs[0]);
        newest["id"].as_str().unwrap_or_else(|| panic!("{runs}")).to_owned()
    }

    /// Makes a test of the run, and runs it; returns what was said and the text of the test.
    fn tested(&self, run: &str, options: &[&str]) -> (String, String) {
        let path = self.folder.path().join("recipes/welcome.test.yaml");
        fs::remove_file(&path).ok();
        let to_file = ["runs", "fixture", run, "--output", "recipes/welcome.test.yaml"];
        let made = self.hob(&[&to_file, options].concat()).code(0);
        let requests = self.stand_in.sandbox.totals().0;
        self.hob(&["test"]).code(0);
        assert_eq!(self.stand_in.sandbox.totals().0, requests, "a test sends nothing");
        (made.errors, fs::read_to_string(path).unwrap())
    }
}

fn ada() -> Value {
    json!({ "id": "7", "email": "Ada@Example.org", "name": "Ada", "tags": ["early", "kind"] })
}

#[test]
fn a_run_becomes_a_test_that_passes() {
    let workspace = Workspace::new(RECIPE);
    let first = workspace.run(&ada(), 0);
    let second = workspace.run(&ada(), 0);
    for (run, count) in [(&first, 0), (&second, 1)] {
        let (said, text) = workspace.tested(run, &[]);
        assert!(!said.contains("warning") && !said.contains("note"), "{said}");
        let test: Value = serde_yaml::from_str(&text).unwrap();
        let test = &test["tests"][0];
        assert_eq!(test["event"], ada());
        let requests = test["expect"]["requests"].as_array().unwrap();
        let done: Vec<&str> = requests.iter().map(|request| request["do"].as_str().unwrap()).collect();
        assert_eq!(done, ["contacts.upsert", "contacts.notes.create", "contacts.notes.create"]);
        // What it knew, and what it left behind.
        assert_eq!(test["state"]["count-7"], if count == 0 { Value::Null } else { json!(1) });
        assert_eq!(test["links"]["people"].is_null(), count == 0, "{test}");
        assert_eq!(test["expect"]["state"]["count-7"], json!(count + 1));
        assert_eq!(test["expect"]["links"]["people"]["7"], test["stubs"]["contacts.get"]["result"]["id"]);
    }
    // It is not written over.
    let again = workspace.hob(&["runs", "fixture", &first, "--output", "recipes/welcome.test.yaml"]).code(2);
    assert!(again.errors.contains("cannot write"), "{}", again.errors);
}

#[test]
fn another_recipe_is_told_and_fails_the_test() {
    let workspace = Workspace::new(RECIPE);
    let run = workspace.run(&ada(), 0);
    workspace.tested(&run, &[]);
    let edited = RECIPE.replace("{{ event.name }} is {{ tag }}", "{{ event.name }} was {{ tag }}");
    fs::write(workspace.folder.path().join("recipes/welcome.yaml"), edited).unwrap();
    let failed = workspace.hob(&["test"]).code(1);
    assert!(failed.output.contains("Ada is early"), "{}", failed.output);
    let made = workspace.hob(&["runs", "fixture", &run]).code(0);
    assert!(made.errors.contains("the recipe as it is now does otherwise"), "{}", made.errors);
    assert!(made.output.contains("Ada is early"), "the run is what is recorded: {}", made.output);
}

#[test]
fn a_failure_and_a_filtered_event_are_recorded_too() {
    let recipe = "name: welcome\ntrigger: { manual: {} }\nwhen: \"{{ event.wanted }}\"\nactions:\n  - { do: contacts.get, with: { contactId: \"{{ event.id }}\" } }\n";
    let workspace = Workspace::new(recipe);
    let filtered = workspace.run(&json!({ "id": "nobody", "wanted": false }), 0);
    let (_, text) = workspace.tested(&filtered, &[]);
    assert!(text.contains("run: filtered"), "{text}");
    let failed = workspace.run(&json!({ "id": "nobody", "wanted": true }), 1);
    let (said, text) = workspace.tested(&failed, &[]);
    assert!(
        text.contains("run: failed") && text.contains("status: 4") && said.lines().count() == 1,
        "{said}{text}"
    );
}

#[test]
fn times_are_as_of_the_tests_clock() {
    let recipe = "name: welcome\ntrigger: { manual: {} }\nactions:\n  - { do: wait, with: { for: 1s } }\n  - { do: contacts.tasks.create, with: { contactId: \"{{ event.id }}\", title: Call, dueDate: \"{{ now() | add_time('2d') }}\", completed: false } }\n";
    let workspace = Workspace::new(recipe);
    let contacts = workspace.stand_in.sandbox.records("highlevel", "contacts", 1).unwrap();
    let run = workspace.run(&json!({ "id": contacts[0]["id"] }), 0);
    let (said, text) = workspace.tested(&run, &[]);
    assert!(said.contains("as of the test's `now`") && text.contains("dueDate"), "{said}{text}");
}

#[test]
fn personal_data_is_replaced_everywhere() {
    let workspace = Workspace::new(RECIPE);
    let run = workspace.run(&ada(), 0);
    let (said, text) = workspace.tested(&run, &["--anonymize"]);
    assert!(said.contains("replaced"), "{said}");
    let lower = text.to_lowercase();
    assert!(!lower.contains("ada") && !lower.contains("example.org"), "{text}");
    let test: Value = serde_yaml::from_str(&text).unwrap();
    let sent = &test["tests"][0]["expect"]["requests"][0]["with"];
    assert_eq!(sent["email"], test["tests"][0]["event"]["email"], "{text}");
}

#[test]
fn a_run_of_the_sandbox_becomes_a_test_with_the_settings_of_the_workspace() {
    let folder = tempfile::tempdir().unwrap();
    hob(folder.path(), &["init", "."]).code(0);
    let recipe = "name: tagger\ntrigger: { manual: {} }\nactions:\n  \
        - { do: contacts.upsert, with: { email: ada@example.com, source: \"in {{ connection.highlevel.location }}\" } }\n";
    fs::write(folder.path().join("recipes/tagger.yaml"), recipe).unwrap();
    hob_with(folder.path(), &["trigger", "tagger", "--event", "-", "--sandbox"], "{}").code(0);
    hob(folder.path(), &["run", "--sandbox", "--once", "recipes/tagger.yaml"]).code(0);
    let runs = hob(folder.path(), &["runs", "list", "--sandbox", "--format", "json"]).code(0).json();
    let run = runs[0]["id"].as_str().unwrap();
    let sent = hob(folder.path(), &["runs", "show", run, "--sandbox"]).code(0).output;
    let output = "recipes/tagger.test.yaml";
    let made = hob(folder.path(), &["runs", "fixture", run, "--sandbox", "--output", output]).code(0);
    assert!(!made.errors.contains("warning"), "{}", made.errors);
    let text = fs::read_to_string(folder.path().join(output)).unwrap();
    let test: Value = serde_yaml::from_str(&text).unwrap();
    let source = test["tests"][0]["expect"]["requests"][0]["with"]["source"].as_str().unwrap();
    assert!(!sent.contains(source), "the sandbox has a location of its own: {source}");
    hob(folder.path(), &["test", "tagger"]).code(0);
}

const PEOPLE: &str = "name: people
sync:
  sides:
    highlevel: { record: contact, every: 10ms }
    fitr: { record: client, every: 10ms }
  match: email
  fields:
    email: {}
    name: { highlevel: firstName, fitr: full_name }
";

#[test]
fn a_run_of_a_sync_becomes_a_test_with_what_was_noted_of_its_link() {
    let workspace = Workspace::new(PEOPLE);
    let call = |operation: &str, with: Value| {
        workspace.hob(&["call", operation, "--with", &with.to_string()]).code(0).json()
    };
    let newest = |recipe: &str| {
        let mut tries = 0;
        loop {
            workspace.hob(&["run", "--once"]).code(0);
            let listed = workspace.hob(&["runs", "list", "--recipe", recipe, "--format", "json"]).json();
            if listed[0]["state"] == "succeeded" {
                return listed[0]["id"].as_str().unwrap().to_owned();
            }
            tries += 1;
            assert!(tries < 10, "no run of {recipe}");
        }
    };
    workspace.hob(&["run", "--once"]).code(0);
    let client =
        call("fitr.clients.create", json!({ "full_name": "Ada", "email": "ada@example.com" }))["id"].clone();
    let id = client.as_str().unwrap();
    let first = newest("people/fitr-to-highlevel");
    let contacts = workspace.stand_in.sandbox.records("highlevel", "contacts", 1000).unwrap();
    let contact =
        contacts.iter().find(|contact| contact["email"] == "ada@example.com").unwrap()["id"].clone();
    call("contacts.update", json!({ "contactId": contact, "firstName": "Adah" }));
    let second = newest("people/highlevel-to-fitr");

    for (run, anonymized) in [(&first, false), (&second, false), (&second, true)] {
        let options: &[&str] = if anonymized { &["--anonymize"] } else { &[] };
        let (said, text) = workspace.tested(run, options);
        assert!(!said.contains("warning"), "{said}");
        let test: Value = serde_yaml::from_str(&text).unwrap();
        let test = &test["tests"][0];
        let name = |link: &Value| {
            (
                link["base"]["from"]["name"]["full_name"].clone(),
                link["base"]["to"]["name"]["firstName"].clone(),
            )
        };
        let (before, after) = (&test["links"]["people"][id], &test["expect"]["links"]["people"][id]);
        assert_eq!(after["to"], contact, "{text}");
        match (run == &first, anonymized) {
            (true, _) => assert!(before.is_null() && name(after) == (json!("Ada"), json!("Ada")), "{text}"),
            (false, false) => {
                assert_eq!(name(before), (json!("Ada"), json!("Ada")), "{text}");
                assert_eq!(name(after), (json!("Adah"), json!("Adah")), "{text}");
            }
            (false, true) => assert!(!text.contains("Ada") && text.contains("Person1"), "{text}"),
        }
    }
}
