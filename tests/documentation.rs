//! Tests of the documents: recipes and workspaces are checked, command lines must parse, those marked `<!-- runs -->`
//! are run, and committed schemas match the types.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assert_cmd::Command;
use clap::Parser;
use hob::catalog::Catalog;
use hob::check::{WorkspaceInfo, check};
use hob::cli::Cli;
use hob::reference::snippets;
use hob::server::{FAMILIES, Kind};
use hob::source::SourceFile;

/// Documents with code in them.
const DOCUMENTS: [&str; 4] =
    ["README.md", "CONTRIBUTING.md", "examples/quickstart/README.md", "examples/own-connector/README.md"];

/// Guides whose other code is tested elsewhere: only their command lines are parsed.
const GUIDES: [&str; 8] = [
    "docs/alerts.md",
    "docs/connectors.md",
    "docs/editors.md",
    "docs/operate.md",
    "docs/plan.md",
    "docs/security.md",
    "docs/sync.md",
    "docs/webhooks.md",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A fenced block.
#[derive(Clone)]
struct Block {
    place: String,
    language: String,
    text: String,
    /// Whether it is marked to be run.
    runs: bool,
}

fn blocks() -> Vec<Block> {
    DOCUMENTS
        .iter()
        .flat_map(|name| blocks_of(name, &fs::read_to_string(root().join(name)).unwrap()))
        .collect()
}

fn blocks_of(name: &str, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut open, mut before) = (false, "");
    for (number, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push(Block {
                    place: format!("{name}:{}", number + 1),
                    language: language.to_owned(),
                    text: String::new(),
                    runs: before == "<!-- runs -->",
                });
            }
            None if open => {
                let block = blocks.last_mut().expect("a block was opened");
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => before = line,
        }
    }
    blocks
}

/// The rendered diagnostics of a recipe or of tests, including warnings.
fn complaints(name: &str, text: &str, catalog: &Arc<Catalog>) -> String {
    if is_tests(text) {
        let file = SourceFile::new(name, text);
        let (_, diagnostics) = hob::recipe_test::parse(&file, catalog);
        return hob::diagnostic::Report { file, diagnostics }.to_string();
    }
    check(&SourceFile::new(name, text), catalog, &WorkspaceInfo::none()).report.to_string()
}

/// Whether a text is a file of tests, rather than a recipe.
fn is_tests(text: &str) -> bool {
    text.starts_with("tests:") || text.contains("\ntests:")
}

#[test]
fn recipes_and_workspaces_in_documents_are_right() {
    let catalog = Arc::new(Catalog::built_in());
    let folder = tempfile::tempdir().unwrap();
    let mut tried = 0;
    let guide = |name: &str| blocks_of(name, &fs::read_to_string(root().join(name)).unwrap());
    let syncs = guide("docs/sync.md").into_iter().filter(|block| block.text.contains("\nsync:"));
    let alerts = guide("docs/alerts.md").into_iter();
    let telemetry = guide("docs/telemetry/README.md").into_iter();
    // The recipes that alerts name.
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let named =
        "name: clients-to-contacts\ntrigger: { manual: {} }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(folder.path().join("recipes/clients-to-contacts.yaml"), named).unwrap();
    for block in alerts.clone().filter(|block| block.text.contains("\ntrigger:")) {
        fs::write(folder.path().join("recipes/tell-the-team.yaml"), block.text).unwrap();
    }
    let tests = guide("docs/testing.md").into_iter().filter(|block| is_tests(&block.text));
    for block in blocks()
        .into_iter()
        .chain(syncs)
        .chain(tests)
        .chain(alerts)
        .chain(telemetry)
        .filter(|block| block.language == "yaml")
    {
        let is_recipe = block.text.contains("\ntrigger:") || block.text.contains("\nsync:");
        if is_recipe || is_tests(&block.text) {
            let wrong = complaints(&block.place, &block.text, &catalog);
            assert!(wrong.is_empty(), "{wrong}");
            tried += 1;
        } else if ["connections:", "store:", "history:", "loops:", "alerts:", "telemetry:"]
            .iter()
            .any(|field| block.text.starts_with(field))
        {
            fs::write(folder.path().join("hob.yaml"), &block.text).unwrap();
            let output =
                hob().arg("validate").current_dir(folder.path()).assert().success().get_output().clone();
            let shown = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(!shown.contains("error"), "{}: {shown}", block.place);
            tried += 1;
        } else {
            assert!(block.text.starts_with('#'), "{}: neither a recipe nor a workspace", block.place);
        }
    }
    assert!(tried >= 3, "the documents have recipes and a workspace");
}

#[test]
fn command_lines_in_documents_parse() {
    let mut tried = 0;
    let guides =
        GUIDES.iter().flat_map(|name| blocks_of(name, &fs::read_to_string(root().join(name)).unwrap()));
    for block in blocks().into_iter().chain(guides).filter(|block| block.language == "console") {
        for words in command_lines(&block) {
            if words.first().is_some_and(|word| word == "hob") {
                let parsed = Cli::try_parse_from(&words);
                assert!(parsed.is_ok(), "{}: {words:?}: {}", block.place, parsed.unwrap_err());
                tried += 1;
            }
        }
    }
    assert!(tried >= 15, "the documents show commands, {tried} were found");
}

#[test]
fn marked_blocks_run() {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("examples/quickstart"), &folder.path().join("examples/quickstart"));
    let mut tried = 0;
    for block in blocks().iter().filter(|block| block.runs) {
        for words in command_lines(block) {
            let output = hob().args(&words[1..]).current_dir(folder.path()).output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {words:?}: {errors}", block.place);
            tried += 1;
        }
    }
    assert!(tried >= 5, "the documents have commands to run, {tried} were found");
}

/// The lines after `$`, as words. `cargo run … --` stands for the program.
fn command_lines(block: &Block) -> Vec<Vec<String>> {
    let lines = block.text.lines().filter_map(|line| line.strip_prefix("$ "));
    let words = lines.map(|line| {
        let line = line.split("  # ").next().unwrap_or(line);
        let line = line
            .strip_prefix("cargo run --release -- ")
            .map_or(line.to_owned(), |rest| format!("hob {rest}"));
        line.split_whitespace().map(str::to_owned).collect()
    });
    words.collect()
}

/// Names of metrics in a text.
fn metric_names(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let names = words.filter(|word| word.starts_with("hob_") || word.starts_with("process_"));
    names.map(str::to_owned).collect()
}

#[test]
fn dashboard_and_alert_rules_name_metrics_that_exist() {
    let read = |name: &str| fs::read_to_string(root().join("docs/telemetry").join(name)).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&read("grafana-dashboard.json")).unwrap();
    let rules: serde_yaml::Value = serde_yaml::from_str(&read("alert-rules.yaml")).unwrap();
    let mut expressions: Vec<String> = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let targets = panel["targets"].as_array().unwrap().iter();
        expressions.extend(targets.map(|target| target["expr"].as_str().unwrap().to_owned()));
    }
    let rules = rules["groups"][0]["rules"].as_sequence().unwrap();
    expressions.extend(rules.iter().map(|rule| rule["expr"].as_str().unwrap().to_owned()));
    assert!(expressions.len() >= 30, "{}", expressions.len());
    for expression in expressions {
        let names = metric_names(&expression);
        assert!(!names.is_empty() || expression.starts_with("up"), "{expression}");
        for name in names {
            let family = FAMILIES.iter().find(|family| match family.kind {
                Kind::Histogram => name.strip_suffix("_bucket") == Some(family.name),
                _ => name == family.name,
            });
            assert!(family.is_some(), "no metric `{name}` in {expression}");
        }
    }
}

fn hob() -> Command {
    let mut command = Command::cargo_bin("hob").unwrap();
    command.env_clear();
    command
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            // A developer's own store is not part of the example.
            if !path.ends_with("state") {
                copy(&path, &target);
            }
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
fn the_gallery_is_right() {
    let catalog = Arc::new(Catalog::built_in());
    let mut tried = 0;
    for entry in fs::read_dir(root().join("recipes")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let wrong = complaints(&path.display().to_string(), &text, &catalog);
        assert!(wrong.is_empty(), "{wrong}");
        assert!(text.starts_with("# yaml-language-server: $schema="), "{}", path.display());
        assert!(is_tests(&text) || text.contains("\ndescription: "), "{}", path.display());
        tried += 1;
    }
    assert!(tried >= 6);
}

#[test]
fn the_quickstart_is_right_without_an_environment() {
    let output = hob().args(["validate", "examples/quickstart"]).current_dir(root()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let told = String::from_utf8_lossy(&output.stderr);
    // The cost of its polls is reported, too.
    assert!(told.ends_with("\n6 files, 0 errors\n") && !told.contains("warning"), "{told}");
}

#[test]
fn every_snippet_of_the_catalog_is_right() {
    let catalog = Arc::new(Catalog::built_in());
    let mut wrong = Vec::new();
    for operation in catalog.operations() {
        for text in snippets(operation) {
            let found = complaints(&operation.id, &text, &catalog);
            let advised = operation.deprecated && found.matches("warning[deprecated]").count() == 1;
            if !found.is_empty() && !advised {
                wrong.push(found);
            }
        }
    }
    assert!(wrong.is_empty(), "{} snippets are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
fn committed_schemas_are_what_the_types_say() {
    let schemas = [
        ("workspace", hob::workspace::schema()),
        ("connector", hob::catalog::schema()),
        ("test", hob::recipe_test::schema()),
    ];
    for (name, schema) in schemas {
        let path = root().join(format!("schemas/{name}.schema.json"));
        let text = format!("{schema:#}\n");
        if std::env::var_os("HOB_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{name} has changed: HOB_BLESS=1 cargo test --test documentation");
    }
}

#[test]
fn documents_for_contributors_name_files_that_exist() {
    for document in ["CONTRIBUTING.md", "docs/architecture.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let folders = ["src/", "tests/", "docs/", "schemas/", "benches/", "recipes/", "examples/"];
        let quoted = text.split('`').skip(1).step_by(2);
        let named = quoted.filter(|name| folders.iter().any(|folder| name.starts_with(folder)));
        let paths: Vec<&str> = named.filter(|name| !name.contains([' ', '*'])).collect();
        assert!(paths.len() > 10, "{document} names only {} files", paths.len());
        let missing: Vec<&&str> =
            paths.iter().filter(|path| !path.contains("NAME") && !root().join(path).exists()).collect();
        assert!(missing.is_empty(), "{document} names what does not exist: {missing:?}");
    }
}

/// A threat without a test is only a claim.
#[test]
fn the_tests_of_the_threat_model_exist() {
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let table = text.split("## Threats").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    assert!(rows.len() >= 20, "only {} rows", rows.len());
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        collect(&root().join(folder), &mut sources);
    }
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, tried, stopped, shown] = cells[..] else { panic!("four cells: {row}") };
        assert!(!tried.is_empty() && !stopped.is_empty(), "{row}");
        let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test shows it: {row}");
        for test in tests {
            let after = sources.split(&format!("fn {test}(")).nth(1);
            assert!(after.is_some_and(|rest| rest.starts_with(')')), "no test is called `{test}`");
            let before = sources.split(&format!("fn {test}(")).next().unwrap();
            let attribute = before.rsplit("#[").next().unwrap();
            assert!(
                attribute.starts_with("test]") || attribute.starts_with("tokio::test"),
                "`{test}` is no test"
            );
        }
    }
}

/// All Rust below `folder`.
fn collect(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            collect(&entry, sources);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(entry).unwrap());
        }
    }
}
