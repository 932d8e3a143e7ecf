//! Failing polls are visible with their connection; the status page.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::hob;
use crate::stand_in::StandIn;

/// Two locations, the second of which is unreachable.
fn two_studios(stand_in: &StandIn) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("recipes")).unwrap();
    let settings = stand_in.sandbox.settings("highlevel");
    let location = &settings["location"];
    let auth = stand_in.sandbox.credential("highlevel").unwrap();
    let connection = |name: &str, base_url: &str| {
        format!(
            "  {name}: {{ connector: highlevel, location: {location}, base_url: '{base_url}', auth: {auth} }}\n"
        )
    };
    let good = connection("studio-1", &stand_in.base_url("highlevel"));
    let bad = connection("studio-2", "http://127.0.0.1:9");
    fs::write(path.join("hob.yaml"), format!("connections:\n{good}{bad}")).unwrap();
    let watch = "name: watch\nconnections: { highlevel: [studio-1, studio-2] }\ntrigger: { poll: contacts.search, start: all }\n\
        actions: [{ do: log, with: { message: m } }]\n";
    fs::write(path.join("recipes/watch.yaml"), watch).unwrap();
    let hand = "name: hand\ntrigger: { manual: {} }\nactions: [{ do: contacts.get, with: { contactId: nobody } }]\n\
        connections: { highlevel: studio-1 }\n";
    fs::write(path.join("recipes/hand.yaml"), hand).unwrap();
    folder
}

fn status(path: &Path) -> Value {
    hob(path, &["status", "--format", "json"]).code(0).json()
}

#[test]
fn failing_polls_are_seen_everywhere_with_their_connection() {
    let stand_in = StandIn::start();
    let folder = two_studios(&stand_in);
    let path = folder.path();
    let fresh = status(path);
    assert_eq!((&fresh["recipes"][0]["state"], &fresh["polls"]), (&json!("new"), &json!([])), "{fresh}");
    assert!(!path.join("state").exists(), "looking makes no store");

    let summary = hob(path, &["run", "--once", "--format", "json"]).code(1).json();
    let polls = summary["polls"].as_array().unwrap();
    assert_eq!(
        (&polls[0]["connection"], &polls[0]["error"]),
        (&json!("studio-1"), &json!(null)),
        "{summary}"
    );
    assert_eq!(polls[1]["connection"], "studio-2");
    assert!(polls[1]["error"].as_str().unwrap().contains("127.0.0.1"), "{summary}");
    let told = hob(path, &["run", "--once"]).code(1).output;
    assert!(told.contains("watch  studio-2  read 0 records"), "{told}");

    let now = status(path);
    let row = now["polls"].as_array().unwrap().iter().find(|poll| poll["connection"] == "studio-2").unwrap();
    assert_eq!((&row["recipe"], &row["failures"]), (&json!("watch"), &json!(2)), "{now}");
    assert!(
        row["failing_since"].is_string() && row["succeeded"].is_null() && row["due"].is_string(),
        "{row}"
    );
    let good = now["polls"].as_array().unwrap().iter().find(|poll| poll["connection"] == "studio-1").unwrap();
    assert!(good["failing_since"].is_null() && good["succeeded"].is_string(), "{good}");
    let states: Vec<_> = now["recipes"].as_array().unwrap().iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states, ["new", "failing"], "{now}");

    let listed = hob(path, &["runs", "list", "--limit", "1"]).code(0).output;
    assert!(
        listed.contains("polls that fail:") && listed.contains("watch on studio-2: fails since "),
        "{listed}"
    );
    assert!(listed.contains("(2 times, again at "), "{listed}");
    let array = hob(path, &["runs", "list", "--format", "json"]).code(0).json();
    assert!(
        array.as_array().unwrap().iter().all(|run| run["id"].is_string()),
        "scripts get runs and nothing else"
    );
    for (more, shown) in
        [(["--recipe", "hand"], false), (["--state", "succeeded"], false), (["--recipe", "watch"], true)]
    {
        let listed = hob(path, &[&["runs", "list"][..], &more].concat()).code(0).output;
        assert_eq!(listed.contains("polls that fail:"), shown, "{more:?}: {listed}");
    }

    // Once fixed, they recover.
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    fs::write(path.join("hob.yaml"), text.replace("http://127.0.0.1:9", &stand_in.base_url("highlevel")))
        .unwrap();
    hob(path, &["run", "--once"]).code(0);
    assert_eq!(status(path)["recipes"][1]["state"], "ok");
    assert!(!hob(path, &["runs", "list"]).code(0).output.contains("polls that fail"));
}

#[test]
fn the_page_shows_pauses_broken_recipes_and_failed_runs() {
    let stand_in = StandIn::start();
    let folder = two_studios(&stand_in);
    let path = folder.path();
    hob(path, &["trigger", "hand"]).code(0);
    hob(path, &["run", "recipes/hand.yaml", "--once"]).code(1);
    hob(path, &["pause", "watch"]).code(0);
    fs::write(
        path.join("recipes/broken.yaml"),
        "name: broken\ntrigger: { manual: {} }\nactions: [{ do: nothing.at.all }]\n",
    )
    .unwrap();
    let page = hob(path, &["status"]).code(0).output;
    let line = |begin: &str| {
        page.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("{begin}: {page}"))
    };
    assert!(line("runs").contains("1 failed (1 in the last 24 hours)"), "{page}");
    assert!(line("store").contains("state/hob.db"), "{page}");
    assert!(line("broken").contains("broken"), "{page}");
    assert!(line("hand ").contains("manual") && line("hand ").contains("ok"), "{page}");
    assert!(line("watch").contains("poll") && line("watch").contains("paused"), "{page}");
    assert!(line("  watch since ").contains("`hob resume watch` lets it go on"), "{page}");
    assert_eq!(hob(path, &["status", "--sandbox", "--format", "json"]).code(0).json()["events"], 0);
}

/// Piped lists are complete.
#[test]
fn reasons_are_complete_without_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("recipes")).unwrap();
    fs::write(path.join("hob.yaml"), "").unwrap();
    let long = format!("{} the end", "long ".repeat(60));
    let recipe = format!(
        "name: hand\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: stop, with: {{ reason: '{long}' }} }}]\n"
    );
    fs::write(path.join("recipes/hand.yaml"), recipe).unwrap();
    hob(path, &["validate"]).code(0);
    hob(path, &["trigger", "hand"]).code(0);
    hob(path, &["run", "--once"]);
    let listed = hob(path, &["runs", "list"]).code(0).output;
    assert!(listed.contains("the end") && !listed.contains('…'), "{listed}");
}
