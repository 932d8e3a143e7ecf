//! `hob lsp` as an editor uses it, over its standard input and output.

use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::language_client::LanguageClient;
use crate::program::hob;

/// A workspace as `hob init` makes it. Its folder has no dot at its beginning: patterns for schemas do not match below those.
pub fn workspace() -> TempDir {
    let folder = tempfile::Builder::new().prefix("workspace-").tempdir().unwrap();
    hob(folder.path(), &["init"]).code(0);
    folder
}

fn server(folder: &Path) -> LanguageClient {
    let mut command = Command::new(cargo_bin("hob"));
    command.arg("lsp").env_clear().current_dir(folder);
    LanguageClient::start(command, folder, json!({}))
}

/// A recipe whose steps are at the end.
pub const RECIPE: &str = "# yaml-language-server: $schema=../schemas/recipe.schema.json\nname: ours\ntrigger: { poll: fitr.clients.list }\nwhen: \"{{ event.email }}\"\nvars: { tag: x }\nactions:\n  - id: contact\n    do: contacts.upsert\n    with: { email: \"{{ event.email | lower }}\" }\n  - do: contacts.tags.add\n    with: { contactId: \"{{ steps.contact.id }}\", tags: [\"{{ vars.tag }}\"] }\n";

/// Asserts that a completion is offered.
#[track_caller]
pub fn has(labels: &[String], wanted: &str) {
    assert!(labels.iter().any(|label| label == wanted), "`{wanted}` is not in {labels:?}");
}

#[test]
fn an_editor_is_helped_with_everything_in_a_recipe() {
    let folder = workspace();
    let path = folder.path().join("recipes/ours.yaml");
    let mut editor = server(folder.path());

    let at = editor.open(&path, &format!("{RECIPE}  - do: ‸\n"));
    has(&editor.completions(at), "opportunities.create");
    let at = editor.open(&path, &format!("{RECIPE}  - do: opportunities.create\n    with:\n      ‸\n"));
    has(&editor.completions(at), "pipelineId");
    let at = editor.open(&path, &format!("{RECIPE}  - do: log\n    with: {{ message: \"{{{{ event.‸\n"));
    has(&editor.completions(at), "full_name");
    let at = editor.open(
        &path,
        &format!("{RECIPE}  - do: log\n    with: {{ message: \"{{{{ steps.contact.‸ }}}}\" }}\n"),
    );
    has(&editor.completions(at), "firstName");

    let at = editor.open(&path, &RECIPE.replace("contacts.upsert", "contacts.up‸sert"));
    let hover = editor.request("textDocument/hover", at);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("POST /contacts/upsert"), "{hover}");

    editor.open(&path, &RECIPE.replace("event.email |", "event.emial |"));
    let told = editor.diagnostics(&path, |told| !told.is_empty());
    assert_eq!(told[0]["code"], "unknown-result-field", "{told:?}");
    assert!(told[0]["message"].as_str().unwrap().contains("did you mean `email`?"), "{told:?}");
    assert_eq!(told[0]["range"]["start"], json!({ "line": 8, "character": 29 }));

    let mut at = editor.open(&path, &RECIPE.replace("steps.contact", "steps.con‸tact"));
    editor.diagnostics(&path, <[Value]>::is_empty);
    let definition = editor.request("textDocument/definition", at.clone());
    assert_eq!(definition["range"]["start"], json!({ "line": 6, "character": 8 }));
    at["newName"] = json!("person");
    let renamed = editor.request("textDocument/rename", at);
    let edits = renamed["changes"].as_object().unwrap().values().next().unwrap().as_array().unwrap();
    let lines: Vec<u64> = edits.iter().map(|edit| edit["range"]["start"]["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [6, 10], "{edits:?}");

    let warned = RECIPE.replace("contacts.tags.add", "contacts.update").replace("tags: [", "tags: [a, ");
    editor.open(&path, &warned);
    let told = editor.diagnostics(&path, |told| !told.is_empty());
    assert_eq!(told[0]["code"], "replaces-all", "{told:?}");
    let parameters = json!({
        "textDocument": { "uri": crate::language_client::address(&path) },
        "range": told[0]["range"],
        "context": { "diagnostics": told },
    });
    let actions = editor.request("textDocument/codeAction", parameters);
    let allow = actions.as_array().unwrap().last().unwrap();
    let edit = &allow["edit"]["changes"][crate::language_client::address(&path)][0];
    assert_eq!(edit["newText"], "    # hob: allow replaces-all because \n", "{actions}");
    assert_eq!(edit["range"]["start"]["line"], told[0]["range"]["start"]["line"]);

    assert_eq!(editor.end(), Some(0));
}

#[test]
fn mistakes_in_files_that_are_not_open_are_told_and_followed() {
    let folder = workspace();
    let other = folder.path().join("recipes/other.yaml");
    std::fs::write(&other, RECIPE.replace("contacts.upsert", "contacts.upsrt")).unwrap();
    let mut editor = server(folder.path());
    let told = editor.diagnostics(&other, |told| !told.is_empty());
    assert_eq!(told[0]["code"], "unknown-operation", "{told:?}");
    std::fs::write(&other, RECIPE).unwrap();
    let change = json!({ "uri": crate::language_client::address(&other), "type": 2 });
    editor.notify("workspace/didChangeWatchedFiles", json!({ "changes": [change] }));
    editor.diagnostics(&other, <[Value]>::is_empty);
    let ours = folder.path().join("recipes/ours.yaml");
    editor.open(&ours, RECIPE);
    let told = editor.diagnostics(&ours, |told| !told.is_empty());
    assert_eq!(told[0]["code"], "duplicate-name", "{told:?}");
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn nonsense_is_answered_and_does_not_end_the_session() {
    let folder = workspace();
    let mut editor = server(folder.path());
    editor.write(b"Content-Length: 3\r\n\r\n{]}");
    let refused = editor.until("the refusal", |message| message.get("error").is_some());
    assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32700), &Value::Null));
    let unknown = editor.ask("textDocument/unheardOf", json!({}));
    assert_eq!(unknown["error"]["code"], -32601);
    let wrong = editor.ask("textDocument/hover", json!({ "position": "there" }));
    assert_eq!(wrong["error"]["code"], -32602);
    editor.notify("textDocument/didOpen", json!(7));
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn a_session_that_is_cut_off_ends() {
    let folder = workspace();
    let mut editor = server(folder.path());
    editor.hang_up();
    assert_eq!(editor.exit_code(), Some(1));
    let mut editor = server(folder.path());
    editor.notify("exit", Value::Null);
    assert_eq!(editor.exit_code(), Some(1));
    let mut editor = server(folder.path());
    editor.write(b"Content-Length: 99999999999999999\r\n\r\n");
    assert_eq!(editor.exit_code(), Some(1));
    let mut editor = server(folder.path());
    editor.request("shutdown", Value::Null);
    editor.hang_up();
    assert_eq!(editor.exit_code(), Some(0));
    assert!(editor.next_message().is_none());
}
