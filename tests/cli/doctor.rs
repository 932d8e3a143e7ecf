//! `hob doctor` tells what works and what does not, and what to do.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, workspace};

const RECIPE: &str = "name: watch
connections: { highlevel: highlevel }
trigger: { poll: contacts.search }
actions: [{ do: log, with: { message: m } }]
";

fn found(folder: &Path, code: i32, options: &[&str]) -> Vec<Value> {
    let arguments = [&["doctor", "--format", "json"], options].concat();
    hob(folder, &arguments).code(code).json().as_array().unwrap().clone()
}

/// The health of what was checked about `subject`.
fn health<'a>(findings: &'a [Value], check: &str, subject: &str) -> &'a str {
    let fits = |finding: &&Value| {
        finding["check"] == check && finding["subject"].as_str().is_none_or(|about| about == subject)
    };
    let finding = findings.iter().find(fits).unwrap_or_else(|| panic!("{check} {subject}: {findings:#?}"));
    finding["health"].as_str().unwrap()
}

#[test]
fn all_is_well_in_a_workspace_that_works() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[RECIPE]);
    let path = folder.path();
    let before = found(path, 0, &[]);
    assert_eq!(health(&before, "store", ""), "note");
    assert!(!path.join("state").exists(), "looking makes no store");
    hob(path, &ONCE).code(0);
    let findings = found(path, 0, &[]);
    for (check, subject) in [
        ("version", ""),
        ("workspace", ""),
        ("store", ""),
        ("connection", "highlevel"),
        ("connection", "fitr"),
        ("clock", ""),
    ] {
        assert_eq!(health(&findings, check, subject), "ok", "{check} {subject}: {findings:#?}");
    }
    let written = stand_in.sandbox.log().into_iter().any(|entry| !entry.changes.is_empty());
    assert!(!written, "nothing is changed");
    let sent = stand_in.sandbox.log().len();
    let offline = found(path, 0, &["--offline"]);
    assert!(offline.iter().all(|finding| finding["check"] != "connection"), "{offline:#?}");
    assert_eq!(stand_in.sandbox.log().len(), sent);
    let page = hob(path, &["doctor"]).code(0).output;
    assert!(page.contains("ok      store: sqlite ") && page.contains(" takes writes; format "), "{page}");
}

#[test]
fn what_is_broken_is_told_with_what_to_do() {
    let stand_in = StandIn::start();
    let folder = workspace(
        &stand_in,
        &[RECIPE, "name: broken\ntrigger: { manual: {} }\nactions: [{ do: nothing }]\n"],
    );
    let path = folder.path();
    hob(path, &ONCE).code(1);
    let credential = stand_in.sandbox.credential("highlevel").unwrap().to_string();
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    assert!(text.contains(&credential), "{text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("server: {{ listen: '{}', ", taken.local_addr().unwrap());
    let text = text.replace(&credential, "{ token: not-the-secret-token }").replace("server: { ", &listen);
    fs::write(path.join("hob.yaml"), text).unwrap();
    let findings = found(path, 1, &[]);
    assert_eq!(health(&findings, "connection", "highlevel"), "broken", "{findings:#?}");
    assert_eq!(health(&findings, "connection", "fitr"), "ok");
    assert_eq!(health(&findings, "recipe", "recipes/1.yaml"), "broken");
    assert_eq!(health(&findings, "port", ""), "note");
    let broken = findings.iter().filter(|finding| finding["health"] == "broken");
    assert!(broken.clone().all(|finding| finding["remedy"].is_string()), "{findings:#?}");
    let page = hob(path, &["doctor"]).code(1);
    assert!(page.output.contains("→ hob validate recipes/1.yaml"), "{}", page.output);
    assert!(!(page.output + &page.errors).contains("not-the-secret-token"));

    fs::write(
        path.join("state/hob.db"),
        "not a database, but some text that is long enough to be read as one",
    )
    .unwrap();
    let findings = found(path, 1, &["--offline"]);
    assert_eq!(health(&findings, "store", ""), "broken");
}
