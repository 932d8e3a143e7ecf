use serde_json::{Value, json};

use crate::lsp::test_editor::Editor;

const RECIPE: &str = "name: a\nconnections: { highlevel: studio-1 }\ntrigger: { poll: fitr.clients.list }\nvars:\n  first: \"{{ event.full_name }}\"\nactions:\n  - id: contact\n    do: contacts.upsert\n    with: { email: \"{{ event.email | lower }}\", firstName: \"{{ vars.first }}\" }\n  - id: notes\n    do: contacts.notes.list\n    with: { contactId: \"{{ steps.contact.id }}\" }\n  - do: log\n    for_each: \"{{ steps.notes }}\"\n    as: note\n    with: { message: \"{{ note.body }} {{ env.ALERT_URL }} {{ now() }}\" }\n";
const TESTS: &str =
    "tests:\n  - name: x\n    event: { id: 1 }\n    expect: { steps: { contact: skipped } }\n";

/// The recipe with the cursor in `word`, of which there is one at least.
fn at(word: &str) -> String {
    let (before, after) = word.split_once('‸').unwrap();
    RECIPE.replacen(&[before, after].concat(), word, 1)
}

fn editor() -> Editor {
    Editor::new(&[("recipes/a.yaml", RECIPE), ("recipes/a.test.yaml", TESTS)])
}

fn hover(editor: &mut Editor, word: &str) -> String {
    let text = at(word);
    let at = editor.open("recipes/a.yaml", &text);
    let found = editor.request("textDocument/hover", at).unwrap();
    found["contents"]["value"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn everything_that_has_a_meaning_is_explained() {
    let mut editor = editor();
    for (word, wanted) in [
        ("contacts.up‸sert", "POST /contacts/upsert"),
        ("fitr.clients‸.list", "- kinds: poller"),
        ("‸firstName: ", "`firstName` (body): text"),
        ("event.em‸ail", "`event.email`: text"),
        ("ev‸ent.email", "The record or request that started the run."),
        ("| low‸er", "lower"),
        ("no‸w()", "The time of this attempt"),
        ("steps.con‸tact.id", "The result of `contacts.upsert`"),
        ("vars.fir‸st", "A variable of this recipe"),
        ("note.bo‸dy", "`note.body`: text"),
        ("for_‸each:", "A list: the step runs once per item"),
        ("stud‸io-1", "A connection on `highlevel`"),
        ("tri‸gger:", "What starts it."),
    ] {
        let shown = hover(&mut editor, word);
        assert!(shown.contains(wanted), "{word}: {shown}");
    }
    let shown = hover(&mut editor, "env.ALERT‸_URL");
    assert!(shown.contains("listed under `env`"), "{shown}");
    let at = editor.open("recipes/b.yaml", &at("contacts.up‸sert").replace("up‸sert", "up‸srt"));
    let shown = editor.request("textDocument/hover", at).unwrap();
    assert!(
        shown["contents"]["value"].as_str().unwrap().contains("hob explain unknown-operation"),
        "{shown}"
    );
}

/// File, line from 1 and text of the places that a request finds.
fn places(editor: &mut Editor, method: &str, at: &Value) -> Vec<(String, u64)> {
    let mut parameters = at.clone();
    parameters["context"] = json!({ "includeDeclaration": true });
    let found = editor.request(method, parameters).unwrap();
    let all = match found {
        Value::Array(all) => all,
        Value::Null => Vec::new(),
        one => vec![one],
    };
    let mut places: Vec<(String, u64)> = all
        .iter()
        .map(|place| {
            let file = place["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            (file, place["range"]["start"]["line"].as_u64().unwrap() + 1)
        })
        .collect();
    places.sort();
    places
}

fn definition(editor: &mut Editor, word: &str) -> Vec<(String, u64)> {
    let at = editor.open("recipes/a.yaml", &at(word));
    places(editor, "textDocument/definition", &at)
}

fn here(line: u64) -> Vec<(String, u64)> {
    vec![("a.yaml".to_owned(), line)]
}

#[test]
fn definitions_are_found() {
    let mut editor = editor();
    assert_eq!(definition(&mut editor, "steps.con‸tact.id"), here(7));
    assert_eq!(definition(&mut editor, "vars.fir‸st"), here(5));
    assert_eq!(definition(&mut editor, "no‸te.body"), here(15));
    assert_eq!(definition(&mut editor, "stud‸io-1"), [("hob.yaml".to_owned(), 2)]);
    assert_eq!(definition(&mut editor, "env.ALERT‸_URL"), [("hob.yaml".to_owned(), 5)]);
    assert_eq!(definition(&mut editor, "contacts.up‸sert"), [], "it is in no file");
    let at = editor.open("recipes/a.test.yaml", &TESTS.replace("contact:", "con‸tact:"));
    assert_eq!(places(&mut editor, "textDocument/definition", &at), here(7));
}

#[test]
fn own_operations_are_defined_in_files() {
    let connector = "connector: club\ntitle: Club\nabout: A club.\n";
    let operations = "# Ours.\noperations:\n  club.ping: { title: P, summary: S., kinds: [action], method: GET, path: /x }\n";
    let recipe = "name: b\ntrigger: { manual: {} }\nactions:\n  - { do: club.ping }\n";
    let mut editor = Editor::new(&[
        ("connectors/club/connector.yaml", connector),
        ("connectors/club/ping.yaml", operations),
        ("recipes/b.yaml", recipe),
    ]);
    let at = editor.open("recipes/b.yaml", &recipe.replace("club.ping", "club.‸ping"));
    assert_eq!(places(&mut editor, "textDocument/definition", &at), [("ping.yaml".to_owned(), 3)]);
    let at = editor.open("connectors/club/ping.yaml", &operations.replace("club.ping:", "club.‸ping:"));
    assert_eq!(places(&mut editor, "textDocument/references", &at), [("b.yaml".to_owned(), 4)]);
}

#[test]
fn references_are_found_in_templates_tests_and_other_recipes() {
    let mut editor = editor();
    let at_id = editor.open("recipes/a.yaml", &at("id: con‸tact"));
    let tests = ("a.test.yaml".to_owned(), 4);
    let wanted = [tests, ("a.yaml".to_owned(), 7), ("a.yaml".to_owned(), 12)];
    assert_eq!(places(&mut editor, "textDocument/references", &at_id), wanted);
    let at_operation = editor.open("recipes/a.yaml", &at("contacts.up‸sert"));
    assert_eq!(places(&mut editor, "textDocument/references", &at_operation), here(8));
    let settings = crate::lsp::test_editor::SETTINGS.replace("studio-1:", "stud‸io-1:");
    let at_connection = editor.open("hob.yaml", &settings);
    assert_eq!(places(&mut editor, "textDocument/references", &at_connection), here(2));
}

#[test]
fn texts_have_outlines_and_workspaces_symbols() {
    let mut editor = editor();
    editor.open("recipes/a.yaml", RECIPE);
    let uri = editor.uri("recipes/a.yaml");
    let outline =
        editor.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } })).unwrap();
    let names: Vec<&str> =
        outline.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["name", "connections", "trigger", "vars", "actions"]);
    let steps = outline[4]["children"].as_array().unwrap();
    let steps: Vec<&str> = steps.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(steps, ["contact", "notes", "log"]);
    let mut search = |query: &str| {
        let found = editor.request("workspace/symbol", json!({ "query": query })).unwrap();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(search("NOT"), ["notes"]);
    assert_eq!(search(""), ["a", "contact", "notes"]);
}
