use serde_json::json;

use crate::lsp::test_editor::Editor;

const GOOD: &str = "name: a\ntrigger: { manual: {} }\nactions:\n  - { do: log, with: { message: hello } }\n";

#[test]
fn mistakes_are_told_as_the_text_changes() {
    let mut editor = Editor::new(&[]);
    editor.open("recipes/a.yaml", GOOD);
    assert_eq!(editor.mistakes("recipes/a.yaml"), []);
    let change = |start: (u32, u32), end: (u32, u32), text: &str| {
        let position = |(line, character)| json!({ "line": line, "character": character });
        json!([{ "range": { "start": position(start), "end": position(end) }, "text": text }])
    };
    let document = json!({ "uri": editor.uri("recipes/a.yaml"), "version": 2 });
    let changes = change((3, 10), (3, 13), "lug");
    editor.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    let told = editor.mistakes("recipes/a.yaml");
    assert_eq!((told[0].0.as_str(), told[0].1), ("unknown-operation", 4), "{told:?}");
    assert!(told[0].2.contains("did you mean `log`?"), "{told:?}");
    let changes = change((3, 10), (3, 13), "log");
    editor.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    assert_eq!(editor.mistakes("recipes/a.yaml"), []);
    editor.settle();
    assert_eq!(editor.mistakes("recipes/a.yaml"), []);
}

#[test]
fn mistakes_across_recipes_are_told_and_taken_back() {
    let mut editor = Editor::new(&[("recipes/a.yaml", GOOD), ("recipes/b.yaml", GOOD)]);
    let told = editor.mistakes("recipes/b.yaml");
    assert_eq!(told[0].0, "duplicate-name", "{told:?}");
    editor.open("recipes/b.yaml", &GOOD.replace("hello", "bye"));
    assert!(editor.mistakes("recipes/b.yaml").is_empty(), "the same mistake is not told twice");
    editor.open("recipes/b.yaml", &GOOD.replace("name: a", "name: b"));
    assert_eq!(editor.mistakes("recipes/b.yaml"), []);
    editor.settle();
    editor.open("recipes/b.yaml", GOOD);
    editor.settle();
    assert_eq!(editor.mistakes("recipes/b.yaml").len(), 1);
    // Not saved, so that what is on disk counts again.
    editor.write("recipes/b.yaml", &GOOD.replace("name: a", "name: c"));
    let uri = editor.uri("recipes/b.yaml");
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    editor.settle();
    assert_eq!(editor.mistakes("recipes/b.yaml"), []);
    editor.open("recipes/c.yaml", &GOOD.replace("name: a", "name: c"));
    editor.settle();
    assert_eq!(editor.mistakes("recipes/c.yaml")[0].0, "duplicate-name");
}

#[test]
fn settings_tests_and_connectors_are_checked() {
    let mut editor = Editor::new(&[("recipes/a.yaml", GOOD)]);
    editor.open(
        "recipes/a.test.yaml",
        "tests:\n  - name: x\n    event: {}\n    expect: { steps: { nothing: skipped } }\n",
    );
    assert_eq!(editor.mistakes("recipes/a.test.yaml")[0].0, "unknown-step");
    editor.open("hob.yaml", "connections:\n  x: { connector: highlevle }\n");
    assert_eq!(editor.mistakes("hob.yaml")[0].0, "unknown-connector");
    editor.open("connectors/club/connector.yaml", "connector: club\ntitel: Club\nabout: A club.\n");
    assert_eq!(editor.mistakes("connectors/club/connector.yaml")[0].0, "unknown-field");
}

#[test]
fn what_settings_say_is_known_in_recipes_at_once() {
    let recipe = "name: a\ntrigger: { manual: {} }\nactions:\n  - { do: log, with: { message: '{{ env.COLOUR }}' } }\n";
    let mut editor = Editor::new(&[("recipes/a.yaml", recipe)]);
    assert_eq!(editor.mistakes("recipes/a.yaml")[0].0, "unlisted-env");
    editor.open("hob.yaml", "env: [COLOUR]\n");
    editor.settle();
    assert_eq!(editor.mistakes("recipes/a.yaml"), []);
}

#[test]
fn connectors_are_read_again_when_they_are_written() {
    let recipe = "name: a\ntrigger: { manual: {} }\nactions:\n  - { do: club.ping }\n";
    let connector = "connector: club\ntitle: Club\nabout: A club.\n";
    let operations =
        "operations:\n  club.ping: { title: P, summary: S., kinds: [action], method: GET, path: /x }\n";
    let mut editor = Editor::new(&[("recipes/a.yaml", recipe)]);
    assert_eq!(editor.mistakes("recipes/a.yaml")[0].0, "unknown-operation");
    editor.write("connectors/club/connector.yaml", connector);
    editor.write("connectors/club/ping.yaml", &operations.replace("kinds", "kind"));
    let written = |editor: &mut Editor| {
        let uri = editor.uri("connectors/club/ping.yaml");
        editor.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] }));
        editor.settle();
    };
    written(&mut editor);
    assert!(!editor.mistakes("connectors/club/ping.yaml").is_empty());
    editor.write("connectors/club/ping.yaml", operations);
    written(&mut editor);
    let told = editor.mistakes("recipes/a.yaml");
    assert!(told.iter().all(|(code, ..)| code != "unknown-operation"), "{told:?}");
}

#[test]
fn recipes_outside_workspaces_are_checked_and_other_files_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = Editor::new(&[]);
    let path = folder.path().join("x.yaml");
    let uri = crate::lsp::uri::of(&path).unwrap();
    let mut open = |text: &str| {
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
        let told = editor.server.take_outgoing();
        let told: Vec<String> = told.iter().map(|message| serde_json::to_string(message).unwrap()).collect();
        told.concat()
    };
    assert!(open(&GOOD.replace("log", "lug")).contains("unknown-operation"));
    assert!(!open("services:\n  web: { image: x }\n").contains("code"));
}

#[test]
fn secrets_are_not_told() {
    let mut editor = Editor::new(&[]);
    editor.open("recipes/a.yaml", "name: a\ntrigger: { manual: {} }\nactions:\n  - { do: secret-token-1 }\n");
    let told = editor.mistakes("recipes/a.yaml");
    assert!(told[0].2.contains("***") && !told[0].2.contains("secret-token-1"), "{told:?}");
}
