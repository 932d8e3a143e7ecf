//! The store: inspected, moved, exported, imported and pruned.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{EndedRun, hob, hob_with};

const RECIPE: &str = "name: hand
trigger: { manual: {} }
lane: one
actions:
  - { id: keep, do: state.put, with: { key: \"{{ event.n }}\", value: \"{{ event.text }}\" } }
  - { do: links.save, with: { name: l, from: \"{{ event.n }}\", to: \"{{ event.n + 1 }}\" } }
  - { do: log, if: \"{{ event.n == 2 }}\", with: { message: \"{{ event.never_works }}\" } }
";

/// A workspace in which three events have run, the second of which failed, and a fourth waits.
fn workspace_with_runs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/hand.yaml"), RECIPE).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    for n in 1..=3 {
        trigger(folder.path(), &json!({ "n": n, "text": format!("text of {n}") }));
    }
    hob(folder.path(), &["run", "--once"]).code(1);
    trigger(folder.path(), &json!({ "n": 4, "text": "last" }));
    folder
}

fn trigger(folder: &Path, event: &Value) {
    hob_with(folder, &["trigger", "hand", "--event", "-"], &event.to_string()).code(0);
}

fn listed(folder: &Path, more: &[&str]) -> Vec<Value> {
    let arguments = [&["runs", "list", "--format", "json"], more].concat();
    let listed = hob(folder, &arguments).code(0).json();
    listed.as_array().unwrap().clone()
}

fn states(runs: &[Value]) -> Vec<&str> {
    runs.iter().map(|run| run["state"].as_str().unwrap()).collect()
}

#[test]
fn the_content_of_the_store_is_shown() {
    let folder = workspace_with_runs();
    let info = hob(folder.path(), &["store", "info", "--format", "json"]).code(0).json();
    assert_eq!((&info["kind"], &info["events"], &info["links"]), (&json!("sqlite"), &json!(4), &json!(3)));
    assert_eq!(info["runs"], json!({ "succeeded": 2, "failed": 1, "waiting": 1 }));
    let told = hob(folder.path(), &["store", "info"]).code(0).output;
    assert!(told.contains("runs      4 (1 failed, 2 succeeded, 1 waiting)"), "{told}");
    let nothing = tempfile::tempdir().unwrap();
    fs::write(nothing.path().join("hob.yaml"), "").unwrap();
    assert!(hob(nothing.path(), &["store", "info"]).code(2).errors.contains("no store yet"));
    assert!(!nothing.path().join("state").exists(), "looking makes none");
}

/// After the store has moved, everything continues.
fn goes_on(folder: &Path, before: &[Value]) {
    assert_eq!(listed(folder, &[]), before);
    for run in before {
        hob(folder, &["runs", "show", run["id"].as_str().unwrap()]).code(0);
    }
    assert_eq!(hob(folder, &["run", "--once", "--format", "json"]).code(0).json()["runs"]["succeeded"], 1);
    assert_eq!(states(&listed(folder, &[])), ["succeeded", "succeeded", "failed", "succeeded"]);
}

#[test]
fn a_workspace_moves_to_another_store() {
    let folder = workspace_with_runs();
    let before = listed(folder.path(), &[]);
    let migrate = |from: &str| hob(folder.path(), &["store", "migrate", "--from", from]);
    let refused = migrate("sqlite:state/hob.db").code(2).errors;
    assert!(refused.contains("name the new one there first"), "{refused}");
    fs::write(folder.path().join("hob.yaml"), "store: sqlite:new/there.db\n").unwrap();
    assert!(migrate("sqlite:state/nothing.db").code(2).errors.contains("no store at"));
    assert!(migrate("${NOT_SET}").code(2).errors.contains("`NOT_SET` is not set"));
    let moved = migrate("sqlite:state/hob.db").code(0).output;
    assert!(moved.starts_with("copied ") && moved.contains(" records from sqlite:"), "{moved}");
    // If everything was copied before the interruption, it says so.
    assert!(migrate("sqlite:state/hob.db").code(0).output.contains(" already"));
    goes_on(folder.path(), &before);
}

#[test]
fn an_export_can_be_imported_elsewhere() {
    let folder = workspace_with_runs();
    let before = listed(folder.path(), &[]);
    hob(folder.path(), &["store", "export", "all.jsonl"]).code(0);
    let text = fs::read_to_string(folder.path().join("all.jsonl")).unwrap();
    assert_eq!(hob(folder.path(), &["store", "export", "-"]).code(0).output, text);
    let import = |text: &str| -> EndedRun { hob_with(folder.path(), &["store", "import", "-"], text) };
    assert!(import(&text).code(1).errors.contains("is not empty (events: 4, pollers: "));

    fs::write(folder.path().join("hob.yaml"), "store: sqlite:new/there.db\n").unwrap();
    assert!(import("").code(2).errors.contains("is empty"));
    assert!(import("{}").code(2).errors.contains("not an export of hob"));
    let newer = text.replacen("\"hob_export\":2", "\"hob_export\":3", 1);
    assert!(import(&newer).code(2).errors.contains("newer hob"));
    // An interruption is reported, and the command can be repeated.
    let lines: Vec<&str> = text.lines().collect();
    let half = lines[..lines.len() / 2].join("\n");
    assert!(import(&half).code(2).errors.contains("is incomplete"));
    let gap = [&lines[..lines.len() - 2], &lines[lines.len() - 1..]].concat().join("\n");
    assert!(import(&gap).code(2).errors.contains("records"), "a missing line is noticed");
    // As hob wrote it before there were alerts.
    let older = text.replacen("\"hob_export\":2", "\"hob_export\":1", 1);
    import(&older).code(0);
    fs::write(folder.path().join("hob.yaml"), "store: sqlite:newest/there.db\n").unwrap();
    hob(folder.path(), &["store", "import", "all.jsonl"]).code(0);
    goes_on(folder.path(), &before);
}

#[test]
fn runs_are_found_by_a_text() {
    let folder = workspace_with_runs();
    assert_eq!(states(&listed(folder.path(), &["--text", "NEVER_works"])), ["failed"]);
    assert_eq!(states(&listed(folder.path(), &["--text", "text of 3"])), ["succeeded"]);
    assert!(listed(folder.path(), &["--text", "text of 9"]).is_empty());
}

#[test]
fn old_history_is_forgotten_and_what_is_unfinished_is_not() {
    let folder = workspace_with_runs();
    fs::write(folder.path().join("hob.yaml"), "history: { keep: 1ms }\n").unwrap();
    // The fourth run succeeds, and ended ones are pruned, the last one when it is old enough.
    hob(folder.path(), &["run", "--once"]).code(0);
    hob(folder.path(), &["run", "--once"]).code(0);
    assert!(listed(folder.path(), &[]).is_empty());
    trigger(folder.path(), &json!({ "n": 5, "text": "x" }));
    assert_eq!(states(&listed(folder.path(), &[])), ["waiting"]);
    fs::write(folder.path().join("hob.yaml"), "history: { keep: forever, runs: 2 }\n").unwrap();
    for n in 6..9 {
        trigger(folder.path(), &json!({ "n": n, "text": "x" }));
    }
    hob(folder.path(), &["run", "--once"]).code(0);
    assert_eq!(listed(folder.path(), &[]).len(), 2);
}

#[test]
fn a_failed_run_blocks_its_lane_where_the_recipe_says_so() {
    let folder = workspace_with_runs();
    let text = RECIPE.replace("lane: one", "lane: one\nlane_on_failure: block");
    fs::write(folder.path().join("recipes/hand.yaml"), text).unwrap();
    hob(folder.path(), &["validate"]).code(0);
    for n in [2, 5, 6] {
        trigger(folder.path(), &json!({ "n": n, "text": "x" }));
    }
    hob(folder.path(), &["run", "--once"]).code(1);
    let runs = listed(folder.path(), &["--limit", "4"]);
    assert_eq!(states(&runs), ["waiting", "waiting", "failed", "succeeded"]);
    let failed = runs[2]["id"].as_str().unwrap();
    // With the recipe fixed, the failed one goes first.
    let mended = RECIPE.replace("event.n == 2", "event.n == 99");
    fs::write(folder.path().join("recipes/hand.yaml"), mended).unwrap();
    hob(folder.path(), &["runs", "retry", failed]).code(0);
    hob(folder.path(), &["run", "--once"]).code(0);
    assert_eq!(states(&listed(folder.path(), &["--limit", "3"])), ["succeeded"; 3]);
    let ended: Vec<String> = listed(folder.path(), &["--limit", "3"])
        .iter()
        .map(|run| run["finished"].as_str().unwrap().to_owned())
        .collect();
    assert!(ended[2] < ended[1] && ended[1] < ended[0], "in their order: {ended:?}");
}

/// All exported records with their kinds.
fn records(text: &str) -> Vec<Value> {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["records"], lines.len() - 2, "its end tells how many there are");
    lines[1..lines.len() - 1].to_vec()
}

/// An export is a consistent snapshot: each run has its event, and each earlier event is included.
#[test]
fn an_export_is_of_one_moment_while_hob_runs() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let mut running = crate::listening::listen(path);
    let export = |name: &str| {
        hob(path, &["store", "export", name]).code(0);
        fs::read_to_string(path.join(name)).unwrap()
    };
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| (10..30).for_each(|n| trigger(path, &json!({ "n": n, "text": "x" }))));
        let mut number = 0;
        while !busy.is_finished() || number == 0 {
            number += 1;
            let records = records(&export(&format!("{number}.jsonl")));
            let events: Vec<&str> =
                records.iter().filter_map(|record| record["event"]["id"].as_str()).collect();
            for run in records.iter().filter(|record| record["run"].is_object()) {
                assert!(events.contains(&run["run"]["run"]["event"].as_str().unwrap()), "{run}");
            }
        }
        fs::write(path.join("last"), number.to_string()).unwrap();
    });
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let last = fs::read_to_string(path.join("last")).unwrap();
    fs::write(path.join("hob.yaml"), "store: sqlite:new/there.db\n").unwrap();
    hob(path, &["store", "import", &format!("{last}.jsonl")]).code(0);
    hob(path, &["run", "--once"]);
    let left = listed(path, &["--state", "waiting"]);
    assert!(left.is_empty(), "what waited or was under way goes on there: {left:?}");
}

#[test]
fn a_backup_is_a_usable_store() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let before = listed(path, &[]);
    let mut running = crate::listening::listen(path);
    // Waiting runs end now; from here on nothing changes.
    while listed(path, &["--state", "waiting"]).len() + listed(path, &["--state", "running"]).len() > 0 {}
    let after = listed(path, &[]);
    assert_ne!(before, after);
    let backup = |arguments: &[&str]| hob(path, &[&["store", "backup"], arguments].concat());
    let told = backup(&["b.db"]).code(0).output;
    assert!(told.starts_with("copied sqlite:") && told.contains(" into b.db ("), "{told}");
    assert!(backup(&["b.db"]).code(2).errors.contains("--force replaces it"));
    backup(&["b.db", "--force"]).code(0);
    for store in ["state/hob.db", "./state/../state/hob.db"] {
        assert!(backup(&[store, "--force"]).code(2).errors.contains("that is the store itself"), "{store}");
        assert!(hob(path, &["store", "export", store]).code(2).errors.contains("is a database"), "{store}");
    }
    assert!(backup(&["nowhere/b.db"]).code(2).errors.contains("cannot write into"));
    assert!(backup(&["state", "--force"]).code(2).errors.contains("is no file"));
    assert!(backup(&["x.db", "--sandbox"]).code(2).errors.contains("no store yet"));
    assert_eq!(
        fs::read_dir(path).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file()).count(),
        2,
        "no remains"
    );
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        hob(path, &["store", "export", "all.jsonl"]).code(0);
        for file in ["b.db", "all.jsonl"] {
            assert_eq!(fs::metadata(path.join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
        }
    }
    fs::write(path.join("hob.yaml"), "store: sqlite:b.db\n").unwrap();
    assert_eq!(listed(path, &[]), after);
    trigger(path, &json!({ "n": 7, "text": "x" }));
    hob(path, &["run", "--once"]).code(0);
    assert_eq!(listed(path, &[]).len(), after.len() + 1);
}

#[cfg(unix)]
#[test]
fn an_export_never_replaces_special_files() {
    let folder = workspace_with_runs();
    let path = folder.path();
    fs::write(path.join("real.jsonl"), "old").unwrap();
    std::os::unix::fs::symlink("real.jsonl", path.join("link.jsonl")).unwrap();
    std::os::unix::fs::symlink("nowhere.jsonl", path.join("dangling.jsonl")).unwrap();
    let export = |to: &str| hob(path, &["store", "export", to]);
    export("link.jsonl").code(0);
    assert!(fs::symlink_metadata(path.join("link.jsonl")).unwrap().is_symlink());
    assert!(records(&fs::read_to_string(path.join("real.jsonl")).unwrap()).len() > 4);
    assert!(export("dangling.jsonl").code(2).errors.contains("leads nowhere"));
    assert!(export("state").code(2).errors.contains("is a folder"));
    export("/dev/null").code(0);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    assert!(std::process::Command::new("mkfifo").arg(path.join("pipe")).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = path.join("pipe");
        move || fs::read_to_string(pipe).unwrap()
    });
    export("pipe").code(0);
    assert!(records(&reader.join().unwrap()).len() > 4);
}

#[test]
fn a_store_that_forgets_everything_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for store in ["'sqlite::memory:'", "'sqlite:file:x?mode=memory'"] {
        fs::write(folder.path().join("hob.yaml"), format!("store: {store}\n")).unwrap();
        let told = hob(folder.path(), &["validate"]).code(1).output;
        assert!(told.contains("hob.yaml:1:8") && told.contains("name a file"), "{told}");
    }
}

/// If the file is deleted under a running hob, that is reported before anything is lost.
#[cfg(unix)]
#[test]
fn a_deleted_store_acknowledges_nothing() {
    let folder = workspace_with_runs();
    let path = folder.path();
    let form =
        "name: form\ntrigger: { webhook: /in, verify: none }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(path.join("recipes/form.yaml"), form).unwrap();
    let mut running = crate::listening::listen(path);
    let post = || crate::pause_resume::post(&running.address, "/webhooks/in", "{\"n\": 1}");
    assert_eq!(post(), 200);
    let (file, away) = (path.join("state/hob.db"), path.join("state/away.db"));
    fs::rename(&file, &away).unwrap();
    assert_eq!(post(), 429);
    fs::copy(&away, &file).unwrap();
    assert_eq!(post(), 429, "another file is not that one");
    fs::rename(&away, &file).unwrap();
    assert_eq!(post(), 200, "put back, it goes on");
    running.child.kill().unwrap();
    running.child.wait().unwrap();
}
