use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lsp::test_editor::Editor;

const RECIPE: &str = "name: a\ntrigger: { manual: {} }\nvars:\n  tag: x\n  tagged: \"{{ vars.tag }}\"\nactions:\n  - id: contact\n    do: contacts.upsert\n    with: { email: \"{{ event.email }}\", source: \"{{ vars.tag }}-{{ vars['tag'] }}\" }\n  - do: log\n    if: \"{{ steps.contact.id and steps['contact'].email }}\"\n    with: { message: 'contact {{ steps.contact.id }} vars.tag' }\n  - do: log\n    for_each: \"{{ event.notes }}\"\n    as: note\n    with: { message: \"{{ note.text }}\" }\n  - do: log\n    for_each: \"{{ event.notes }}\"\n    with: { message: \"{{ item.text }}\" }\n";
const TESTS: &str = "tests:\n  - name: x\n    event: { id: 1 }\n    expect: { steps: { contact: skipped } }\n    cases:\n      - { name: y, expect: { steps: { contact: skipped } } }\n";

fn editor() -> Editor {
    Editor::new(&[("recipes/a.yaml", RECIPE), ("recipes/a.test.yaml", TESTS)])
}

/// The texts of all files after the name at the cursor was changed.
fn renamed(word: &str, new: &str) -> Result<BTreeMap<String, String>, String> {
    let mut editor = editor();
    let (before, after) = word.split_once('‸').unwrap();
    let mut at = editor.open("recipes/a.yaml", &RECIPE.replacen(&[before, after].concat(), word, 1));
    let prepared = editor.request("textDocument/prepareRename", at.clone());
    at["newName"] = json!(new);
    let result = editor.request("textDocument/rename", at);
    let edits = match (prepared, result) {
        (Ok(_), Ok(edits)) => edits,
        (_, Err(reason)) => return Err(reason),
        (Err(reason), Ok(_)) => panic!("refused at first only: {reason}"),
    };
    let mut texts = BTreeMap::new();
    for (uri, edits) in edits["changes"].as_object().unwrap() {
        let name = uri.rsplit('/').next().unwrap().to_owned();
        let text = if name == "a.yaml" { RECIPE } else { TESTS };
        texts.insert(name, applied(text, edits.as_array().unwrap()));
    }
    Ok(texts)
}

/// `text`, which is ASCII, after `edits`.
fn applied(text: &str, edits: &[Value]) -> String {
    let offset = |position: &Value| {
        let line = usize::try_from(position["line"].as_u64().unwrap()).unwrap();
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        start + usize::try_from(position["character"].as_u64().unwrap()).unwrap()
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort_unstable();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

#[test]
fn steps_are_renamed_in_templates_and_tests() {
    for word in ["id: con‸tact", "{{ steps.con‸tact.id and", "steps['con‸tact']"] {
        let texts = renamed(word, "person").unwrap();
        let wanted = RECIPE
            .replace("id: contact", "id: person")
            .replace("steps.contact", "steps.person")
            .replace("steps['contact']", "steps['person']");
        assert_eq!(texts["a.yaml"], wanted, "{word}");
        assert_eq!(texts["a.test.yaml"], TESTS.replace("contact", "person"), "{word}");
    }
}

#[test]
fn variables_and_items_are_renamed() {
    let texts = renamed("  ta‸g: x", "label").unwrap();
    let wanted = RECIPE
        .replace("  tag: x", "  label: x")
        .replace("{{ vars.tag }}", "{{ vars.label }}")
        .replace("vars['tag']", "vars['label']");
    assert_eq!(texts, [("a.yaml".to_owned(), wanted)].into());
    let texts = renamed("no‸te.text", "line").unwrap();
    let wanted = RECIPE.replace("as: note", "as: line").replace("note.text", "line.text");
    assert_eq!(texts["a.yaml"], wanted);
}

#[test]
fn what_cannot_be_renamed_is_refused_with_the_reason() {
    for (word, new, reason) in [
        ("contacts.up‸sert", "x", "only the names of steps"),
        ("it‸em.text", "x", "give the item one with `as: item` first"),
        ("id: con‸tact", "a-b", "templates cannot read `a-b` as a name"),
        ("id: con‸tact", "", "templates cannot read `` as a name"),
        ("  ta‸g: x", "tagged", "there is another `tagged` already"),
        ("as: no‸te", "event", "`event` means something else"),
    ] {
        let refused = renamed(word, new).unwrap_err();
        assert!(refused.contains(reason), "{word}: {refused}");
    }
    let mut editor = editor();
    let text =
        RECIPE.replace("{{ event.email }}", "{{ steps[event.x] }}").replace("id: contact", "id: con‸tact");
    let at = editor.open("recipes/a.yaml", &text);
    let refused = editor.request("textDocument/prepareRename", at).unwrap_err();
    assert!(refused.contains("line 9 reads `steps") && refused.contains("computed name"), "{refused}");
}

#[test]
fn what_the_checker_can_mend_is_offered() {
    let recipe =
        "name: a\ntrigger: { manual: {} }\nactions:\n  - id: one\n    do: lgo\n    with: { message: x }\n";
    let mut editor = Editor::new(&[]);
    editor.open("recipes/a.yaml", recipe);
    let place = json!({ "line": 4, "character": 9 });
    let parameters = json!({
        "textDocument": { "uri": editor.uri("recipes/a.yaml") },
        "range": { "start": place, "end": place },
        "context": { "diagnostics": [] },
    });
    let found = editor.request("textDocument/codeAction", parameters).unwrap();
    let edits = found[0]["edit"]["changes"].as_object().unwrap_or_else(|| panic!("{found}"));
    let edits = edits.values().next().unwrap().as_array().unwrap();
    assert_eq!(applied(recipe, edits), recipe.replace("lgo", "log"), "{found}");
    assert_eq!(found[0]["diagnostics"][0]["code"], "unknown-operation");
}

#[test]
fn a_warning_can_be_allowed_where_it_is() {
    let recipe = "name: a\nconnections: { highlevel: studio-1 }\ntrigger: { manual: {} }\nactions:\n  - id: list\n    do: opportunities.search\n    with: { status: open }\n  - do: log\n    with: { message: \"{{ steps.list | length }}\" }\n";
    let mut editor = Editor::new(&[]);
    let mut actions = |text: &str, line: u64| {
        editor.open("recipes/a.yaml", text);
        let told = editor.mistakes("recipes/a.yaml");
        let uri = editor.uri("recipes/a.yaml");
        let end = json!({ "line": line, "character": 99 });
        let range = json!({ "start": { "line": line, "character": 0 }, "end": end });
        let parameters =
            json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
        (told, editor.request("textDocument/codeAction", parameters).unwrap())
    };
    let (told, found) = actions(recipe, 8);
    assert!(told.iter().any(|(code, line, _)| code == "truncated-list" && *line == 9), "{told:?}");
    let action = &found[0];
    assert_eq!(action["title"], "Allow `truncated-list` here, and say why");
    let edits = action["edit"]["changes"].as_object().unwrap().values().next().unwrap();
    let text = applied(recipe, edits.as_array().unwrap());
    let (told, _) = actions(&text, 8);
    assert!(told.iter().any(|(code, ..)| code == "bad-allowance"), "a reason is missing: {told:?}");
    let (told, _) = actions(&text.replace("because ", "because two are enough"), 8);
    assert_eq!(told, []);
    assert_eq!(actions(recipe, 0).1, json!([]), "nothing is wrong there");
    // A comment in a text of several lines would be a part of it.
    let block =
        recipe.replace("\"{{ steps.list | length }}\"", "|\n        a\n        {{ steps.list | length }}");
    let block = block.replace("{ message: |", "\n      message: |").replace("}} }", "}}");
    let (told, found) = actions(&block, 11);
    assert!(told.iter().any(|(code, line, _)| code == "truncated-list" && *line == 12), "{told:?}");
    assert_eq!(found, json!([]));
}
