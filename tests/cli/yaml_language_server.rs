//! The schemas that `hob init` writes, in the language server that most editors use for YAML.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::language_client::{LanguageClient, address};
use crate::lsp::{RECIPE, has, workspace};

/// The version that is tested.
const VERSION: &str = "1.25.0";

/// The server's program, installed by npm on first use; `None` where that is not possible.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PROGRAM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("yaml-language-server-{VERSION}"));
        let program = folder.join("node_modules/.bin/yaml-language-server");
        if !program.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            let package = format!("yaml-language-server@{VERSION}");
            let arguments = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", ".", &package];
            let installed =
                Command::new("npm").args(arguments).current_dir(&folder).stdout(Stdio::null()).status();
            eprintln!("npm install {package}: {installed:?}");
        }
        program.exists().then_some(program)
    });
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let is_required =
        std::env::var_os("HOB_TEST_YAML_LANGUAGE_SERVER").is_some_and(|value| value == "required");
    assert!(
        found.is_some() || !is_required,
        "yaml-language-server cannot be installed, and HOB_TEST_YAML_LANGUAGE_SERVER says that it must be"
    );
    if found.is_none() {
        eprintln!(
            "SKIPPED: npm cannot install yaml-language-server; the schemas for editors are not tested in it"
        );
    }
    found.as_deref()
}

fn server(program: &Path, folder: &Path, schemas: &Value) -> LanguageClient {
    let mut command = Command::new(program);
    command.arg("--stdio").current_dir(folder);
    let capabilities = json!({
        "textDocument": {
            "completion": { "completionItem": { "snippetSupport": true, "documentationFormat": ["markdown"] } },
            "hover": { "contentFormat": ["markdown"] },
        },
        "workspace": { "configuration": true },
    });
    let yaml = json!({
        "validate": true,
        "hover": true,
        "completion": true,
        "schemaStore": { "enable": false },
        "schemas": schemas,
    });
    LanguageClient::configured(command, folder, capabilities, json!({ "yaml": yaml }))
}

#[test]
fn the_schemas_complete_explain_check_and_mend_recipes() {
    let Some(program) = program() else { return };
    let folder = workspace();
    // A recipe of its own for each question: the server answers about the text that it has checked.
    let path = |name: &str| folder.path().join(format!("recipes/{name}.yaml"));
    let mut editor = server(program, folder.path(), &json!({}));

    let at = editor.open(&path("a"), &format!("{RECIPE}  - do: ‸\n"));
    has(&editor.completions(at), "opportunities.create");
    let at = editor.open(&path("b"), &format!("{RECIPE}  - do: opportunities.create\n    with:\n      ‸\n"));
    has(&editor.completions(at), "pipelineId");
    let at = editor.open(&path("c"), &format!("{RECIPE}  - do: log\n    ‸\n"));
    has(&editor.completions(at), "for_each");

    let at = editor.open(&path("d"), &RECIPE.replace("do: contacts.upsert", "d‸o: contacts.upsert"));
    let hover = editor.request("textDocument/hover", at);
    assert!(hover.to_string().contains("Updates the contact that"), "{hover}");

    editor.open(&path("e"), RECIPE);
    editor.diagnostics(&path("e"), <[Value]>::is_empty);
    let wrong = RECIPE.replace("email:", "emial:").replace("contacts.tags.add", "contacts.tags.ad");
    editor.open(&path("f"), &wrong);
    let told = editor.diagnostics(&path("f"), |told| told.len() > 1);
    let lines: Vec<u64> = told.iter().map(|told| told["range"]["start"]["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [8, 9], "{told:?}");

    let parameters = json!({
        "textDocument": { "uri": address(&path("f")) },
        "range": told[0]["range"],
        "context": { "diagnostics": told },
    });
    let actions = editor.request("textDocument/codeAction", parameters);
    let mended = actions.as_array().unwrap().iter().find(|action| action["title"] == "email");
    let edit = &mended.unwrap_or_else(|| panic!("{actions}"))["edit"]["changes"][address(&path("f"))][0];
    assert_eq!(edit["newText"], "email", "{actions}");
}

#[test]
fn the_settings_of_vs_code_lead_to_the_schemas_without_a_comment() {
    let Some(program) = program() else { return };
    let folder = workspace();
    let settings = std::fs::read_to_string(folder.path().join(".vscode/settings.json")).unwrap();
    let settings: Value = serde_json::from_str(&settings).unwrap();
    let mut editor = server(program, folder.path(), &settings["yaml.schemas"]);
    // The server asks for its settings after the session has begun, and answers without them until then.
    let deadline = Instant::now() + Duration::from_secs(120);
    for number in 0.. {
        let at = editor.open(&folder.path().join(format!("recipes/w{number}.yaml")), "name: a\nt‸\n");
        let labels = editor.completions(at);
        if labels.contains(&"trigger".to_owned()) {
            break;
        }
        assert!(Instant::now() < deadline, "the schemas are not found: {labels:?}");
        std::thread::park_timeout(Duration::from_millis(500));
    }
    for (name, text, wanted) in [
        ("recipes/x.yaml", "name: a\nt‸\n", "trigger"),
        ("recipes/sub/y.yml", "name: a\nt‸\n", "trigger"),
        ("recipes/x.test.yaml", "‸\n", "tests"),
        ("hob.yaml", "‸\n", "connections"),
        ("connectors/club/members.yaml", "operations:\n  club.get:\n    ‸\n", "title"),
    ] {
        let at = editor.open(&folder.path().join(name), text);
        has(&editor.completions(at), wanted);
    }
    let at = editor.open(&folder.path().join("recipes/z.test.yaml"), "‸\n");
    let labels = editor.completions(at);
    assert!(!labels.contains(&"trigger".to_owned()), "tests are no recipes: {labels:?}");
}
