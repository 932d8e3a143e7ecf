//! Weak webhook keys: reported before anything runs, and never accepted.

use std::fs;
use std::path::Path;

use crate::listening::{Listening, listen};
use crate::pause_resume::post;
use crate::program::hob;

/// A recipe at `/name` with this verification.
fn write(folder: &Path, name: &str, verify: &str) {
    let text = format!(
        "name: {name}\ntrigger:\n  webhook: /{name}\n  verify: {verify}\nactions: [{{ do: log, with: {{ message: m }} }}]\n"
    );
    fs::write(folder.join(format!("recipes/{name}.yaml")), text).unwrap();
}

fn workspace(hob_yaml: &str, dotenv: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), hob_yaml).unwrap();
    fs::write(folder.path().join(".env"), dotenv).unwrap();
    folder
}

#[test]
fn weak_keys_are_reported_and_their_paths_reject_requests() {
    let weak = "0100000000000000000000000000000000000000000000000000000000000080";
    let folder = workspace(
        "env: [GOOD, UNSET, BLANK, LITERAL, WEAK]\n",
        &format!("GOOD=good-secret-1\nBLANK=' '\nLITERAL='${{GOOD}}'\nWEAK={weak}\n"),
    );
    let path = folder.path();
    let header = |key: &str| format!("{{ header: {{ name: X-Key, value: \"{key}\" }} }}");
    write(path, "good", &header("{{ env.GOOD }}"));
    write(path, "open", "none");
    write(path, "unset", &header("{{ env.UNSET }}"));
    write(path, "half", &header("{{ env.UNSET | default('') }}"));
    write(path, "blank", "{ hmac: { header: X-Sig, secret: \"{{ env.BLANK }}\" } }");
    write(path, "literal", &header("{{ env.LITERAL }}"));
    write(path, "weak", "{ ed25519: { header: X-Sig, key: \"{{ env.WEAK }}\" } }");
    let told = hob(path, &["validate"]).code(1);
    for (place, word) in [
        ("unset.yaml:4:47", "`UNSET` is not set"),
        ("half.yaml:4:47", "`UNSET` is not set"),
        ("blank.yaml:4:48", "`BLANK` is blank"),
        ("literal.yaml:4:43", "the key holds `${GOOD}`"),
        ("weak.yaml:4:44", "low order"),
    ] {
        assert!(
            told.output.contains(place) && told.output.contains(word),
            "{place} {word}:\n{}",
            told.output
        );
    }
    assert!(told.errors.contains("5 errors"), "{}", told.errors);
    assert!(!told.output.contains("good.yaml") && !told.output.contains("open.yaml"), "{}", told.output);
    let strict = hob(path, &["run", "--strict", "--listen", "127.0.0.1:0"]).code(1);
    assert!(strict.errors.contains("5 of 7 recipes cannot run"), "{}", strict.errors);

    let Listening { mut child, address } = listen(path);
    assert_eq!(post(&address, "/webhooks/open", "{}"), 200);
    assert_eq!(post(&address, "/webhooks/good", "{}"), 401);
    for refused in ["unset", "half", "blank", "literal", "weak"] {
        assert_eq!(post(&address, &format!("/webhooks/{refused}"), "{}"), 429, "{refused}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Keys of an app's own events: those in hob.yaml and in a connector's folder.
#[test]
fn keys_of_apps_are_looked_at_too() {
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let settings = |signature: &str| {
        format!("server:\n  webhooks:\n    highlevel:\n      signatures:\n        - {signature}\n")
    };
    for (signature, word) in [
        (format!("{{ header: X-Sig, algorithm: ed25519, key: {weak} }}"), "low order"),
        (format!("{{ header: \"X Sig\", algorithm: ed25519, key: {weak} }}"), "not the name of a header"),
        ("{ header: X-Sig, algorithm: rsa_sha256, key: s3cr3t }".to_owned(), "proves nothing"),
        ("{ header: X-Sig, algorithm: ed25519, key: \"\" }".to_owned(), "proves nothing"),
    ] {
        let folder = workspace(&settings(&signature), "");
        let told = hob(folder.path(), &["validate"]).code(1).output;
        assert!(told.contains("hob.yaml:5:11") && told.contains(word), "{signature}: {told}");
    }
    // If one is unset, its app rejects requests; the others run.
    let account =
        "connections: { studio: { connector: highlevel, location: l-1, auth: { token: pit-1234 } } }\n";
    let unset = settings("{ header: X-Sig, algorithm: ed25519, key: \"${APP_KEY}\" }");
    let folder = workspace(&format!("{unset}{account}"), "");
    let path = folder.path();
    write(path, "open", "none");
    let events = "name: app\ntrigger: { webhook: highlevel.ContactCreate }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(path.join("recipes/app.yaml"), events).unwrap();
    let told = hob(path, &["validate"]).code(0).output;
    assert!(told.contains("hob.yaml:5:53") && told.contains("`APP_KEY` is not set"), "{told}");
    let Listening { mut child, address } = listen(path);
    assert_eq!(post(&address, "/webhooks/open", "{}"), 200);
    assert_eq!(post(&address, "/webhooks/highlevel", "{\"type\": \"ContactCreate\"}"), 429);
    child.kill().unwrap();
    child.wait().unwrap();

    let folder = workspace("", "");
    let connector = folder.path().join("connectors/club");
    fs::create_dir_all(&connector).unwrap();
    let text = format!(
        "connector: club\ntitle: Club\nabout: A club.\nwebhooks:\n  type: $.type\n  signatures:\n    - {{ header: X-Sig, algorithm: ed25519, key: {weak} }}\n"
    );
    fs::write(connector.join("connector.yaml"), text).unwrap();
    let told = hob(folder.path(), &["validate"]).code(1).output;
    assert!(told.contains("connector.yaml:7:1") && told.contains("low order"), "{told}");
}
