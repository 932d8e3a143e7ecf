use super::{Part, Role, place};

/// The place at `|`: path, role, and the text before the cursor.
fn at(text: &str) -> (String, Role, String) {
    let before = text.split_once('|').map_or(text, |(before, _)| before);
    let place = place(before);
    let path: Vec<String> = place
        .path
        .iter()
        .map(|part| match part {
            Part::Key(name) => name.clone(),
            Part::Item(at) => at.to_string(),
        })
        .collect();
    (path.join("."), place.role, before[place.start..].to_owned())
}

fn key(text: &str, path: &str, typed: &str) {
    assert_eq!(at(text), (path.to_owned(), Role::Key, typed.to_owned()), "{text}");
}

fn value(text: &str, path: &str, typed: &str) {
    assert_eq!(at(text), (path.to_owned(), Role::Value, typed.to_owned()), "{text}");
}

const STEPS: &str = "name: a\nactions:\n  - id: one\n    do: x.y\n    with:\n      a: 1\n";

#[test]
fn keys_are_found_by_their_column() {
    key("|", "", "");
    key("na|", "", "na");
    key("name: a\n|", "", "");
    key("name: a\ntr|", "", "tr");
    key("trigger:\n  |", "trigger", "");
    key("trigger:\n  po|", "trigger", "po");
    key(&format!("{STEPS}      b|"), "actions.0.with", "b");
    key(&format!("{STEPS}      |"), "actions.0.with", "");
    key(&format!("{STEPS}    |"), "actions.0", "");
    key(&format!("{STEPS}    fo|"), "actions.0", "fo");
    key(&format!("{STEPS}|"), "", "");
    key(&format!("{STEPS}  - |"), "actions.1", "");
    key(&format!("{STEPS}  - d|"), "actions.1", "d");
    key("actions:\n- do: a\n- |", "actions.1", "");
    key("actions:\n- do: a\n  wi|", "actions.0", "wi");
    key("actions:\n- do: a\nwh|", "", "wh");
    key("actions:\n- do: a\n  with:\n    x:\n    - a: 1\n      b|", "actions.0.with.x.0", "b");
    key("a: 'x'\n\"b|", "", "b");
}

#[test]
fn values_are_found_behind_their_keys() {
    value("name: |", "name", "");
    value("name:|", "name", "");
    value("name: ab|", "name", "ab");
    value("name: \"ab|", "name", "ab");
    value("name: 'it''s|", "name", "it''s");
    value("actions:\n  - do: con|", "actions.0.do", "con");
    value("actions:\n  - id: x\n    do: contacts.|\n    with:\n", "actions.0.do", "contacts.");
    value("when: {{ event.|", "when", "{{ event.");
    value("a: \"x\\\" y|", "a", "x\\\" y");
    value("\"a b\": c|", "a b", "c");
    value("a: http://x|", "a", "http://x");
}

#[test]
fn braces_and_brackets_are_followed() {
    value("with: { a: 1, b: \"{{ x.|", "with.b", "{{ x.");
    key("with: { a: 1, b|", "with", "b");
    key("with: { |", "with", "");
    key("with: {|", "with", "");
    value("with: { a: |", "with.a", "");
    value("with: { a: [x, y|", "with.a.1", "y");
    value("with: { a: [|", "with.a.0", "");
    key("with: { a: [{ b: 1 }, { c|", "with.a.1", "c");
    key("with: { a: 1 }\nb|", "", "b");
    key("with: {\n  a: 1,\n  b|", "with", "b");
    value("with: { a: {{ event.|", "with.a", "{{ event.");
    key("- { do: x, w|", "0", "w");
    value("tags: [a, {{ b }}, c|", "tags.2", "c");
}

#[test]
fn blocks_and_comments_are_passed_over() {
    value("a: |-\n  x: 1\n  y".replace('|', ">").as_str(), "a", "  x: 1\n  y");
    key("a: >\n  x: 1\n\n  y\nb|", "", "b");
    assert_eq!(at("# a: |").1, Role::Comment);
    assert_eq!(at("a: b # c|").1, Role::Comment);
    assert_eq!(at("a: [1, # c|").1, Role::Comment);
    key("---\na: 1\n|", "", "");
}

#[test]
fn earlier_fields_are_known() {
    let place = place("actions:\n  - do: a.b\n    if: \"{{ x }}\"\n    with:\n      x: 1\n    r");
    let before: Vec<(&str, &str)> = place.before.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(before, [("do", "a.b"), ("if", "{{ x }}"), ("with", "")]);
}
