//! Interrupted migrations, and incompletely filled stores.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::{Cluster, PASSWORD};
use crate::listening::Running;
use crate::program::{EndedRun, hob, hob_with};

const RECIPE: &str = "name: hand
trigger: { manual: {} }
actions:
  - { id: keep, do: state.put, with: { key: \"{{ event.n }}\", value: \"{{ event.n }}\" } }
";

/// A workspace in which one event has run and another waits.
fn workspace_with_runs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/hand.yaml"), RECIPE).unwrap();
    name_store(folder.path(), "sqlite:state/hob.db");
    trigger(folder.path(), 1).code(0);
    hob(folder.path(), &["run", "--once"]).code(0);
    trigger(folder.path(), 2).code(0);
    folder
}

fn name_store(folder: &Path, store: &str) {
    fs::write(folder.join("hob.yaml"), format!("store: {store}\n")).unwrap();
}

fn trigger(folder: &Path, n: i32) -> EndedRun {
    hob_with(folder, &["trigger", "hand", "--event", "-"], &json!({ "n": n }).to_string())
}

fn import(folder: &Path, text: &str) -> EndedRun {
    hob_with(folder, &["store", "import", "-"], text)
}

fn migrate(folder: &Path) -> EndedRun {
    hob(folder, &["store", "migrate", "--from", "sqlite:state/hob.db"])
}

fn listed(folder: &Path) -> Vec<Value> {
    let listed = hob(folder, &["runs", "list", "--format", "json"]).code(0).json();
    listed.as_array().unwrap().clone()
}

fn waiting(folder: &Path) -> usize {
    listed(folder).iter().filter(|run| run["state"] == "waiting").count()
}

/// A truncated export; its records are imported before that is noticed.
fn broken_off(folder: &Path) -> String {
    let text = hob(folder, &["store", "export", "-"]).code(0).output;
    let lines = text.trim_end().rsplit_once('\n').unwrap().0;
    let more =
        (0..600).map(|n| format!("\n{}", json!({ "value": { "key": format!("more {n}"), "value": n } })));
    lines.to_owned() + &more.collect::<String>()
}

#[test]
fn a_migration_from_a_changed_store_is_not_continued() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let part = broken_off(path);
    name_store(path, "sqlite:new/there.db");
    assert!(import(path, &part).code(2).errors.contains("is incomplete"));
    // Back on the old store, where the run that was copied as waiting succeeds.
    name_store(path, "sqlite:state/hob.db");
    hob(path, &["run", "--once"]).code(0);
    let newer = hob(path, &["store", "export", "-"]).code(0).output;
    name_store(path, "sqlite:new/there.db");
    for told in [migrate(path), import(path, &newer)] {
        let told = told.code(1).errors;
        assert!(told.contains("which has changed since") && told.contains("name a new one"), "{told}");
    }
    name_store(path, "sqlite:newer/there.db");
    migrate(path).code(0);
    assert_eq!((listed(path).len(), waiting(path)), (2, 0), "nothing is run again");
    // Migrating from another store does not continue it either.
    name_store(path, "sqlite:new/there.db");
    let other = newer.replacen("state/hob.db", "state/other.db", 1);
    let told = import(path, &other).code(1).errors;
    assert!(told.contains("state/hob.db, not from"), "{told}");
}

#[test]
fn an_export_without_a_fingerprint_is_not_continued() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let text = hob(path, &["store", "export", "-"]).code(0).output;
    let (heading, lines) = text.split_once('\n').unwrap();
    let mut heading: Value = serde_json::from_str(heading).unwrap();
    assert!(heading["fingerprint"].is_string(), "{heading}");
    heading.as_object_mut().unwrap().remove("fingerprint");
    // As written by the first hob: imported completely or not at all.
    let old = format!("{heading}\n{lines}");
    name_store(path, "sqlite:new/there.db");
    let part = old.trim_end().rsplit_once('\n').unwrap().0;
    import(path, part).code(2);
    assert!(import(path, &old).code(1).errors.contains("name a new one"));
    name_store(path, "sqlite:newer/there.db");
    import(path, &old).code(0);
    assert_eq!((listed(path).len(), waiting(path)), (2, 1));
}

#[test]
fn nothing_works_on_a_store_that_is_filled_in_part() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let part = broken_off(path);
    name_store(path, "sqlite:new/there.db");
    import(path, &part).code(2);
    let run = listed(path)[0]["id"].as_str().unwrap().to_owned();
    let refused = [
        hob(path, &["run", "--once"]),
        trigger(path, 3),
        hob(path, &["runs", "retry", &run]),
        hob(path, &["runs", "skip", &run]),
        hob(path, &["runs", "resolve", &run, "--did-not"]),
        hob(path, &["store", "export", "-"]),
    ];
    for ended in refused {
        let told = ended.code(3).errors;
        assert!(told.contains("holds only a part of sqlite:"), "{told}");
        assert!(told.contains("the same `hob store migrate` or `hob store import` again"), "{told}");
    }
    assert_eq!(waiting(path), 1, "and nothing has happened there");
    name_store(path, "sqlite:newest/there.db");
    let told = hob(path, &["store", "migrate", "--from", "sqlite:new/there.db"]).code(3).errors;
    assert!(told.contains("holds only a part of"), "{told}");
    // Completed by the same command, it works.
    name_store(path, "sqlite:new/there.db");
    migrate(path).code(0);
    hob(path, &["run", "--once"]).code(0);
    assert_eq!((listed(path).len(), waiting(path)), (2, 0));
}

#[test]
fn a_move_into_what_is_not_empty_is_refused() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let text = hob(path, &["store", "export", "-"]).code(0).output;
    let told = import(path, &text).code(1).errors;
    assert!(
        told.contains(
            "the store in hob.yaml is not empty (events: 2, pollers: 0); name a new one to move into"
        ),
        "{told}"
    );
    // It has no marker.
    hob(path, &["run", "--once"]).code(0);
}

/// The keys of hob's former markers and of pauses, and the names of its markers.
const OWN_NAMES: [&str; 5] =
    ["hob:filled-from", "hob:filled", "hob:pause:hand", "import_in_progress", "import_completed"];

#[test]
fn no_key_that_a_recipe_writes_is_taken_for_a_marker() {
    let folder = workspace_with_runs();
    let path = folder.path();
    for key in OWN_NAMES {
        hob_with(path, &["trigger", "hand", "--event", "-"], &json!({ "n": key }).to_string()).code(0);
    }
    // Keys that begin with `hob:` are rejected, and the run fails.
    hob(path, &["run", "--once"]).code(1);
    let states: Vec<_> = listed(path).iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["succeeded", "succeeded", "failed", "failed", "failed", "succeeded", "succeeded"]);
    assert!(listed(path)[2]["error"].as_str().unwrap().contains("`hob:`"), "{:?}", listed(path)[2]);
    trigger(path, 3).code(0);
    hob(path, &["run", "--once"]).code(0);
    // The values move with the store.
    name_store(path, "sqlite:new/there.db");
    migrate(path).code(0);
    assert!(migrate(path).code(0).output.contains("already"));
    trigger(path, 4).code(0);
    hob(path, &["run", "--once"]).code(0);
    assert_eq!(waiting(path), 0);
    assert!(hob(path, &["store", "export", "-"]).code(0).output.contains("\"key\":\"import_in_progress\""));
}

/// As a file written by another program or a person may contain them.
#[test]
fn no_value_of_an_export_is_taken_for_a_marker() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let text = hob(path, &["store", "export", "-"]).code(0).output;
    let (lines, last) = text.trim_end().rsplit_once('\n').unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    let keys = OWN_NAMES.iter().filter(|name| !name.starts_with("hob:pause:"));
    let values: Vec<String> =
        keys.map(|key| json!({ "value": { "key": key, "value": "elsewhere" } }).to_string()).collect();
    let records = last["records"].as_u64().unwrap() + values.len() as u64;
    let text = format!("{lines}\n{}\n{}\n", values.join("\n"), json!({ "records": records }));
    name_store(path, "sqlite:new/there.db");
    import(path, &text).code(0);
    assert!(import(path, &text).code(0).output.contains("already"));
    hob(path, &["run", "--once"]).code(0);
    assert_eq!((listed(path).len(), waiting(path)), (2, 0));
}

/// A workspace on PostgreSQL; `None` without it.
fn on_postgres() -> Option<(TempDir, String)> {
    let store = Cluster::shared()?.store();
    let folder = workspace_with_runs();
    name_store(folder.path(), &store);
    Some((folder, store))
}

/// Repeats `act` until it no longer reports other processes, whose locks end a moment after them.
fn once_alone(act: impl Fn() -> EndedRun) -> EndedRun {
    loop {
        let ended = act();
        if !ended.errors.contains("working on") {
            return ended;
        }
    }
}

#[test]
fn a_move_into_or_out_of_postgres_notices_who_is_at_work_there() {
    let Some((folder, store)) = on_postgres() else { return };
    let path = folder.path();
    let running = [Running::start(path), Running::start(path)];
    let told = migrate(path).code(1).errors;
    assert!(told.contains("2 other `hob run` are working on postgres://***@127.0.0.1"), "{told}");
    // The rejection has left nothing behind.
    drop(Running::start(path));
    drop(running);
    let moved = once_alone(|| migrate(path)).code(0);
    assert!(moved.output.contains("?schema=test_"), "{}", moved.output);

    let idle = Running::start(path);
    // Each check takes as long as a process.
    while waiting(path) > 0 {}
    // Exporting is allowed, migrating is not.
    hob(path, &["store", "export", "all.jsonl"]).code(0);
    assert!(hob(path, &["store", "backup", "b.db"]).code(2).errors.contains("pg_dump"));
    name_store(path, "sqlite:elsewhere/there.db");
    let away = || hob(path, &["store", "migrate", "--from", &store]);
    let told = away().code(1).errors;
    assert!(told.contains("1 other `hob run` is working on postgres://***@127.0.0.1"), "{told}");
    drop(idle);
    once_alone(away).code(0);

    // Between two schemas of a database.
    let another = Cluster::shared().unwrap().store();
    name_store(path, &another);
    let moved = hob(path, &["store", "migrate", "--from", &store]).code(0).output;
    let schema = |url: &str| url.split("schema=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(moved.contains(&format!("/hob?schema={} to ", schema(&store))), "{moved}");
    assert!(moved.trim_end().ends_with(&format!("/hob?schema={}", schema(&another))), "{moved}");
    assert!(!moved.contains(PASSWORD), "{moved}");
}

#[test]
fn runs_under_way_hinder_a_move_out_of_postgres() {
    let Some((folder, store)) = on_postgres() else { return };
    let path = folder.path();
    migrate(path).code(0);
    let schema = store.split("schema=").nth(1).unwrap().split('&').next().unwrap();
    // As left by a killed process.
    Cluster::shared().unwrap().user(&format!(
        "UPDATE {schema}.runs SET owner = 'gone', until = 1, due = NULL, state = 1 WHERE due IS NOT NULL;
         UPDATE {schema}.counters SET what = 1 WHERE what = 0"
    ));
    name_store(path, "sqlite:elsewhere/there.db");
    let told = hob(path, &["store", "migrate", "--from", &store]).code(1).errors;
    assert!(
        told.contains(
            "1 run is still in progress. Stop every `hob run` on this store and try again. If one was killed, \
             start `hob run` on this store for a minute first, so that its runs are released."
        ),
        "{told}"
    );
}
