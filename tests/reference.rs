//! The reference matches the program's data: `HOB_BLESS=1 cargo test --test reference` rewrites `docs/reference/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use hob::catalog::{AuthScheme, Catalog};
use hob::check::{WorkspaceInfo, check};
use hob::cli::ExitCode;
use hob::diagnostic::Code;
use hob::reference::{Example, Metric, Metrics, Page, Sources, operation, pages};
use hob::sandbox::{Options, Sandbox};
use hob::server::{FAMILIES, Family, MAX_COMBINATIONS, OTHER};
use hob::source::SourceFile;
use serde_json::{Value, json};

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);
static PAGES: LazyLock<Vec<Page>> = LazyLock::new(all);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("docs/reference")
}

fn all() -> Vec<Page> {
    let codes: Vec<(u8, &str)> = ExitCode::ALL.iter().map(|code| (code.number(), code.meaning())).collect();
    let metrics: Vec<Metric> = FAMILIES
        .iter()
        .map(|family| {
            let Family { name, kind, labels, help, .. } = *family;
            let labels = labels.iter().map(|label| label.name()).collect();
            Metric { name, kind: kind.name(), labels, help }
        })
        .collect();
    pages(&Sources {
        catalog: &CATALOG,
        workspace: hob::workspace::schema(),
        sandbox: hob::sandbox::schema(),
        examples: &examples(),
        exit_codes: &codes,
        metrics: Metrics { families: &metrics, most_names: MAX_COMBINATIONS, other: OTHER },
    })
}

/// The examples of the codes, which other tests try.
fn examples() -> Vec<Example> {
    let folder = root().join("tests/check/codes");
    let example = |code: &Code| {
        let read = |extension: &str| {
            let path = folder.join(code.name()).with_extension(extension);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Example { code: *code, text: read("yaml"), output: read("out"), mended: read("mended.yaml") }
    };
    Code::ALL.iter().map(example).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn committed_pages_are_what_the_data_says() {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let bless = std::env::var_os("HOB_BLESS").is_some();
    let wanted: BTreeMap<PathBuf, &str> =
        PAGES.iter().map(|page| (folder().join(&page.path), page.text.as_str())).collect();
    assert_eq!(wanted.len(), PAGES.len(), "two pages have one path");
    let mut wrong = Vec::new();
    for (path, text) in &wanted {
        if bless {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        } else if fs::read_to_string(path).unwrap_or_default() != **text {
            wrong.push(format!("{} has changed", path.display()));
        }
    }
    for stray in files_below(&folder()).into_iter().filter(|path| !wanted.contains_key(path)) {
        if bless {
            fs::remove_file(&stray).unwrap();
        } else {
            wrong.push(format!("{} is no page of the reference", stray.display()));
        }
    }
    assert!(wrong.is_empty(), "HOB_BLESS=1 cargo test --test reference rewrites:\n{}", wrong.join("\n"));
}

/// Anchors of a page, as named by code hosts.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut anchors: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        let heading = line.trim_start_matches('#');
        if !fenced && heading.len() < line.len() && heading.starts_with(' ') {
            let kept = heading.trim().to_lowercase();
            let kept = kept.replace(|c: char| !c.is_alphanumeric() && !matches!(c, ' ' | '-' | '_'), "");
            anchors.push(kept.replace(' ', "-"));
        }
    }
    anchors
}

/// Targets of the links outside fenced blocks.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut links = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if !fenced {
            links.extend(
                line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned),
            );
        }
    }
    links
}

#[test]
fn links_lead_somewhere() {
    let pages: BTreeMap<PathBuf, &str> =
        PAGES.iter().map(|page| (folder().join(&page.path), page.text.as_str())).collect();
    let mut count = 0;
    let mut wrong = Vec::new();
    for (path, text) in &pages {
        for link in links(text).into_iter().filter(|link| !link.starts_with("http")) {
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                file => clean(&path.parent().unwrap().join(file)),
            };
            let found = match pages.get(&target) {
                Some(text) => anchor.is_empty() || anchors(text).iter().filter(|a| *a == anchor).count() == 1,
                None => anchor.is_empty() && target.exists() && !target.starts_with(folder()),
            };
            if !found {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere, or to two places:\n{}", wrong.join("\n"));
    assert!(count > CATALOG.ids().count(), "every operation is linked from the top of its page");
}

/// Without `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

#[test]
fn nothing_is_left_out() {
    let text: String = PAGES.iter().map(|page| page.text.as_str()).collect();
    for known in CATALOG.operations() {
        assert!(text.contains(&operation(known, &CATALOG)), "{} has no section", known.id);
    }
    for connector in CATALOG.connectors() {
        for name in connector.events.keys() {
            assert!(text.contains(&format!("webhook: {}.{name}\n", connector.connector)), "{name}");
        }
    }
    for code in Code::ALL {
        assert!(text.contains(&format!("\n## {}\n", code.name())), "{}", code.name());
    }
    let specs = [hob::template::filters(), hob::template::functions(), hob::template::tests()];
    for spec in specs.into_iter().flatten() {
        assert!(text.contains(&format!("\n### {}\n\n`{}`\n", spec.name, spec.signature)), "{}", spec.name);
    }
    assert!(PAGES.iter().all(|page| page.text.starts_with("<!-- Generated")));
}

/// Every field of `schema` with examples.
fn with_examples<'a>(node: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    match node {
        Value::Object(map) => {
            for (name, field) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if field.get("examples").is_some() {
                    found.push((name.clone(), field));
                }
            }
            map.values().for_each(|inner| with_examples(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| with_examples(inner, found)),
        _ => {}
    }
}

#[test]
fn examples_of_fields_are_what_the_field_takes() {
    let schemas = [hob::recipe::schema(), hob::workspace::schema(), hob::catalog::schema()];
    let mut tried = 0;
    for schema in schemas {
        let mut fields = Vec::new();
        with_examples(schema, &mut fields);
        for (name, field) in fields {
            let whole = json!({ "definitions": schema["definitions"], "allOf": [field] });
            for example in field["examples"].as_array().unwrap() {
                assert!(jsonschema::is_valid(&whole, example), "{name}: {example}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 30, "{tried} examples");
}

#[test]
fn connector_files_are_what_their_schema_says() {
    let validator = jsonschema::validator_for(hob::catalog::schema()).unwrap();
    let other = BTreeSet::from(["overlay.yaml", "sandbox.yaml"]);
    let mut files = files_below(&root().join("schemas/connectors"));
    files.extend(files_below(&root().join("examples/own-connector/connectors")));
    files.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".yaml") && !other.contains(name.as_ref())
    });
    assert!(files.len() > 40);
    let mut wrong = Vec::new();
    for path in files {
        let file: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let complaints = validator.iter_errors(&file).take(3);
        wrong.extend(
            complaints.map(|error| format!("{}: {}: {error}", path.display(), error.instance_path())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The workspace's catalog, as the program reads it.
fn example_catalog() -> Catalog {
    let mut catalog = Catalog::built_in();
    let folder = root().join("examples/own-connector/connectors/classbook");
    let files = files_below(&folder);
    let read = |path: &PathBuf| (path.display().to_string(), fs::read_to_string(path).unwrap());
    catalog.add_folder("classbook", files.iter().map(read).collect()).unwrap();
    catalog
}

#[test]
fn the_own_connector_loads_and_its_recipe_is_right() {
    let catalog = Arc::new(example_catalog());
    let text =
        fs::read_to_string(root().join("examples/own-connector/recipes/members-to-contacts.yaml")).unwrap();
    let file = SourceFile::new("members-to-contacts.yaml", text);
    let report = check(&file, &catalog, &WorkspaceInfo::none()).report;
    assert!(report.diagnostics.is_empty(), "{report}");
    let pages = pages(&Sources {
        catalog: &catalog,
        workspace: hob::workspace::schema(),
        sandbox: hob::sandbox::schema(),
        examples: &[],
        exit_codes: &[],
        metrics: Metrics::default(),
    });
    assert!(pages.iter().any(|page| page.path == "connectors/classbook/members.md"));
}

#[test]
fn the_own_connector_has_a_stand_in() {
    let text =
        fs::read_to_string(root().join("examples/own-connector/connectors/classbook/sandbox.yaml")).unwrap();
    let scripts = [("classbook".to_owned(), text)].into_iter().collect();
    let sandbox =
        Sandbox::new(Arc::new(example_catalog()), Options { scripts, ..Options::default() }).unwrap();
    assert_eq!(sandbox.counts("classbook")["members"], 3);
}

#[test]
fn the_guide_quotes_the_example() {
    let guide = fs::read_to_string(root().join("docs/connectors.md")).unwrap();
    let files: Vec<String> = files_below(&root().join("examples/own-connector"))
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let blocks: Vec<&str> =
        guide.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 10);
    for block in blocks {
        assert!(files.iter().any(|file| file.contains(block)), "in no file of the example:\n{block}");
    }
    let schemes: Vec<&str> = guide.split("```yaml auth\n").skip(1).collect();
    assert!(schemes.len() >= 3);
    for scheme in schemes.iter().map(|rest| rest.split("```").next().unwrap()) {
        let read = serde_yaml::from_str::<Vec<AuthScheme>>(scheme);
        assert!(read.is_ok(), "no auth scheme ({}):\n{scheme}", read.unwrap_err());
    }
    for link in links(&guide).into_iter().filter(|link| !link.starts_with("http")) {
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = clean(&root().join("docs").join(file));
        let page = PAGES.iter().find(|page| folder().join(&page.path) == target);
        let found = match page {
            Some(page) => anchor.is_empty() || anchors(&page.text).iter().any(|known| known == anchor),
            None => anchor.is_empty() && target.exists(),
        };
        assert!(found, "docs/connectors.md: {link}");
    }
}
