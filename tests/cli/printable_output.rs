//! Foreign text is shown without controlling a terminal, starting its own lines, or reordering text.

use std::fs;

use hob::printable::is_printable;
use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::program::{EndedRun, hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::workspace;

/// Clears the screen, sets the title, changes the direction, and imitates a line of output.
const EVIL: &str =
    "a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1m\u{202e}b\u{2066}\u{85}\u{2028}\r\nforged: all is well\u{8}";

/// Only printable text, and no line started by foreign text.
#[track_caller]
fn assert_printable(what: &str, text: &str) {
    let odd = text.chars().find(|letter| !is_printable(*letter) && !matches!(letter, '\n' | '\t'));
    assert_eq!(odd, None, "{what}: {text:?}");
    assert!(!text.lines().any(|line| line.starts_with("forged")), "{what}: {text}");
}

#[test]
fn output_contains_no_control_sequences() {
    let stand_in = StandIn::start();
    let quoted = serde_json::to_string(EVIL).unwrap();
    // JSON is valid in YAML's double quotes.
    let says = format!(
        "name: {quoted}\ntrigger: {{ manual: {{}} }}\nlane: \"{{{{ event.id }}}}\"\nactions:\n\
         - {{ do: log, with: {{ message: \"{{{{ event.text }}}}\" }} }}\n\
         - {{ do: contacts.get, with: {{ contactId: \"{{{{ event.id }}}}\" }} }}\n"
    );
    let wrong = format!(
        "name: {}\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: {quoted} }}]\n",
        quoted.replace('a', "c")
    );
    let folder = workspace(&stand_in, &[&says]);
    let path = folder.path();
    fs::write(path.join("recipes/b\u{1b}[2J\u{202e}\nforged.yaml"), wrong).unwrap();
    let body = Some(json!({ "message": EVIL, "traceId": EVIL }));
    let what = FaultKind::Status { status: 400, body, headers: vec![] };
    stand_in.sandbox.add_fault(Fault { connector: Some("highlevel".into()), what, ..Fault::default() });
    let event = json!({ "id": EVIL, "text": EVIL, "email": EVIL }).to_string();
    let check = |arguments: &[&str], EndedRun { output, errors, .. }: EndedRun| {
        assert_printable(&format!("{arguments:?} output"), &output);
        assert_printable(&format!("{arguments:?} errors"), &errors);
        output
    };
    let ended = hob_with(path, &["trigger", EVIL, "--event", "-"], &event);
    assert_eq!(ended.code, 0, "{}", ended.errors);
    check(&["trigger"], ended);
    let run = |arguments: &[&str]| check(arguments, hob(path, arguments));
    run(&["validate"]);
    run(&["validate", "--format", "github"]);
    run(&["run", "--once", "-v", "--log-level", "debug"]);
    let rows: Value = serde_json::from_str(&run(&["runs", "list", "--format", "json"])).unwrap();
    assert_eq!(rows[0]["recipe"], EVIL, "data is true: {rows}");
    assert_eq!(rows[0]["state"], "failed");
    let id = rows[0]["id"].as_str().unwrap();
    let shown = run(&["runs", "show", id]);
    assert!(shown.contains("\\u{202e}") && shown.contains("all is well"), "{shown}");
    let detail: Value = serde_json::from_str(&run(&["runs", "show", id, "--format", "json"])).unwrap();
    assert!(detail.to_string().contains("u001b[2J"), "{detail}");
    for arguments in [
        &["runs", "list"][..],
        &["status"],
        &["status", "--format", "json"],
        &["connections", "--scopes"],
        &["call", "contacts.get", "contactId=x"],
        &["call", "contacts.get", "contactId=x", "--raw"],
        &["run", "--once", "--dry-run"],
        &["run", "--once", "--log-format", "json", "--log-level", "debug"],
        &["runs", "retry", id],
        &["pause", EVIL],
        &["trigger", "no\u{1b}[2J\u{202e}such", "--event", "-"],
    ] {
        run(arguments);
    }
}

#[test]
fn a_long_message_is_cut_in_the_log_and_stays_whole_in_the_history() {
    let stand_in = StandIn::start();
    let recipe = "name: long\ntrigger: { manual: {} }\nactions: [{ do: log, with: { message: \"{{ event.text }}\" } }]\n";
    let folder = workspace(&stand_in, &[recipe]);
    let event = json!({ "text": "x".repeat(300_000) }).to_string();
    hob_with(folder.path(), &["trigger", "long", "--event", "-"], &event).code(0);
    for format in ["text", "json"] {
        let arguments = ["run", "--once", "--log-format", format, "--log-level", "debug"];
        let ended = hob(folder.path(), &arguments).code(0);
        let lines: Vec<&str> = ended.errors.lines().collect();
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or_default();
        assert!(longest < 20_000, "{format}: {longest}");
        if format == "json" {
            lines.iter().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
        }
    }
    let rows = hob(folder.path(), &["runs", "list", "--format", "json"]).code(0).json();
    let id = rows[0]["id"].as_str().unwrap();
    assert!(hob(folder.path(), &["runs", "show", id]).code(0).output.len() < 20_000);
    assert!(hob(folder.path(), &["runs", "show", id, "--format", "json"]).code(0).output.len() > 300_000);
}
