//! A workspace with a store of an earlier version: the program opens it, migrates it, and finishes its runs.

use std::fs;
use std::path::Path;

use hob::sandbox::{Budget, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::{Cluster, PASSWORD};
use crate::program::hob;
use crate::stand_in::{StandIn, built_in};
use crate::stores;

/// The API with the records it had when the stores were written.
fn stand_in() -> StandIn {
    let options = Options { budget: Budget::Unlimited, records: Some(5), ..Options::default() };
    StandIn::with(built_in(), options)
}

fn workspace(stand_in: &StandIn, store: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    for recipe in fs::read_dir(stores::folder().join("workspace/recipes")).unwrap() {
        let recipe = recipe.unwrap().path();
        fs::copy(&recipe, folder.path().join("recipes").join(recipe.file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace() + &format!("store: {store}\n")).unwrap();
    folder
}

fn listed(folder: &Path) -> Vec<Value> {
    hob(folder, &["runs", "list", "--limit", "0", "--format", "json"])
        .code(0)
        .json()
        .as_array()
        .unwrap()
        .clone()
}

/// The number of runs of a recipe in a state.
fn count(folder: &Path, recipe: &str, state: &str) -> usize {
    listed(folder).iter().filter(|run| run["recipe"] == recipe && run["state"] == state).count()
}

fn id(folder: &Path, recipe: &str, state: &str) -> String {
    let runs = listed(folder);
    let run = runs.iter().find(|run| run["recipe"] == recipe && run["state"] == state).unwrap();
    run["id"].as_str().unwrap().to_owned()
}

/// The content of the store as lines of an export.
fn exported(folder: &Path) -> Vec<Value> {
    let text = hob(folder, &["store", "export", "-"]).code(0).output;
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn is_finished_by_this_version(folder: &Path) {
    let told = hob(folder, &["runs", "list"]).code(3).errors;
    assert!(told.contains("has an older format; start `hob run` once to update it"), "{told}");
    // Polled records are known; runs that waited for a start or a time end.
    let summary = hob(folder, &["run", "--once", "--format", "json"]).code(0).json();
    assert_eq!((&summary["events"], &summary["paused"]), (&json!(0), &json!([])), "{summary}");
    assert_eq!(listed(folder).len(), 17, "no event came again");
    let states = |recipe, state| count(folder, recipe, state);
    assert_eq!(
        (states("keep", "succeeded"), states("keep", "failed"), states("keep", "filtered")),
        (3, 1, 1)
    );
    assert_eq!((states("later", "succeeded"), states("later", "waiting")), (1, 1));
    assert_eq!((states("doubtful", "parked"), states("doubtful", "waiting")), (1, 1));
    assert_eq!(
        (states("send", "succeeded"), states("send", "waiting"), states("watch", "succeeded")),
        (1, 1, 6)
    );
    // The API has the contact that was sent then, and gives the next one another id.
    hob(folder, &["call", "contacts.upsert", "email=sent@example.com"]).code(0);
    // The recipe was paused.
    hob(folder, &["resume", "send"]).code(0);
    hob(folder, &["run", "--once"]).code(0);
    assert_eq!(states("send", "succeeded"), 2);
    // The lane continues after an intervention.
    hob(folder, &["runs", "skip", &id(folder, "doubtful", "waiting")]).code(0);
    let parked = id(folder, "doubtful", "parked");
    hob(folder, &["runs", "resolve", &parked, "--happened"]).code(0);
    hob(folder, &["run", "--once"]).code(0);
    assert_eq!((states("doubtful", "succeeded"), states("doubtful", "skipped")), (1, 1));

    let lines = exported(folder);
    let value =
        |key: &str| lines.iter().find(|line| line["value"]["key"] == key).map(|line| &line["value"]["value"]);
    assert_eq!(
        (value("last"), value("before 2"), value("after 1")),
        (Some(&json!(5)), Some(&json!(2)), Some(&json!(1)))
    );
    assert_eq!((value("after 2"), value("doubtful")), (None, Some(&json!(1))));
    let linked = lines.iter().filter(|line| line["link"]["name"] == "twin");
    let linked: Vec<_> = linked.map(|line| line["link"]["from"].as_str().unwrap()).collect();
    assert_eq!(linked, ["1", "2", "4", "5"]);
    assert!(lines.iter().any(|line| line["link"]["from"] == "tried-again@example.com"));
    // The known ones, the contact that was sent then, and the one since.
    assert_eq!(lines.iter().filter(|line| line["seen"].is_object()).count(), 8);
    // The last run found what an earlier one had stored.
    let last = listed(folder).iter().find(|run| run["recipe"] == "keep").unwrap()["id"].clone();
    let shown = hob(folder, &["runs", "show", last.as_str().unwrap(), "--format", "json"]).code(0).output;
    assert!(shown.contains("\"result\": 4") || shown.contains("\"result\":4"), "{shown}");
}

#[test]
fn a_file_of_an_earlier_version_is_finished() {
    for version in stores::VERSIONS {
        let stand_in = stand_in();
        let folder = workspace(&stand_in, "sqlite:state/hob.db");
        stores::sqlite(version, &folder.path().join("state/hob.db"));
        is_finished_by_this_version(folder.path());
    }
}

#[test]
fn a_database_of_an_earlier_version_is_finished() {
    let Some(cluster) = Cluster::shared() else { return };
    for version in stores::VERSIONS {
        let (stand_in, schema) = (stand_in(), cluster.schema());
        cluster.user(&stores::postgres(version, &schema));
        let folder = workspace(&stand_in, &cluster.url(&schema).replace(PASSWORD, "${DB_PASSWORD}"));
        fs::write(folder.path().join(".env"), format!("DB_PASSWORD={PASSWORD}\n")).unwrap();
        is_finished_by_this_version(folder.path());
    }
}
