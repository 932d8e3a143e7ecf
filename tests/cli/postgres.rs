//! A workspace on PostgreSQL, from its users' point of view.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::{Cluster, PASSWORD};
use crate::program::{EndedRun, hob, hob_with};
use crate::stand_in::StandIn;

const RECIPE: &str = "name: hand
trigger: { manual: {} }
lane: \"{{ event.n % 7 }}\"
actions:
  - { id: keep, do: state.put, with: { key: \"{{ event.n }}\", value: \"{{ event.n }}\" } }
  - { do: links.save, with: { name: l, from: \"{{ event.n }}\", to: \"{{ event.n + 1000 }}\" } }
";

/// A workspace with its own store; `None` without PostgreSQL.
fn workspace() -> Option<TempDir> {
    let url = Cluster::shared()?.store();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/hand.yaml"), RECIPE).unwrap();
    // The password comes from the secrets.
    let (before, after) = url.split_once(PASSWORD).unwrap();
    fs::write(folder.path().join(".env"), format!("DB_PASSWORD={PASSWORD}\n")).unwrap();
    fs::write(folder.path().join("hob.yaml"), format!("store: {before}${{DB_PASSWORD}}{after}\n")).unwrap();
    Some(folder)
}

/// The output, without the password.
fn discreet(ended: EndedRun) -> EndedRun {
    assert!(!ended.output.contains(PASSWORD) && !ended.errors.contains(PASSWORD), "{}", ended.errors);
    ended
}

fn trigger(folder: &Path, n: i32) {
    discreet(hob_with(folder, &["trigger", "hand", "--event", "-"], &json!({ "n": n }).to_string()).code(0));
}

fn listed(folder: &Path) -> Vec<Value> {
    let listed = hob(folder, &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    listed.as_array().unwrap().clone()
}

#[test]
fn a_workspace_runs_on_postgres() {
    let Some(folder) = workspace() else { return };
    let path = folder.path();
    assert!(listed(path).is_empty(), "looking makes no store");
    assert!(hob(path, &["store", "info"]).code(2).errors.contains("no store yet"));
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let stand_in = StandIn::start();
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    fs::write(path.join("hob.yaml"), stand_in.workspace() + &text).unwrap();
    for entry in fs::read_dir(from.join("recipes")).unwrap() {
        let recipe = entry.unwrap().path();
        fs::copy(&recipe, path.join("recipes").join(recipe.file_name().unwrap())).unwrap();
    }
    // The sandbox is separate and needs no server.
    assert!(hob(path, &["run", "--sandbox", "--once"]).code(0).output.contains("succeeded"));
    assert!(path.join("state/sandbox.db").exists() && listed(path).is_empty());
    let once = ["run", "--once", "--format", "json"];
    let first = discreet(hob(path, &once).code(0)).json();
    assert!(first["runs"]["succeeded"].as_u64().unwrap() > 5, "{first}");
    let known = listed(path);
    assert_eq!(known.len() as u64, first["events"].as_u64().unwrap());
    let second = hob(path, &once).code(0).json();
    assert_eq!((&second["events"], &second["runs"]), (&json!(0), &json!({})), "{second}");
    assert_eq!(listed(path), known);
    let id = known[0]["id"].as_str().unwrap();
    assert!(hob(path, &["runs", "show", id]).code(0).output.contains("succeeded"));
    let info = discreet(hob(path, &["store", "info", "--format", "json"]).code(0)).json();
    assert_eq!((&info["kind"], &info["events"]), (&json!("postgres"), &first["events"]));
    assert!(!path.join("state/hob.db").exists(), "nothing is kept elsewhere");
}

#[test]
fn two_processes_share_the_work_on_postgres() {
    let Some(folder) = workspace() else { return };
    let path = folder.path();
    for n in 0..40 {
        trigger(path, n);
    }
    let start = || {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("hob"));
        command.env_clear().current_dir(path).args(["run", "--once", "--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut succeeded = 0;
    for process in [start(), start()] {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        succeeded += summary["runs"].get("succeeded").map_or(0, |count| count.as_u64().unwrap());
    }
    assert_eq!(succeeded, 40, "each run is done by one of them");
    let runs = listed(path);
    assert!(runs.iter().all(|run| run["state"] == "succeeded"));
    for run in &runs {
        let detail = hob(path, &["runs", "show", run["id"].as_str().unwrap(), "--format", "json"]).code(0);
        let entries = detail.json()["entries"].as_array().unwrap().clone();
        let of = |kind: &str| entries.iter().filter(|entry| entry["entry"] == kind).count();
        assert_eq!((of("started"), of("finished")), (1, 1), "{entries:?}");
    }
}

/// Another process might have the recipe, so its runs are checked again and again; `--once` does not wait for that.
#[test]
fn runs_of_missing_recipes_delay_nothing() {
    let Some(folder) = workspace() else { return };
    let path = folder.path();
    trigger(path, 0);
    fs::remove_file(path.join("recipes/hand.yaml")).unwrap();
    let other = "name: other\ntrigger: { manual: {} }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(path.join("recipes/other.yaml"), other).unwrap();
    let told = hob(path, &["run", "--once", "--format", "json"]);
    assert!(told.output.contains("hand") || told.errors.contains("hand"), "{}", told.errors);
    assert_eq!(listed(path)[0]["state"], "waiting");
}

#[test]
fn a_workspace_moves_to_postgres_and_back() {
    let Some(folder) = workspace() else { return };
    let path = folder.path();
    let postgres = fs::read_to_string(path.join("hob.yaml")).unwrap();
    fs::write(path.join("hob.yaml"), "").unwrap();
    for n in 0..3 {
        trigger(path, n);
    }
    hob(path, &["run", "--once"]).code(0);
    trigger(path, 3);
    let before = listed(path);

    fs::write(path.join("hob.yaml"), &postgres).unwrap();
    let moved = discreet(hob(path, &["store", "migrate", "--from", "sqlite:state/hob.db"]).code(0)).output;
    assert!(moved.contains("postgres://***@127.0.0.1"), "{moved}");
    assert_eq!(listed(path), before);
    hob(path, &["store", "export", "all.jsonl"]).code(0);
    assert_eq!(hob(path, &["run", "--once", "--format", "json"]).code(0).json()["runs"]["succeeded"], 1);

    fs::write(path.join("hob.yaml"), "store: sqlite:new/there.db\n").unwrap();
    hob(path, &["store", "import", "all.jsonl"]).code(0);
    assert_eq!(listed(path), before);
    assert_eq!(hob(path, &["run", "--once", "--format", "json"]).code(0).json()["runs"]["succeeded"], 1);
}

#[test]
fn an_unreachable_postgres_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/hand.yaml"), RECIPE).unwrap();
    let store = format!("store: postgres://hob:{PASSWORD}@127.0.0.1:1/hob\n");
    fs::write(folder.path().join("hob.yaml"), store).unwrap();
    for command in [&["run", "--once"][..], &["runs", "list"], &["store", "info"]] {
        let told = discreet(hob(folder.path(), command).code(3)).errors;
        assert!(told.contains("the store postgres://***@127.0.0.1:1/hob cannot be reached"), "{told}");
    }
}
