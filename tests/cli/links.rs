//! Links between records: unique on both sides, and found by templates.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{hob, hob_with};

const SAVE: &str = "name: save
trigger: { manual: {} }
actions:
  - { do: links.save, with: { name: client-contact, from: \"{{ event.client }}\", to: \"{{ event.contact }}\" }, retry: { attempts: 9, backoff: 1h..2h } }
";
const DELETE: &str = "name: delete
trigger: { manual: {} }
actions:
  - { do: links.delete, with: { name: client-contact, to: \"{{ event.contact }}\" } }
";
const FIND: &str = "name: find
trigger: { manual: {} }
when: \"{{ links.find('client-contact', event.client) or event.anyway }}\"
vars:
  contact: \"{{ links.find('client-contact', event.client) }}\"
actions:
  - for_each: \"{{ [links.find('client-contact', to=vars.contact), event.client] }}\"
    do: log
    with: { message: \"{{ item }} is {{ links.find('client-contact', from=item) | default('nobody', true) }}\" }
  - { do: log, if: \"{{ links.find('client-contact', event.client) is none }}\", with: { message: not linked } }
";

fn trigger(folder: &Path, recipe: &str, event: &Value) -> String {
    let arguments = ["trigger", recipe, "--event", "-", "--format", "json"];
    let told = hob_with(folder, &arguments, &event.to_string()).code(0).json();
    told["runs"][0].as_str().unwrap().to_owned()
}

fn shown(folder: &Path, run: &str) -> String {
    hob(folder, &["runs", "show", run]).code(0).output
}

#[test]
fn a_conflict_names_both_records_and_templates_find_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("recipes")).unwrap();
    for (name, text) in [("save", SAVE), ("delete", DELETE), ("find", FIND)] {
        fs::write(path.join(format!("recipes/{name}.yaml")), text).unwrap();
    }
    fs::write(path.join("hob.yaml"), "").unwrap();
    assert!(!hob(path, &["validate"]).code(0).output.contains("unknown-link"));
    trigger(path, "save", &json!({ "client": 7, "contact": "c1" }));
    hob(path, &["run", "--once"]).code(0);
    trigger(path, "save", &json!({ "client": 7, "contact": "c1" }));
    let taken = trigger(path, "save", &json!({ "client": 8, "contact": "c1" }));
    hob(path, &["run", "--once"]).code(1);
    let history = shown(path, &taken);
    assert!(
        history.contains("`8` cannot be linked to `c1` as `client-contact`: `c1` is linked to `7` already"),
        "{history}"
    );
    assert!(history.contains("links.delete") && history.contains("replace: true"), "{history}");

    let found = trigger(path, "find", &json!({ "client": 7, "anyway": false }));
    let missing = trigger(path, "find", &json!({ "client": 8, "anyway": false }));
    let anyway = trigger(path, "find", &json!({ "client": 8, "anyway": true }));
    let dry = ["trigger", "find", "--dry-run", "--event", "-"];
    let dry = hob_with(path, &dry, &json!({ "client": 7 }).to_string()).code(0).output;
    assert!(dry.contains("7 is c1"), "{dry}");
    hob(path, &["run", "--once"]).code(0);
    let history = shown(path, &found);
    assert_eq!(history.matches("info: 7 is c1").count(), 2, "{history}");
    assert!(
        history.contains("link `client-contact` of `7`: `c1`") && !history.contains("not linked"),
        "{history}"
    );
    assert!(shown(path, &missing).contains("filtered"));
    let history = shown(path, &anyway);
    assert!(history.contains("8 is nobody") && history.contains("not linked"), "{history}");

    // Once the link is gone, the run that failed for it can be retried.
    trigger(path, "delete", &json!({ "contact": "c1" }));
    hob(path, &["run", "--once"]).code(0);
    hob(path, &["runs", "retry", &taken]).code(0);
    hob(path, &["run", "--once"]).code(0);
    let again = trigger(path, "find", &json!({ "client": 8, "anyway": false }));
    hob(path, &["run", "--once"]).code(0);
    assert!(shown(path, &again).contains("8 is c1"));
}
