//! Recipes that are paused and resumed.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::listening::listen;
use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

const MANUAL_RECIPE: &str = "name: hand
trigger: { manual: {} }
actions: [{ do: log, with: { message: \"{{ event.n }}\" } }]
";

fn workspace(recipes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    for (name, text) in recipes {
        fs::write(folder.path().join(format!("recipes/{name}.yaml")), text).unwrap();
    }
    folder
}

fn trigger(folder: &Path, n: i32) -> String {
    hob_with(folder, &["trigger", "hand", "--event", "-"], &json!({ "n": n }).to_string()).code(0).errors
}

fn runs(folder: &Path, state: &str) -> Vec<Value> {
    let listed = ["runs", "list", "--state", state, "--format", "json"];
    hob(folder, &listed).code(0).json().as_array().unwrap().clone()
}

/// Posts JSON; returns the status.
pub fn post(address: &str, path: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: hob\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Waits until this many runs are in that state.
fn until(folder: &Path, state: &str, count: usize) {
    while runs(folder, state).len() != count {}
}

#[test]
fn a_paused_recipe_rests_and_loses_nothing() {
    let folder = workspace(&[("hand", MANUAL_RECIPE), ("other", &MANUAL_RECIPE.replace("hand", "other"))]);
    let path = folder.path();
    let typo = hob(path, &["pause", "hnad", "other"]).code(2).errors;
    assert!(typo.contains("did you mean `hand`?"), "{typo}");
    hob(path, &["pause"]).code(2);
    assert_eq!(
        hob(path, &["resume", "hand", "other"]).code(0).output,
        "hand  was not paused\nother  was not paused\n"
    );
    assert_eq!(hob(path, &["pause", "hand"]).code(0).output, "hand  paused\n");
    assert_eq!(hob(path, &["pause", "hand"]).code(0).output, "hand  was paused already\n");
    let told = trigger(path, 1);
    assert!(told.contains("the recipe `hand` is paused; `hob resume hand` lets it go on"), "{told}");
    assert!(runs(path, "waiting")[0]["error"].as_str().unwrap().contains("is paused"));
    let summary = hob(path, &["run", "--once", "--format", "json"]).code(0).json();
    assert_eq!((&summary["runs"], &summary["next_due"]), (&json!({}), &json!(null)), "{summary}");
    let waiting = runs(path, "waiting");
    assert!(waiting[0]["error"].as_str().unwrap().contains("is paused"), "{waiting:?}");
    assert_eq!(hob(path, &["resume", "--all"]).code(0).output, "hand  goes on\n");
    assert_eq!(runs(path, "waiting")[0]["error"], json!(null));
    hob(path, &["run", "--once"]).code(0);
    assert_eq!(runs(path, "succeeded").len(), 1);
}

#[test]
fn a_running_hob_notices_a_pause_and_its_end() {
    let form = "name: form\ntrigger: { webhook: /in, verify: none }\nactions:\n  - { do: wait, with: { for: 1ms } }\n  \
        - { do: log, with: { message: \"{{ event.n }}\" } }\n";
    let folder = workspace(&[("hand", MANUAL_RECIPE), ("form", form)]);
    let path = folder.path();
    let mut running = listen(path);
    trigger(path, 1);
    until(path, "succeeded", 1);
    hob(path, &["pause", "hand", "form"]).code(0);
    // From now on without a pause in between.
    trigger(path, 2);
    assert_eq!(post(&running.address, "/webhooks/in", "{\"n\": 3}"), 200, "what comes is kept");
    let asleep = || runs(path, "waiting").iter().filter(|run| run["error"].is_string()).count();
    while asleep() != 2 {}
    assert_eq!(runs(path, "succeeded").len(), 1);
    hob(path, &["resume", "hand", "form"]).code(0);
    until(path, "succeeded", 3);
    running.child.kill().unwrap();
    running.child.wait().unwrap();
}

#[test]
fn a_paused_poller_takes_no_polls_and_keeps_its_place() {
    let poll = "name: watch\ntrigger: { poll: contacts.search, every: 1s, start: all }\nactions: [{ do: log, with: { message: m } }]\n";
    let folder = workspace(&[("watch", poll)]);
    let path = folder.path();
    let stand_in = StandIn::start();
    fs::write(path.join("hob.yaml"), stand_in.workspace()).unwrap();
    hob(path, &["pause", "watch"]).code(0);
    let rests = hob(path, &["run", "--once", "--format", "json"]).code(0).json();
    assert_eq!((&rests["polls"], &rests["paused"]), (&json!([]), &json!(["watch"])), "{rests}");
    assert!(stand_in.sandbox.log().is_empty(), "nothing was asked");
    let text = hob(path, &["run", "--once"]).code(0).output;
    assert!(text.contains("paused, `hob resume` lets them go on: watch"), "{text}");
    hob(path, &["resume", "watch"]).code(0);
    let first = hob(path, &["run", "--once", "--format", "json"]).code(0).json();
    let events = first["events"].as_u64().unwrap();
    assert!(events > 0, "{first}");
    hob(path, &["pause", "watch"]).code(0);
    hob(path, &["run", "--once"]).code(0);
    hob(path, &["resume", "watch"]).code(0);
    let again = hob(path, &["run", "--once", "--format", "json"]).code(0).json();
    assert_eq!((&again["events"], &again["polls"][0]["error"]), (&json!(0), &json!(null)), "{again}");
}

/// Two connections to the same sandbox.
fn two_accounts(stand_in: &StandIn) -> String {
    let connection = |name: &str| {
        let base_url = stand_in.base_url("highlevel");
        let mut text = format!(
            "  {name}:\n    connector: highlevel\n    base_url: {base_url}\n    budget: {{ burst: 100000/1s }}\n"
        );
        for (setting, value) in stand_in.sandbox.settings("highlevel") {
            text.push_str(&format!("    {setting}: {value}\n"));
        }
        text + &format!("    auth: {}\n", stand_in.sandbox.credential("highlevel").unwrap())
    };
    format!("connections:\n{}{}", connection("one"), connection("two"))
}

fn accounts_of_polls(summary: &Value) -> Vec<(String, u64)> {
    let polls = summary["polls"].as_array().unwrap().iter();
    let poll =
        |poll: &Value| (poll["connection"].as_str().unwrap().to_owned(), poll["events"].as_u64().unwrap());
    polls.map(poll).collect()
}

#[test]
fn a_recipe_rests_on_one_account_alone_and_keeps_its_place_there() {
    let poll = "name: watch\nconnections: { highlevel: [one, two] }\ntrigger: { poll: contacts.search, every: 1s, start: all }\nactions: [{ do: log, with: { message: m } }]\n";
    let hand = MANUAL_RECIPE
        .replace("do: log", "do: contacts.get")
        .replace("message: \"{{ event.n }}\"", "contactId: x")
        .replace("trigger:", "connections: { highlevel: [one, two] }\ntrigger:");
    let folder = workspace(&[("watch", poll), ("hand", &hand)]);
    let path = folder.path();
    let stand_in = StandIn::start();
    fs::write(path.join("hob.yaml"), two_accounts(&stand_in)).unwrap();
    let once = || hob(path, &["run", "--once", "--format", "json"]).json();
    let first = once();
    assert_eq!(accounts_of_polls(&first).len(), 2, "{first}");
    assert!(accounts_of_polls(&first).iter().all(|(_, events)| *events > 0), "{first}");
    let on_two = ["watch", "--connection", "two"];
    let wrong = hob(path, &["pause", "watch", "--connection", "tow"]).code(2).errors;
    assert!(wrong.contains("did you mean `two`?"), "{wrong}");
    assert_eq!(hob(path, &[&["pause"][..], &on_two].concat()).code(0).output, "watch on two  paused\n");
    assert_eq!(
        hob(path, &[&["pause"][..], &on_two].concat()).code(0).output,
        "watch on two  was paused already\n"
    );
    hob(path, &["pause", "hand", "--connection", "two"]).code(0);
    let status = hob(path, &["status"]).code(0).output;
    assert!(
        status.contains("watch on two since ") && status.contains("`hob resume watch --connection two`"),
        "{status}"
    );
    let told = trigger(path, 1);
    assert!(told.contains("the recipe `hand` is paused on two"), "{told}");
    let second = once();
    assert_eq!(accounts_of_polls(&second), [("one".to_owned(), 0)], "{second}");
    assert_eq!(second["paused"], json!(["watch on two"]), "{second}");
    // One of both runs of the event waits, on the account that rests.
    let waiting = runs(path, "waiting");
    assert_eq!(waiting.len(), 1, "{waiting:#?}");
    assert!(
        waiting[0]["error"]
            .as_str()
            .unwrap()
            .contains("is paused on two; `hob resume hand --connection two`"),
        "{waiting:#?}"
    );
    // A resume everywhere is none of one account.
    assert_eq!(hob(path, &["resume", "hand"]).code(0).output, "hand  was not paused\n");
    once();
    assert_eq!(runs(path, "waiting").len(), 1);
    assert_eq!(
        hob(path, &["resume", "--all"]).code(0).output,
        "hand on two  goes on\nwatch on two  goes on\n"
    );
    let third = once();
    assert_eq!(
        accounts_of_polls(&third),
        [("one".to_owned(), 0), ("two".to_owned(), 0)],
        "it kept its place: {third}"
    );
    assert!(runs(path, "waiting").is_empty());
}

#[test]
fn keys_of_hob_itself_are_not_for_recipes() {
    let put = "name: hand\ntrigger: { manual: {} }\nactions: [{ do: state.put, with: { key: 'hob:pause:hand', value: 1 } }]\n";
    let folder = workspace(&[("hand", put)]);
    trigger(folder.path(), 1);
    hob(folder.path(), &["run", "--once"]).code(1);
    assert!(runs(folder.path(), "failed")[0]["error"].as_str().unwrap().contains("are hob's own"));
}
