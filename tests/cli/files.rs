//! Files that runs send: downloaded ones, and those in folders listed in hob.yaml.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, workspace};

const PASS_ON: &str = "name: pass-on
trigger: { manual: {} }
actions:
  - { id: text, do: conversations.messages.transcription.download, with: { messageId: \"{{ event.message }}\" } }
  - { do: media.upload_file, with: { file: \"{{ steps.text.file }}\" } }
";
const SEND: &str = "name: send
trigger: { manual: {} }
actions: [{ do: media.upload_file, with: { file: \"{{ event.path }}\" } }]
";

/// The final state of the run of `recipe` with `event`, and its error.
fn run(folder: &Path, recipe: &str, event: &serde_json::Value) -> (String, String) {
    hob_with(folder, &["trigger", recipe, "--event", "-"], &event.to_string()).code(0);
    hob(folder, &ONCE);
    let listed = hob(folder, &["runs", "list", "--recipe", recipe, "--format", "json"]).code(0).json();
    let text = |name: &str| listed[0][name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("error"))
}

#[test]
fn a_run_sends_what_it_downloaded_and_what_the_workspace_lists() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[PASS_ON, SEND]);
    let path = folder.path();
    let example = stand_in.sandbox.example("conversations.messages.transcription.download").unwrap();
    let (state, error) = run(path, "pass-on", &json!({ "message": example["messageId"] }));
    assert_eq!(state, "succeeded", "{error}");
    let downloaded = fs::read_dir(path.join("downloads")).unwrap().flatten().next().unwrap().path();
    fs::create_dir(path.join("attachments")).unwrap();
    fs::write(path.join("attachments/offer.pdf"), "offer").unwrap();
    let sent =
        || stand_in.sandbox.log().into_iter().filter(|entry| entry.path.contains("upload-file")).count();
    let before = sent();
    for file in ["attachments/offer.pdf", "hob.yaml", "/etc/passwd", "/proc/self/environ", "/dev/zero"] {
        let (state, error) = run(path, "send", &json!({ "path": file }));
        assert!(state == "failed" && error.contains("is not sent"), "{file}: {state} {error}");
    }
    // A file downloaded by another run is not allowed.
    let (state, error) = run(path, "send", &json!({ "path": downloaded }));
    assert!(state == "failed" && error.contains("is not sent"), "{state} {error}");
    assert_eq!(sent(), before);
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    fs::write(path.join("hob.yaml"), format!("files: [attachments]\n{text}")).unwrap();
    assert_eq!(run(path, "send", &json!({ "path": "attachments/offer.pdf" })).0, "succeeded");
    for file in ["attachments/../hob.yaml", "attachments"] {
        assert_eq!(run(path, "send", &json!({ "path": file })).0, "failed", "{file}");
    }
    assert_eq!(sent(), before + 1);
    let call = ["call", "media.upload_file", "file=hob.yaml", "--connection", "highlevel"];
    hob(path, &call).code(0);
}

#[test]
fn validate_reports_files_that_are_not_allowed() {
    let stand_in = StandIn::start();
    let fixed = SEND.replace("{{ event.path }}", "reports/../private/list.csv");
    let folder = workspace(&stand_in, &[&fixed]);
    let told = hob(folder.path(), &["validate"]).code(1);
    let told = told.output + &told.errors;
    assert!(told.contains("lies in no folder that may be sent from"), "{told}");
    let text = fs::read_to_string(folder.path().join("hob.yaml")).unwrap();
    fs::write(folder.path().join("hob.yaml"), format!("files: [private]\n{text}")).unwrap();
    hob(folder.path(), &["validate"]).code(0);
    for whole in [".", "state/x", "..", "/", "private/.."] {
        fs::write(folder.path().join("hob.yaml"), format!("files: ['{whole}']\n{text}")).unwrap();
        let told = hob(folder.path(), &["validate"]).code(1);
        let told = told.output + &told.errors;
        assert!(told.contains("holds hob's own files"), "{whole}: {told}");
    }
}
