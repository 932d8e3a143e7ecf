use std::fs;
use std::path::Path;

use proptest::prelude::{ProptestConfig, any, prop_oneof};
use proptest::strategy::{Just, Strategy};
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::lsp::test_editor::Editor;

/// The recipes of the gallery, and their tests.
fn gallery() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, String)> = files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            (format!("recipes/{name}"), fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.push(("hob.yaml".to_owned(), crate::lsp::test_editor::SETTINGS.to_owned()));
    files.sort();
    files
}

/// What is typed, or pasted, somewhere.
fn typed() -> impl Strategy<Value = String> {
    let usual = [
        "",
        "{{ ",
        "{{ event.",
        "{{ steps.",
        " | ",
        " }}",
        "\"",
        "'",
        "{",
        "[",
        "}",
        "]",
        ": ",
        ":",
        "\n",
        "\n  ",
        "- ",
        "\n- ",
        "#",
        "|",
        "|\n  ",
        "&a ",
        "!",
        "\t",
        "do: ",
        "with:\n      ",
        "ü",
        "😀",
        "{% set x = ",
        "\r\n",
        "\0",
    ];
    prop_oneof![
        proptest::sample::select(usual.map(str::to_owned).to_vec()),
        "\\PC{0,6}",
        Just("x".repeat(3000))
    ]
}

/// Every request is answered, without a panic, wherever the cursor is and however broken the text.
#[test]
fn every_request_is_answered_in_every_text() {
    let files = gallery();
    let borrowed: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut editor = Editor::new(&borrowed);
    let config = ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() };
    let place = any::<proptest::sample::Index>;
    let strategy = (place(), place(), place(), any::<bool>(), typed(), place());
    let editor = std::cell::RefCell::new(&mut editor);
    TestRunner::new(config)
        .run(&strategy, |(file, from, to, truncate, typed, cursor)| {
            let mut editor = editor.borrow_mut();
            let (name, text) = &files[file.index(files.len())];
            let boundary = |at: usize| text.floor_char_boundary(at);
            let from = boundary(from.index(text.len() + 1));
            let to = boundary(from + to.index(40)).max(from);
            let rest = if truncate { "" } else { &text[to..] };
            let edited = [&text[..from], &typed, rest].concat();
            // Mostly where something is typed.
            let cursor = match cursor.index(3) {
                0 => edited.floor_char_boundary(cursor.index(edited.len() + 1)),
                _ => from + typed.len(),
            };
            let mut at = editor.open(name, &[&edited[..cursor], "‸", &edited[cursor..]].concat());
            at["newName"] = json!("renamed");
            at["context"] = json!({ "includeDeclaration": true, "diagnostics": [], "triggerKind": 1 });
            at["range"] = json!({ "start": at["position"], "end": { "line": 999, "character": 0 } });
            at["query"] = json!("a");
            for method in [
                "textDocument/completion",
                "textDocument/hover",
                "textDocument/definition",
                "textDocument/references",
                "textDocument/documentSymbol",
                "textDocument/codeAction",
                "workspace/symbol",
            ] {
                let answer = editor.request(method, at.clone());
                assert!(answer.is_ok(), "{method}: {answer:?}");
            }
            // These may refuse.
            editor.request("textDocument/prepareRename", at.clone()).ok();
            editor.request("textDocument/rename", at).ok();
            editor.server.take_outgoing();
            Ok(())
        })
        .unwrap();
}
