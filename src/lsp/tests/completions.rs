use std::cell::RefCell;

use serde_json::Value;

use crate::lsp::test_editor::Editor;

const POLL: &str = "name: a\ntrigger:\n  poll: fitr.clients.list\n";
const STEPS: &str = "name: a\nconnections: { highlevel: studio-1 }\ntrigger: { poll: fitr.clients.list }\nvars:\n  first: \"{{ event.full_name }}\"\n  tag: x\nactions:\n  - id: contact\n    do: contacts.upsert\n    with: { email: \"{{ event.email }}\" }\n  - id: notes\n    do: contacts.notes.list\n    with: { contactId: \"{{ steps.contact.id }}\" }\n";

#[track_caller]
fn has(labels: &[String], wanted: &[&str]) {
    for name in wanted {
        assert!(labels.iter().any(|label| label == name), "`{name}` is not in {labels:?}");
    }
}

#[track_caller]
fn lacks(labels: &[String], unwanted: &[&str]) {
    for name in unwanted {
        assert!(!labels.iter().any(|label| label == name), "`{name}` is in {labels:?}");
    }
}

thread_local! {
    /// One for each test: a workspace is not opened in no time.
    static EDITOR: RefCell<Editor> = RefCell::new(Editor::new(&[]));
}

fn recipe(text: &str) -> Vec<String> {
    EDITOR.with_borrow_mut(|editor| editor.complete("recipes/a.yaml", text))
}

/// `text` after the item `label` was chosen.
fn chosen(text: &str, label: &str) -> String {
    let items = EDITOR.with_borrow_mut(|editor| editor.items("recipes/a.yaml", text));
    let item =
        items.iter().find(|item| item["label"] == label).unwrap_or_else(|| panic!("{label}: {items:#?}"));
    let edit = &item["textEdit"];
    let plain = text.replace('‸', "");
    let offset = |position: &Value| {
        let line = position["line"].as_u64().unwrap() as usize;
        let start: usize = plain.split_inclusive('\n').take(line).map(str::len).sum();
        start + position["character"].as_u64().unwrap() as usize
    };
    let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
    [&plain[..start], edit["newText"].as_str().unwrap(), &plain[end..]].concat()
}

#[test]
fn fields_of_recipes_are_offered_where_they_are_missing() {
    let labels = recipe("name: a\n‸");
    has(&labels, &["trigger", "actions", "vars", "on_failure", "sync"]);
    lacks(&labels, &["name"]);
    assert_eq!(labels[0], "trigger", "what is required comes first");
    let labels = recipe("name: a\ntrigger:\n  ‸\nactions: []\n");
    has(&labels, &["poll", "webhook", "schedule", "manual"]);
    let labels = recipe(&format!("{POLL}  ‸"));
    has(&labels, &["every", "emit", "with"]);
    lacks(&labels, &["webhook", "poll"]);
    has(&recipe(&format!("{STEPS}  - ‸")), &["do", "id", "if", "for_each"]);
    let labels = recipe(&format!("{STEPS}  - do: log\n    ‸\n"));
    has(&labels, &["with", "if"]);
    lacks(&labels, &["do"]);
    has(&recipe(&format!("{STEPS}  - {{ do: log, ‸ }}\n")), &["with", "if"]);
}

#[test]
fn operations_are_offered_where_they_can_be_used() {
    let labels = recipe(&format!("{STEPS}  - do: ‸"));
    has(&labels, &["contacts.upsert", "fitr.clients.get", "log", "http.request"]);
    let labels = recipe("name: a\ntrigger:\n  poll: fi‸\n");
    has(&labels, &["fitr.clients.list", "contacts.list"]);
    lacks(&labels, &["contacts.upsert"]);
    has(&recipe("name: a\ntrigger:\n  webhook: ‸\n"), &["highlevel.ContactUpdate"]);
    has(
        &recipe("name: a\ntrigger: { webhook: [highlevel.ContactCreate, ‸] }\n"),
        &["highlevel.ContactUpdate"],
    );
    assert_eq!(chosen("name: a\ntrigger:\n  poll: fitr.cl‸\n", "fitr.clients.list"), format!("{POLL}"));
    assert_eq!(chosen("name: a\ntrigger:\n  poll:‸\n", "fitr.clients.list"), format!("{POLL}"));
    assert_eq!(chosen("name: a\ntrigger:\n  poll: fi‸tr.x.y\n", "fitr.clients.list"), format!("{POLL}"));
}

#[test]
fn inputs_are_those_of_the_operation() {
    for text in [
        "  - do: contacts.upsert\n    with:\n      ‸",
        "  - do: contacts.upsert\n    with:\n      email: x\n      f‸\n  - do: log\n",
        "  - do: contacts.upsert\n    with: { email: x, ‸ }\n",
        "  - do: contacts.upsert\n    with: { ‸\n",
        "  - with:\n      ‸\n    do: contacts.upsert\n",
    ] {
        has(&recipe(&format!("{STEPS}{text}")), &["firstName", "phone", "tags"]);
    }
    let labels = recipe(&format!("{STEPS}  - do: contacts.upsert\n    with: {{ email: x, ‸ }}\n"));
    lacks(&labels, &["email"]);
    let labels = recipe(&format!("{STEPS}  - do: contacts.tags.add\n    with:\n      ‸"));
    assert_eq!(labels[..2], ["contactId", "tags"], "what is required comes first");
    let nested = format!("{STEPS}  - do: contacts.upsert\n    with:\n      customFields:\n        - ‸");
    has(&recipe(&nested), &["id"]);
    has(&recipe("name: a\ntrigger:\n  poll: fitr.clients.list\n  with:\n    ‸\n"), &["status"]);
    lacks(&recipe("name: a\ntrigger:\n  poll: fitr.clients.list\n  with:\n    ‸\n"), &["page"]);
    let text = format!("{STEPS}  - do: contacts.upsert\n    with:\n      fir‸");
    assert!(chosen(&text, "firstName").ends_with("    with:\n      firstName: "));
    let text = format!("{STEPS}  - do: contacts.upsert\n    with:\n      fir‸: x\n");
    assert!(chosen(&text, "firstName").ends_with("    with:\n      firstName: x\n"));
}

#[test]
fn values_are_those_that_the_field_takes() {
    has(&recipe("name: a\necho: ‸\n"), &["drop", "allow"]);
    has(&recipe(&format!("{POLL}  emit: [‸]\n")), &["new", "changed", "removed"]);
    has(&recipe(&format!("{POLL}  emit:\n    - ‸\n")), &["new", "changed", "removed"]);
    has(&recipe(&format!("{POLL}  hydrate: ‸\n")), &["true", "false"]);
    has(&recipe(&format!("{POLL}  every: ‸\n")), &["5m"]);
    has(&recipe("name: a\nsync:\n  sides:\n    one: { connector: ‸ }\n"), &["highlevel", "fitr"]);
    let labels = recipe("name: a\nsync:\n  sides:\n    one: { connector: fitr, connection: ‸ }\n");
    assert_eq!(labels, ["fitr"]);
    let labels = recipe("name: a\nconnections: { highlevel: ‸ }\n");
    assert_eq!(labels, ["studio-1", "studio-2"]);
    has(&recipe(&format!("{STEPS}  - do: contacts.get\n    connection: ‸\n")), &["studio-1", "studio-2"]);
    let text = format!("{STEPS}  - do: opportunities.create\n    with:\n      status: ‸\n");
    has(&recipe(&text), &["open", "won", "lost"]);
    assert!(recipe(&format!("{STEPS}  - do: log\n    with:\n      message: |\n        ‸")).is_empty());
}

#[test]
fn fields_of_events_and_results_are_offered_in_templates() {
    let step = |typed: &str| {
        recipe(&format!("{STEPS}  - do: log\n    with: {{ message: \"{{{{ {typed}‸ }}}}\" }}\n"))
    };
    has(&step(""), &["event", "vars", "steps", "env", "run", "now", "links.find", "omit"]);
    has(&step("event."), &["email", "full_name", "phone", "changed", "before"]);
    has(&step("event.before."), &["email"]);
    assert_eq!(step("steps."), ["notes", "contact"]);
    has(&step("steps.contact."), &["id", "email"]);
    assert!(step("steps.notes.").is_empty(), "a list has no fields");
    has(&step("steps.notes[0]."), &["body"]);
    assert_eq!(step("vars."), ["first", "tag"]);
    assert_eq!(step("env."), ["ALERT_URL"]);
    has(&step("connection."), &["highlevel", "fitr"]);
    has(&step("connection.highlevel."), &["name", "location"]);
    has(&step("run."), &["id", "recipe"]);
    has(&step("event.email | "), &["lower", "e164", "default"]);
    has(&step("event.email is "), &["defined", "none"]);
    assert!(step("'event.").is_empty());
    has(&recipe(&STEPS.replace("\"{{ steps.contact.id }}\" }", "\"{{ steps.‸")), &["contact"]);
    lacks(&recipe(&STEPS.replace("\"{{ steps.contact.id }}\" }", "\"{{ steps.‸")), &["notes"]);
    assert_eq!(recipe(&STEPS.replace("tag: x", "tag: \"{{ vars.‸ }}\"")), ["first"]);
    lacks(&recipe(&STEPS.replace("tag: x", "tag: \"{{ ‸ }}\"")), &["steps", "error"]);
    let text = format!("{STEPS}  - do: log\n    with:\n      message: {{{{ event.em‸\n");
    has(&recipe(&text), &["email"]);
    let text = format!("{STEPS}  - do: log\n    with:\n      message: |\n        Dear {{{{ event.‸");
    has(&recipe(&text), &["email"]);
}

#[test]
fn an_item_of_a_list_has_its_fields() {
    let text = |field: &str| {
        format!("{STEPS}  - do: log\n    for_each: \"{{{{ steps.notes }}}}\"\n    as: note\n    {field}\n")
    };
    let labels = recipe(&text("with: { message: \"{{ ‸ }}\" }"));
    assert_eq!(labels[0], "note");
    has(&recipe(&text("with: { message: \"{{ note.‸ }}\" }")), &["body", "id"]);
    has(&recipe(&text("if: \"{{ note.‸ }}\"")), &["body"]);
}

#[test]
fn the_failure_is_known_after_it_alone() {
    let text = format!("{STEPS}on_failure:\n  - do: log\n    with: {{ message: \"{{{{ error.‸ }}}}\" }}\n");
    has(&recipe(&text), &["message", "step", "status"]);
    let text = format!("{STEPS}on_failure:\n  - do: log\n    with: {{ message: \"{{{{ steps.‸ }}}}\" }}\n");
    assert_eq!(recipe(&text), ["notes", "contact"]);
}

#[test]
fn events_of_apps_have_their_documented_fields() {
    let text = "name: a\ntrigger: { webhook: highlevel.ContactUpdate }\nwhen: \"{{ event.‸ }}\"\n";
    has(&recipe(text), &["email", "firstName"]);
}

#[test]
fn tests_and_settings_are_completed_as_well() {
    let files = [("recipes/a.yaml", STEPS)];
    let mut editor = Editor::new(&files);
    let mut test = |text: &str| editor.complete("recipes/a.test.yaml", text);
    has(&test("‸"), &["tests", "stubs", "recipe"]);
    has(&test("tests:\n  - name: x\n    ‸"), &["event", "expect", "stubs"]);
    has(&test("tests:\n  - name: x\n    expect:\n      requests:\n        - do: ‸"), &["contacts.upsert"]);
    let with = "tests:\n  - name: x\n    expect:\n      requests:\n        - do: contacts.upsert\n          with: { ‸";
    has(&test(with), &["email", "firstName"]);
    has(&test("stubs:\n  ‸"), &["contacts.upsert"]);
    assert_eq!(test("recipe: ‸"), ["a"]);
    has(&test("tests:\n  - name: x\n    expect:\n      steps:\n        ‸"), &["contact", "notes"]);
    has(&test("tests:\n  - name: x\n    event: { ‸ }"), &["email", "full_name"]);
    has(&test("stubs:\n  contacts.upsert: { result: { ‸ } }\ntests: []\n"), &["id", "email"]);
    has(&test("tests:\n  - name: x\n    expect:\n      run: ‸"), &["succeeded", "failed", "parked"]);
    let mut settings = |text: &str| editor.complete("hob.yaml", text);
    has(&settings("‸"), &["connections", "env", "store", "server"]);
    has(&settings("connections:\n  x:\n    ‸"), &["connector", "auth", "base_url"]);
    has(&settings("connections:\n  x:\n    connector: ‸"), &["highlevel", "fitr"]);
    has(&settings("connections:\n  x:\n    connector: highlevel\n    ‸"), &["location", "auth"]);
}

#[test]
fn own_connectors_count() {
    let connector = "connector: club\ntitle: Club\nabout: A club.\nauth: [{ token: {} }]\n";
    let operations = "operations:\n  club.members.list:\n    title: Members\n    summary: All of them.\n    kinds: [poller, action]\n    method: GET\n    path: /m\n    parameters: { size: { in: query, shape: { type: string, enum: [big, small] } } }\n    response: { type: object, fields: { members: { type: array, items: { type: object, fields: { id: { type: string }, nick: { type: string } } } } } }\n    result: ['$.members[*]']\n    list: { items: ['$.members[*]'], id: [id] }\n";
    let files = [
        ("connectors/club/connector.yaml", connector.replace("auth: [{ token: {} }]\n", "")),
        ("connectors/club/members.yaml", operations.to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut editor = Editor::new(&files);
    assert_eq!(editor.mistakes("connectors/club/members.yaml"), []);
    let mut recipe = |text: &str| editor.complete("recipes/a.yaml", text);
    has(&recipe("name: a\ntrigger: { poll: cl‸ }\n"), &["club.members.list"]);
    has(&recipe("name: a\ntrigger: { poll: club.members.list, with: { size: ‸ } }\n"), &["big", "small"]);
    has(&recipe("name: a\ntrigger: { poll: club.members.list }\nwhen: \"{{ event.‸ }}\"\n"), &["nick"]);
    has(
        &editor.complete("connectors/club/members.yaml", "operations:\n  club.x:\n    ‸"),
        &["title", "kinds"],
    );
}

#[test]
fn codes_that_can_be_allowed_are_offered_in_comments() {
    has(&recipe("# hob: allow ‸"), &["maybe-missing", "suspicious"]);
    lacks(&recipe("# hob: allow ‸"), &["unknown-step"]);
    assert!(recipe("# ‸").is_empty());
}
