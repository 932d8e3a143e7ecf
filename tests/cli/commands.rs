//! Commands that need no runner.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use hob::catalog::Catalog;
use serde_json::json;

use crate::program::{hob, hob_with};

const BROKEN: &str =
    "name: x\ntrigger: { poll: contacts.lst }\nwhen: {{ event.id }}\nactions:\n  - do: log\n    wiht: {}\n";

#[test]
fn a_new_workspace_is_right_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    hob(folder.path(), &["init", "studio"]).code(0);
    let studio = folder.path().join("studio");
    let validated = hob(&studio, &["validate"]).code(0);
    assert!(validated.errors.ends_with("3 files, 0 errors, 2 warnings\n"), "{}", validated.errors);
    let recipe = studio.join("recipes/watch-contacts.yaml");
    fs::write(&recipe, "mine").unwrap();
    let again = hob(folder.path(), &["init", "studio"]).code(0);
    assert!(again.output.contains("kept  studio/recipes/watch-contacts.yaml"), "{}", again.output);
    assert_eq!(fs::read_to_string(&recipe).unwrap(), "mine");
}

#[test]
fn the_first_recipe_of_the_readme_is_right_in_a_new_workspace() {
    let folder = tempfile::tempdir().unwrap();
    hob(folder.path(), &["init"]).code(0);
    let readme = include_str!("../../README.md");
    let recipe = readme.split("```yaml\n").find(|block| block.starts_with("name: lead-to-contact")).unwrap();
    let recipe = recipe.split("```").next().unwrap();
    fs::write(folder.path().join("recipes/lead-to-contact.yaml"), recipe).unwrap();
    fs::write(folder.path().join(".env"), "HIGHLEVEL_TOKEN=pit-12345\nHIGHLEVEL_LOCATION=loc-1\n").unwrap();
    let validated = hob(folder.path(), &["validate"]).code(0);
    // The cost of its poll is reported, too.
    let told = &validated.errors;
    assert!(
        told.ends_with("\n4 files, 0 errors\n") && !told.contains("warning"),
        "{told}{}",
        validated.output
    );
}

#[test]
fn the_schemas_of_a_workspace_are_kept_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    hob(path, &["init"]).code(0);
    let schemas = path.join("schemas");
    let names = ["recipe", "workspace", "connector"].map(|name| schemas.join(format!("{name}.schema.json")));
    let fresh = names.each_ref().map(|name| fs::read_to_string(name).unwrap());
    let ignored = fs::read_to_string(path.join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "/schemas/"), "{ignored}");
    for command in [&["validate"][..], &["run", "--sandbox", "--once"]] {
        fs::write(&names[0], "{}").unwrap();
        fs::remove_file(&names[2]).unwrap();
        hob(path, command).code(0);
        assert_eq!(names.each_ref().map(|name| fs::read_to_string(name).unwrap()), fresh, "{command:?}");
    }
    // Checked out without ignored files, and with its own connector.
    fs::remove_dir_all(&schemas).unwrap();
    let own = path.join("connectors/shop");
    fs::create_dir_all(&own).unwrap();
    fs::write(
        own.join("connector.yaml"),
        "connector: shop\ntitle: Shop\nabout: A shop.\nbase_url: https://s.example\n",
    )
    .unwrap();
    let operations = "operations:\n  shop.orders.get: { title: T, summary: Reads an order., kinds: [action], method: GET, path: /o }\n";
    fs::write(own.join("orders.yaml"), operations).unwrap();
    hob(path, &["validate"]).code(0);
    let recipe = fs::read_to_string(&names[0]).unwrap();
    assert!(recipe.contains("shop.orders.get") && names[2].is_file());
    // A folder without schemas stays unchanged, and unwritable files are ignored.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("hob.yaml"), "env: []\n").unwrap();
    hob(other.path(), &["validate"]).code(0);
    assert!(!other.path().join("schemas").exists());
    fs::write(other.path().join("schemas"), "a file").unwrap();
    hob(other.path(), &["validate"]).code(0);
}

#[test]
fn validate_shows_every_mistake_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broken.yaml"), BROKEN).unwrap();
    let text = hob(folder.path(), &["validate", "broken.yaml"]).code(1);
    for place in ["broken.yaml:2:18", "broken.yaml:3:7", "broken.yaml:6:5"] {
        assert!(text.output.contains(place), "{place}: {}", text.output);
    }
    assert!(text.output.contains("did you mean `contacts.list`?"), "{}", text.output);
    assert!(!text.output.contains('\u{1b}'), "no colours without a terminal");
    assert!(text.errors.starts_with("1 file, 4 errors\n"), "{}", text.errors);
    let rows = hob(folder.path(), &["validate", "broken.yaml", "--format", "json"]).code(1).json();
    let row = &rows[0];
    let fields: Vec<&String> = row.as_object().unwrap().keys().collect();
    let wanted =
        ["file", "line", "column", "end_line", "end_column", "severity", "code", "message", "help", "fix"];
    assert_eq!(fields, wanted);
    assert_eq!((&row["line"], &row["code"]), (&json!(2), &json!("unknown-operation")));
    let sarif = hob(folder.path(), &["validate", "broken.yaml", "--format", "sarif"]).code(1).json();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 4);
    let github = hob(folder.path(), &["validate", "broken.yaml", "--format", "github"]).code(1);
    assert_eq!(github.output.matches("::error file=broken.yaml,line=").count(), 4, "{}", github.output);
    let piped = hob_with(folder.path(), &["validate", "-"], BROKEN).code(1);
    assert!(piped.output.contains("<stdin>:2:18"), "{}", piped.output);
}

#[test]
fn exit_codes_tell_usage_from_problems() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    hob(path, &["--help"]).code(0);
    hob(path, &["--version"]).code(0);
    for wrong in [
        &["no-such-command"][..],
        &[],
        &["validate"],
        &["validate", "missing.yaml"],
        &["catalog", "show", "contacts.creat"],
        &["runs", "list"],
        &["runs", "list", "--state", "done"],
        &["call", "contacts.get", "contactId", "--sandbox"],
        &["catalog", "list", "--workspace", "nowhere"],
        &["catalog", "list", "--log-level", "loud=very"],
    ] {
        let ended = hob(path, wrong).code(2);
        assert!(!ended.errors.is_empty() && ended.output.is_empty(), "{wrong:?}: {}", ended.output);
    }
    let typo = hob(path, &["catalog", "show", "contacts.creat"]);
    assert!(typo.errors.contains("did you mean `contacts.create`?"), "{}", typo.errors);
    fs::write(path.join("hob.yaml"), "connections: { a: { connector: nope } }\n").unwrap();
    hob(path, &["validate"]).code(1);
    hob(path, &["connections"]).code(1);
    fs::write(path.join("hob.yaml"), "store: sqlite:/proc/nowhere/hob.db\n").unwrap();
    hob(path, &["runs", "list"]).code(0);
}

#[test]
fn broken_recipes_do_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = folder.path().join("recipes");
    fs::create_dir(&recipes).unwrap();
    let account = |token: &str| {
        format!(
            "{{ connector: highlevel, location: l, base_url: http://127.0.0.1:1, auth: {{ token: \"{token}\" }} }}"
        )
    };
    let workspace =
        format!("connections:\n  lost: {}\n  there: {}\n", account("${NO_SUCH_TOKEN}"), account("t-123456"));
    fs::write(folder.path().join("hob.yaml"), workspace).unwrap();
    let log = "actions:\n  - { do: log, with: { message: hello } }\n";
    let manual = "trigger: { manual: {} }\n";
    fs::write(recipes.join("a.yaml"), format!("name: good\n{manual}{log}")).unwrap();
    fs::write(recipes.join("b.yaml"), format!("name: good\n{manual}{log}")).unwrap();
    fs::write(recipes.join("broken.yaml"), BROKEN).unwrap();
    fs::write(recipes.join("latin.yaml"), b"name: M\xfcller\n").unwrap();
    let polls = "trigger: { poll: contacts.list }\n";
    fs::write(
        recipes.join("unset.yaml"),
        format!("name: unset\nconnections: {{ highlevel: lost }}\n{polls}{log}"),
    )
    .unwrap();
    hob_with(folder.path(), &["trigger", "good", "--event", "-"], "{\"n\": 1}").code(0);
    let strict = hob(folder.path(), &["run", "--once", "--strict"]).code(1);
    assert!(
        strict.errors.contains("4 of 5 recipes cannot run") && strict.output.is_empty(),
        "{}",
        strict.errors
    );
    let ran = hob(folder.path(), &["run", "--once", "--format", "json"]).code(1);
    let summary = ran.json();
    assert_eq!(summary["runs"], json!({ "succeeded": 1 }));
    let left_out: Vec<_> = summary["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["recipe"].as_str(), row["file"].as_str().unwrap()))
        .collect();
    let expected = [
        (Some("good"), "recipes/b.yaml"),
        (Some("x"), "recipes/broken.yaml"),
        (None, "recipes/latin.yaml"),
        (Some("unset"), "recipes/unset.yaml"),
    ];
    assert_eq!(left_out, expected);
    for words in [
        "left out: unset (recipes/unset.yaml): its connection `lost` needs NO_SUCH_TOKEN",
        "broken.yaml:2:18",
        "it is not UTF-8",
    ] {
        assert!(ran.errors.contains(words), "{words}: {}", ran.errors);
    }
    hob(folder.path(), &["validate"]).code(1);
    fs::remove_file(recipes.join("a.yaml")).unwrap();
    fs::remove_file(recipes.join("b.yaml")).unwrap();
    let none = hob(folder.path(), &["run", "--once"]).code(1);
    assert!(none.errors.contains("3 of 3 recipes cannot run") && none.output.is_empty(), "{}", none.errors);
    // Stand-ins need no variables.
    fs::remove_file(recipes.join("broken.yaml")).unwrap();
    fs::remove_file(recipes.join("latin.yaml")).unwrap();
    hob(folder.path(), &["run", "--once", "--sandbox"]).code(0);
}

#[test]
fn json_is_read_alike_wherever_it_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    let recipe = "name: hand\ntrigger: { manual: {} }\nactions:\n  - { do: log, with: { message: hello } }\n";
    fs::write(folder.path().join("recipes/hand.yaml"), recipe).unwrap();
    let utf_16: Vec<u8> =
        "\u{feff}{\"name\":\"Jo\u{e3}o\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (event, expected) in [
        (
            br#"{"text":"see you \uD83D","n":12345678901234567890123}"#.to_vec(),
            json!({ "text": "see you \u{fffd}", "n": "12345678901234567890123" }),
        ),
        (b"\xef\xbb\xbf{\"n\":1e400}".to_vec(), json!({ "n": "1e400" })),
        (utf_16, json!({ "name": "Jo\u{e3}o" })),
    ] {
        fs::write(folder.path().join("event.json"), event).unwrap();
        let triggered = hob(folder.path(), &["trigger", "hand", "--event", "event.json", "--format", "json"])
            .code(0)
            .json();
        let run = triggered["runs"][0].as_str().unwrap();
        let shown = hob(folder.path(), &["runs", "show", run, "--format", "json"]).code(0).json();
        assert_eq!(shown["event"]["payload"], expected, "{shown}");
    }
    fs::write(folder.path().join("event.json"), "{\"n\":NaN}").unwrap();
    hob(folder.path(), &["trigger", "hand", "--event", "event.json"]).code(2);
}

#[test]
fn unset_variables_stop_real_calls_only() {
    let folder = tempfile::tempdir().unwrap();
    hob(folder.path(), &["init"]).code(0);
    let refused = hob(folder.path(), &["call", "contacts.search"]).code(1);
    assert!(
        refused.errors.contains("hob.yaml:11:20") && refused.errors.contains("HIGHLEVEL_TOKEN"),
        "{}",
        refused.errors
    );
    fs::write(folder.path().join(".env"), "HIGHLEVEL_TOKEN=pit-secret-1\nHIGHLEVEL_LOCATION=loc-1\n")
        .unwrap();
    let listed = hob(folder.path(), &["connections", "--format", "json"]).code(0);
    assert_eq!(listed.json()[0]["settings"], json!({ "location": "loc-1" }));
    assert!(!listed.output.contains("pit-secret-1") && !listed.errors.contains("pit-secret-1"));
}

#[test]
fn the_catalog_is_listed_as_scripts_rely_on() {
    let folder = tempfile::tempdir().unwrap();
    let rows = hob(folder.path(), &["catalog", "list", "--format", "json"]).code(0).json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), Catalog::built_in().operations().count());
    let fields: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let wanted = ["id", "title", "connector", "kinds", "method", "path", "version", "scopes", "deprecated"];
    assert_eq!(fields, wanted);
    let pollers = hob(folder.path(), &["catalog", "list", "--kind", "poller", "--format", "json"]).json();
    assert!(
        pollers
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["kinds"].as_array().unwrap().contains(&json!("poller")))
    );
    let shown = hob(folder.path(), &["catalog", "show", "contacts.upsert"]).code(0).output;
    for part in [
        "POST /contacts/upsert",
        "contacts.write",
        "Inputs",
        "**Result**, `$.contact`",
        "A recipe to start from",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_workspaces_own_connector_joins_the_catalog() {
    let folder = tempfile::tempdir().unwrap();
    let connector = folder.path().join("connectors/club");
    fs::create_dir_all(&connector).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    fs::write(connector.join("connector.yaml"), "connector: club\ntitle: Club\nabout: A club.\n").unwrap();
    let operations = "operations:\n  club.members.list:\n    title: List members\n    summary: All members.\n    \
        kinds: [poller, action]\n    method: GET\n    path: /members\n    list: { items: [\"$[*]\"] }\n    effect: read\n";
    fs::write(connector.join("members.yaml"), operations).unwrap();
    let rows = hob(folder.path(), &["catalog", "list", "members", "--connector", "club", "--format", "json"])
        .code(0)
        .json();
    assert_eq!(rows[0]["id"], "club.members.list");
    fs::write(connector.join("members.yaml"), "operations: { x: { titel: y } }\n").unwrap();
    let broken = hob(folder.path(), &["catalog", "list"]).code(1);
    assert!(broken.errors.contains("members.yaml"), "{}", broken.errors);
}

#[test]
fn calls_reach_the_sandbox_and_explain_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let found = hob(path, &["call", "contacts.search", "pageLimit=2", "--sandbox"]).code(0).json();
    assert_eq!(found.as_array().unwrap().len(), 2);
    let id = found[0]["id"].as_str().unwrap().to_owned();
    let input = format!("contactId={id}");
    let tags =
        hob(path, &["call", "contacts.tags.add", &input, "tags=gold, silver", "--sandbox"]).code(0).json();
    assert!(tags.as_array().unwrap().contains(&json!("silver")), "{tags}");
    let raw = hob(path, &["call", "contacts.get", &input, "--raw", "--sandbox"]).code(0).json();
    assert_eq!((&raw["status"], &raw["body"]["contact"]["id"]), (&json!(200), &json!(id)));
    fs::write(path.join("with.json"), format!("{{\"contactId\": \"{id}\"}}")).unwrap();
    hob(path, &["call", "contacts.get", "--with", "@with.json", "--sandbox"]).code(0);
    let missing = hob(path, &["call", "contacts.get", "contactId=nobody", "--sandbox"]).code(1);
    assert!(missing.errors.contains("refused (4"), "{}", missing.errors);
    let wrong = hob(path, &["call", "contacts.upsert", "emial=x@example.com", "--sandbox"]).code(2);
    assert!(wrong.errors.contains("did you mean `email`?"), "{}", wrong.errors);
    hob(path, &["call", "log", "message=x", "--sandbox"]).code(2);
    hob(path, &["call", "contacts.get", "--with", "[1]", "--sandbox"]).code(2);
}

#[test]
fn an_unreachable_api_is_the_worlds_fault() {
    let folder = tempfile::tempdir().unwrap();
    let text = "connections: { a: { connector: highlevel, location: l, base_url: 'http://127.0.0.1:9', auth: { token: t } } }\n";
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    let ended = hob(folder.path(), &["call", "contacts.get", "contactId=x"]).code(3);
    assert!(ended.errors.contains("127.0.0.1"), "{}", ended.errors);
}

#[test]
fn codes_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let shown = hob(folder.path(), &["explain", "maybe-missing"]).code(0).output;
    for part in ["A warning", "actions:", "warning[maybe-missing]", "# hob: allow maybe-missing because"] {
        assert!(shown.lines().any(|line| line.contains(part)), "{part}: {shown}");
    }
    assert!(shown.lines().count() > 10 && !shown.contains("\\n"), "it has its layout: {shown}");
    let row = hob(folder.path(), &["explain", "unknown-step", "--format", "json"]).code(0).json();
    assert_eq!((row["code"].as_str(), row["severity"].as_str()), (Some("unknown-step"), Some("error")));
    assert!(row["output"].as_str().unwrap().contains("error[unknown-step]"), "{row:#}");
    assert!(hob(folder.path(), &["explain"]).code(0).output.contains("bad-allowance"));
    let unknown = hob(folder.path(), &["explain", "unknown-stepp"]).code(2).errors;
    assert!(unknown.contains("did you mean `unknown-step`?"), "{unknown}");
}

#[test]
fn schemas_and_completions_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["recipe", "workspace", "connector"] {
        let schema = hob(folder.path(), &["schema", kind]).code(0).json();
        assert!(schema["$schema"].as_str().unwrap().contains("draft-07"), "{kind}");
    }
    let script = hob(folder.path(), &["completions", "bash"]).code(0).output;
    assert!(script.contains("complete -F _hob"), "{script}");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("hob"))
        .args(["catalog", "list", "--format", "json"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn recipes_are_found_however_their_ending_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("recipes")).unwrap();
    fs::write(path.join("hob.yaml"), "").unwrap();
    for (number, name) in ["one.yaml", "two.yml", "THREE.YAML", "Four.Yml", "not.yaml.txt"].iter().enumerate()
    {
        let text = format!(
            "name: r{number}\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: log, with: {{ message: m }} }}]\n"
        );
        fs::write(path.join("recipes").join(name), text).unwrap();
    }
    assert!(
        hob(path, &["validate"]).code(0).errors.starts_with("5 files, 0 errors"),
        "hob.yaml and four recipes"
    );
    hob(path, &["trigger", "r2"]).code(0);
}

#[cfg(unix)]
#[test]
fn a_pipe_among_the_recipes_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    hob(path, &["init"]).code(0);
    assert!(Command::new("mkfifo").arg(path.join("recipes/x.yaml")).status().unwrap().success());
    let told = hob(path, &["validate"]).code(0).errors;
    assert!(told.contains("x.yaml") && told.contains("a pipe or a device"), "{told}");
    hob(path, &["run", "--sandbox", "--once"]).code(0);
}

#[test]
fn all_mistakes_of_connectors_are_shown_at_once_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (file, text) in [
        ("hob.yaml", ""),
        ("connectors/club/connector.yaml", "connector: club\ntitel: Club\nabout: A club.\n"),
        (
            "connectors/club/members.yaml",
            "operations:\n  club.members.list:\n    title: T\n    summary: S.\n    kinds: [cook]\n    metod: GET\n",
        ),
        ("connectors/shop/Connector.YAML", "connector: shop\ntitle: Shop\nabout: A shop.\nbase_url: [no]\n"),
    ] {
        let file = path.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let places = [
        "connectors/club/connector.yaml:2:1",
        "connectors/club/members.yaml:5:13",
        "connectors/club/members.yaml:6:5",
        "connectors/shop/Connector.YAML:4:11",
    ];
    for command in [&["catalog", "list"][..], &["run", "--once"], &["connections"]] {
        let told = hob(path, command).code(1).errors;
        for place in places {
            assert!(told.contains(&format!("--> {place}")), "{place} is missing in\n{told}");
        }
        assert!(told.contains("did you mean `title`?") && told.contains("metod: GET"), "{told}");
    }
    let validated = hob(path, &["validate"]).code(1).output;
    assert!(places.iter().all(|place| validated.contains(place)), "{validated}");
    let rows = hob(path, &["validate", "--format", "json"]).code(1).json();
    let first = &rows[0];
    assert_eq!(
        (&first["file"], &first["line"]),
        (&json!("connectors/club/connector.yaml"), &json!(2)),
        "{rows}"
    );
}
