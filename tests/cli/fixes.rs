//! `hob validate --fix`: what can only have been meant one way is mended, and nothing else is touched.

use std::fs;

use serde_json::json;

use super::program::{hob, hob_with};

/// A recipe with mistakes that can only have been meant one way, `é` and odd layout in between.
const BROKEN: &str = "# a comment: emial \u{e9}\nname:   odd   # keep me
trigger: { webhook:  /in , verify: none }
when: event.email && !event.test
vars:
  first: '{{ event.name | splitt('' '') | first }}'\t# it''s
actions:
  - do: contacts.upsret

    with:
        emial: \"{{ event.email  |lowr }}\"
        firstName: {{ first }}
    if: \"{{ event.a }} == 'b'\"
    on_erorr: continue
  - {do: log, with: {message: \"done {{ steps.contact.id }}\"}}
";

/// The same, mended.
const MENDED: &str = "# a comment: emial \u{e9}\nname:   odd   # keep me
trigger: { webhook:  /in , verify: none }
when: \"{{ event.email and not event.test }}\"
vars:
  first: '{{ event.name | split('' '') | first }}'\t# it''s
actions:
  - do: contacts.upsert

    with:
        email: \"{{ event.email  |lower }}\"
        firstName: \"{{ vars.first }}\"
    if: \"{{ event.a == 'b' }}\"
    on_error: continue
  - {do: log, with: {message: \"done {{ steps.contact.id }}\"}}
";

#[test]
fn fix_mends_what_is_certain_and_keeps_every_other_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("a.yaml"), BROKEN).unwrap();
    let told = hob(path, &["validate", "a.yaml"]).code(1).errors;
    assert!(told.contains("`hob validate --fix` mends "), "{told}");

    let diff = hob(path, &["validate", "--diff", "a.yaml"]).code(1);
    assert!(diff.output.starts_with("--- a.yaml\n+++ a.yaml\n@@ "), "{}", diff.output);
    assert!(
        diff.output.contains("\n-  - do: contacts.upsret\n+  - do: contacts.upsert\n"),
        "{}",
        diff.output
    );
    assert!(diff.errors.contains("in 1 file"), "{}", diff.errors);
    assert_eq!(fs::read_to_string(path.join("a.yaml")).unwrap(), BROKEN, "nothing is written");

    let fixed = hob(path, &["validate", "--fix", "a.yaml"]).code(1);
    assert_eq!(fs::read_to_string(path.join("a.yaml")).unwrap(), MENDED);
    assert!(
        fixed.errors.contains("mended ") && fixed.errors.contains(" mistakes in 1 file"),
        "{}",
        fixed.errors
    );
    assert!(fixed.output.contains("no step is called `contact`"), "what is left is told: {}", fixed.output);
    assert!(!fixed.errors.contains("validate --fix"), "{}", fixed.errors);

    let again = hob(path, &["validate", "--fix", "a.yaml"]).code(1);
    assert!(again.errors.contains("mended 0 mistakes in 0 files"), "{}", again.errors);
    assert_eq!(fs::read_to_string(path.join("a.yaml")).unwrap(), MENDED);
    let nothing = hob(path, &["validate", "--diff", "a.yaml"]).code(0);
    assert_eq!(nothing.output.trim(), "");
}

#[test]
fn what_may_be_meant_otherwise_is_offered_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Two names are as near; a warning about what works; another tool's name for the record.
    for (name, recipe) in [
        (
            "two",
            "name: a\ntrigger: { manual: {} }\nvars: { mail1: a, mail2: b }\nactions:\n- { do: log, with: { message: '{{ vars.mail }} {{ vars.mail1 }} {{ vars.mail2 }}' } }\n",
        ),
        (
            "works",
            "name: b\ntrigger: { webhook: highlevel.ContactUpdate }\nactions:\n- { do: log, with: { message: '{{ event.emial }}' } }\n",
        ),
        (
            "guess",
            "name: c\ntrigger: { manual: {} }\nwhen: event.status == client\nactions:\n- { do: log, with: { message: '{{ $json.email }}' } }\n",
        ),
    ] {
        let file = path.join(format!("{name}.yaml"));
        fs::write(&file, recipe).unwrap();
        let file_name = format!("{name}.yaml");
        hob(path, &["validate", "--fix", &file_name]);
        assert_eq!(fs::read_to_string(&file).unwrap(), recipe, "{name}");
    }
    let rows = hob(path, &["validate", "works.yaml", "--format", "json"]).code(0).json();
    assert_eq!(
        rows[0]["fix"],
        json!({ "title": "replace `emial` with `email`", "applicability": "suggested", "edits": [
            { "line": 4, "column": 41, "end_line": 4, "end_column": 46, "replacement": "email" },
        ] })
    );
    let sarif = hob(path, &["validate", "works.yaml", "--format", "sarif"]).code(0).json();
    let fixes = &sarif["runs"][0]["results"][0]["fixes"];
    assert_eq!(fixes[0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "email");
}

#[test]
fn a_whole_workspace_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let workspace = "connections:\n  studio: { connector: highlevle, location: loc, auth: { token: \"${TOKEN}\" } } # mine\n";
    fs::write(path.join("hob.yaml"), workspace).unwrap();
    fs::create_dir(path.join("recipes")).unwrap();
    let recipe = "name: a\r\ntrigger: { manual: {} }\r\nactions:\r\n  - { id: log, do: lgo, with: { mesage: hello } }\r\n";
    fs::write(path.join("recipes/a.yaml"), recipe).unwrap();
    let test = "tests:\n  - name: logs\n    event: {}\n    expct: { run: succeeded }\n";
    fs::write(path.join("recipes/a.test.yaml"), test).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path.join("recipes/a.yaml"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();

    let fixed = hob(path, &["validate", "--fix"]);
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    assert_eq!(read("hob.yaml"), workspace.replace("highlevle", "highlevel"), "{}", fixed.errors);
    assert_eq!(read("recipes/a.yaml"), recipe.replace("lgo", "log").replace("mesage", "message"));
    assert_eq!(read("recipes/a.test.yaml"), test.replace("expct", "expect"));
    assert!(fixed.errors.contains(" in 3 files"), "{}", fixed.errors);
    #[cfg(unix)]
    {
        let mode = fs::metadata(path.join("recipes/a.yaml")).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    }
}

#[test]
fn standard_input_is_not_mended() {
    let folder = tempfile::tempdir().unwrap();
    for flag in ["--fix", "--diff"] {
        let refused = hob_with(folder.path(), &["validate", flag, "-"], BROKEN).code(2);
        assert!(refused.errors.contains("standard input cannot be mended"), "{}", refused.errors);
    }
    hob(folder.path(), &["validate", "--diff", "--format", "json", "a.yaml"]).code(2);
}
