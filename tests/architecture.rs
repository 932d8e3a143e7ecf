//! Automated rules of the code: which module may use which, where SQL, the environment and operation ids may be, and
//! the maximum length of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hob::catalog::Catalog;

/// Modules from the bottom up, each with those it may use, including what these use; every module may also use the
/// modules of `OPEN` above its row.
const LAYERS: &[(&str, &[&str])] = &[
    ("printable", &[]),
    ("source", &[]),
    ("diagnostic", &["source"]),
    ("secret", &[]),
    ("private", &[]),
    ("operator", &[]),
    ("value", &[]),
    ("template", &[]),
    ("catalog", &[]),
    ("import", &["catalog"]),
    ("recipe", &["template"]),
    ("sync", &["recipe", "catalog", "template"]),
    ("check", &["sync", "recipe", "catalog", "template"]),
    ("reference", &["recipe", "check", "template", "catalog"]),
    ("clock", &[]),
    ("event", &["clock"]),
    ("run", &["check", "template", "event"]),
    ("connection", &["catalog", "clock", "event", "private"]),
    ("request", &["catalog", "connection"]),
    ("journal", &["run", "event", "clock", "private"]),
    ("overview", &["check", "recipe", "catalog", "event", "run", "connection", "journal"]),
    ("intervention", &["check", "run", "journal"]),
    ("services", &["connection", "request", "journal", "clock"]),
    ("trigger", &["check", "event", "services"]),
    ("audit", &["trigger", "run", "services"]),
    ("plan", &["check", "event", "connection", "trigger"]),
    ("engine", &["check", "run", "services"]),
    ("server", &["check", "event", "run", "services", "trigger", "engine"]),
    ("sandbox", &["catalog", "clock"]),
    ("workspace", &["connection", "catalog", "recipe", "sandbox", "check", "operator"]),
    ("alert", &["overview", "services", "trigger", "engine", "workspace"]),
    (
        "dashboard",
        &[
            "alert",
            "overview",
            "intervention",
            "recipe",
            "check",
            "catalog",
            "reference",
            "event",
            "run",
            "services",
            "trigger",
            "engine",
            "server",
            "workspace",
            "operator",
        ],
    ),
    ("telemetry", &["overview", "services", "engine", "workspace"]),
    ("replay", &["check", "run", "journal"]),
    ("recipe_test", &["check", "run", "services", "trigger", "engine", "sandbox", "workspace"]),
    ("lsp", &["workspace", "check", "reference", "recipe_test", "trigger", "clock"]),
    ("cli", &["*"]),
];

/// Modules that every later row may use.
const OPEN: &[&str] = &["printable", "source", "diagnostic", "secret", "value"];

/// Modules of the language: no async, files, network or clock.
const PURE: &[&str] = &[
    "printable",
    "source",
    "diagnostic",
    "secret",
    "value",
    "template",
    "recipe",
    "sync",
    "check",
    "reference",
    "event",
    "run",
];

/// Maximum number of code lines in a file, without blank lines, comments and tests.
const MAX_LINES: usize = 400;

/// A file of `src/`.
struct Source {
    path: PathBuf,
    /// Module path: `["journal", "sqlite"]` for `src/journal/sqlite.rs`.
    module: Vec<String>,
    /// The text without tests and comments.
    code: String,
}

impl Source {
    fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    // Tests in separate files.
    let tests = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "tests");
    files.retain(|path| !path.ends_with("tests.rs") && !path.ends_with("testing.rs") && !tests(path));
    files.into_iter().map(|path| read(&root, path)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn read(root: &Path, path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).expect("sources are UTF-8");
    let inside = path.strip_prefix(root).expect("below src").with_extension("");
    let mut module: Vec<String> =
        inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    let code = text[..tests].lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.fold(String::new(), |code, line| code + line + "\n");
    Source { path, module, code }
}

/// Top-level modules used by the code of `source`, through `crate::` or `super::`.
fn uses(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in source.code.match_indices("crate::") {
        let before = source.code[..at].chars().next_back();
        if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':') {
            heads(&source.code[at + "crate::".len()..], &mut found);
        }
    }
    // As many `super` as the module is deep lead to the crate root; the module's own file counts as its parent.
    let way = "super::".repeat(source.module.len());
    for (at, _) in source.code.match_indices(&way) {
        let before = &source.code[..at];
        if !way.is_empty() && !before.ends_with("super::") && !before.ends_with("crate::") {
            heads(&source.code[at + way.len()..], &mut found);
        }
    }
    let known: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    found.retain(|name| known.contains(name.as_str()) && name != source.top());
    found
}

/// The first names of a path, or of each path in a group.
fn heads(rest: &str, found: &mut BTreeSet<String>) {
    let Some(group) = rest.strip_prefix('{') else {
        found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        return;
    };
    let mut depth = 0;
    let mut fresh = true;
    let mut name = String::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && (c.is_alphanumeric() || c == '_') => name.push(c),
            _ if !name.is_empty() => {
                found.insert(std::mem::take(&mut name));
                fresh = false;
            }
            _ => {}
        }
    }
    if !name.is_empty() {
        found.insert(name);
    }
}

#[test]
fn modules_use_only_those_above_them() {
    let allowed = reach();
    let rows: BTreeMap<&str, usize> =
        LAYERS.iter().enumerate().map(|(row, (name, _))| (*name, row)).collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let top = source.top();
        if matches!(top, "lib" | "main") {
            continue;
        }
        let Some(&row) = rows.get(top) else {
            wrong.push(format!("src/{top} is not in the table of layers"));
            continue;
        };
        for used in uses(&source) {
            let any = LAYERS[row].1 == ["*"];
            let open = OPEN.contains(&used.as_str()) && rows[used.as_str()] < row;
            if !any && !open && !allowed[top].contains(used.as_str()) {
                wrong.push(format!("{}: `{top}` may not use `{used}`", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The modules that each module may use, transitively.
fn reach() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, uses) in LAYERS {
        let mut all: BTreeSet<&str> = uses.iter().copied().collect();
        for used in *uses {
            all.extend(reach.get(used).into_iter().flatten());
        }
        reach.insert(name, all);
    }
    reach
}

#[test]
fn files_do_not_import_each_other_in_a_loop() {
    let found = loops(&sources());
    assert!(found.is_empty(), "move what they share into a file below them:\n{found:#?}");
}

/// Groups of files within one top-level module with an import cycle, one per line. A name re-exported by a `mod.rs`
/// counts as an import of the defining file.
fn loops(sources: &[Source]) -> Vec<String> {
    let exports: BTreeMap<&[String], BTreeMap<String, Vec<String>>> =
        sources.iter().map(|source| (source.module.as_slice(), exports(source))).collect();
    let graph: BTreeMap<&[String], BTreeSet<&[String]>> =
        sources.iter().map(|source| (source.module.as_slice(), imports(source, &exports))).collect();
    let reached: BTreeMap<&[String], BTreeSet<&[String]>> =
        graph.keys().map(|&file| (file, reachable(file, &graph))).collect();
    let mut found = BTreeSet::new();
    for (&file, reaches) in reached.iter().filter(|(file, reaches)| reaches.contains(**file)) {
        let members = reaches.iter().filter(|other| reached[**other].contains(file));
        found.insert(members.map(|member| member.join("/")).collect::<Vec<_>>().join(" "));
    }
    found.into_iter().collect()
}

/// The files that `from` imports, directly or indirectly.
fn reachable<'a>(
    from: &'a [String],
    graph: &BTreeMap<&'a [String], BTreeSet<&'a [String]>>,
) -> BTreeSet<&'a [String]> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        open.extend(graph[file].iter().filter(|next| reached.insert(**next)));
    }
    reached
}

type Exports<'a> = BTreeMap<&'a [String], BTreeMap<String, Vec<String>>>;

/// Other files of its top-level module that the code of `source` imports.
fn imports<'a>(source: &Source, exports: &Exports<'a>) -> BTreeSet<&'a [String]> {
    let is_export = |line: &str| line.trim_start().starts_with("pub") && line.contains(" use ");
    let code: Vec<&str> = statements(&source.code).filter(|statement| !is_export(statement)).collect();
    let mut paths = Vec::new();
    for statement in code {
        for (at, head) in
            ["crate::", "super::", "self::"].iter().flat_map(|head| statement.match_indices(head))
        {
            let before = statement[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let (mut base, mut rest) = match head {
                "crate::" => (Vec::new(), &statement[at + head.len()..]),
                "super::" => (parent(&source.module), &statement[at + head.len()..]),
                _ => (source.module.clone(), &statement[at + head.len()..]),
            };
            while let Some(further) = rest.strip_prefix("super::") {
                (base, rest) = (parent(&base), further);
            }
            paths.extend(tree(rest).into_iter().map(|path| [base.clone(), path].concat()));
        }
        // A module file uses its children without a prefix.
        for (at, _) in statement.match_indices("::") {
            let name = |c: char| c.is_alphanumeric() || c == '_';
            let before = &statement[..at];
            let child = &before[before.rfind(|c| !name(c)).map_or(0, |last| last + 1)..];
            let path = [source.module.clone(), vec![child.to_owned()]].concat();
            let is_head = !before[..before.len() - child.len()].ends_with("::");
            if is_head && exports.contains_key(path.as_slice()) {
                paths
                    .extend(tree(&statement[at + 2..]).into_iter().map(|rest| [path.clone(), rest].concat()));
            }
        }
    }
    let files = paths.iter().filter_map(|path| defining_file(path, exports, 0));
    files.filter(|file| file[..] != source.module[..] && file[0] == source.module[0]).collect()
}

/// The re-exports of `source`: name and origin.
fn exports(source: &Source) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for statement in statements(&source.code).filter(|statement| statement.trim_start().starts_with("pub")) {
        let Some((_, used)) = statement.split_once(" use ") else { continue };
        for path in tree(used.trim_start()) {
            let full = match path.first().map(String::as_str) {
                Some("crate") => path[1..].to_vec(),
                Some("super") => [parent(&source.module), path[1..].to_vec()].concat(),
                _ => [source.module.clone(), path].concat(),
            };
            if let Some(name) = full.last() {
                found.insert(name.clone(), full.clone());
            }
        }
    }
    found
}

/// The file that defines `path`.
fn defining_file<'a>(path: &[String], exports: &Exports<'a>, depth: usize) -> Option<&'a [String]> {
    let known = (1..=path.len()).rev().find_map(|length| exports.get_key_value(&path[..length]));
    let (&file, names) = known?;
    match path.get(file.len()).and_then(|name| names.get(name)) {
        Some(full) if depth < 8 => {
            let further = [full.clone(), path[file.len() + 1..].to_vec()].concat();
            defining_file(&further, exports, depth + 1).or(Some(file))
        }
        _ => Some(file),
    }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Approximate statements: text up to a semicolon outside the braces of a `use`.
fn statements(code: &str) -> impl Iterator<Item = &str> {
    code.split(';')
}

/// The paths of a use tree: `a::{b, c::D}` is `a::b` and `a::c::D`.
fn tree(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' | ',' if depth == 0 => {
                    paths.extend(tree(&group[start..at]));
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return paths;
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match (name, rest.strip_prefix("::")) {
        ("", _) => vec![Vec::new()],
        ("self", Some(rest)) => tree(rest),
        ("self", None) => vec![vec![]],
        (name, Some(rest)) => {
            tree(rest).into_iter().map(|path| [vec![name.to_owned()], path].concat()).collect()
        }
        (name, None) => vec![vec![name.to_owned()]],
    }
}

#[test]
fn loops_are_seen_through_groups_and_re_exports() {
    let file = |module: &str, code: &str| Source {
        path: PathBuf::from("x.rs"),
        module: module.split('/').map(str::to_owned).collect(),
        code: code.into(),
    };
    let sources = [
        file("m", "mod a;\nmod b;\nmod c;\npub use a::A;\npub use b::{B, other};"),
        file("m/a", "use super::{B, c::C};\nfn f() {}"),
        file("m/b", "fn f() -> crate::m::A { todo() }"),
        file("m/c", "use crate::n::N;"),
        file("n", "use crate::m::c;\npub struct N;"),
    ];
    assert_eq!(loops(&sources), ["m/a m/b"]);
}

#[test]
fn triggers_and_engine_never_meet() {
    let reach = reach();
    assert!(!reach["trigger"].contains("engine") && !reach["engine"].contains("trigger"));
    assert!(!reach["journal"].contains("request"), "the journal sends nothing");
    assert!(!reach["check"].contains("clock"), "checking knows no time");
}

#[test]
fn the_table_has_no_way_up() {
    for (row, (name, uses)) in LAYERS.iter().enumerate() {
        let above: BTreeSet<&str> = LAYERS[..row].iter().map(|(name, _)| *name).collect();
        for used in uses.iter().filter(|used| **used != "*") {
            assert!(above.contains(used), "`{name}` uses `{used}`, which does not stand above it");
        }
    }
}

#[test]
fn only_main_reads_the_environment() {
    let wrong = naming(&["std::env", "env::var"], |source| source.top() == "main");
    assert!(wrong.is_empty(), "read it in main.rs and hand it in:\n{}", wrong.join("\n"));
}

#[test]
fn sql_stays_in_the_journal() {
    let words = [
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "PRAGMA ",
        "rusqlite",
        "tokio_postgres",
    ];
    let wrong = naming(&words, |source| source.top() == "journal");
    assert!(wrong.is_empty(), "ask the journal instead:\n{}", wrong.join("\n"));
}

#[test]
fn the_language_is_pure() {
    let words = ["async fn", "tokio::", "reqwest::", "std::fs", "std::net", "crate::clock", "rusqlite"];
    let wrong = naming(&words, |source| !PURE.contains(&source.top()));
    assert!(wrong.is_empty(), "no async, files, network or clock here:\n{}", wrong.join("\n"));
}

#[test]
fn no_operation_is_named_in_rust() {
    let catalog = Catalog::built_in();
    let ids: Vec<String> = catalog
        .operations()
        .filter(|operation| operation.id.contains('.'))
        .map(|operation| format!("\"{}\"", operation.id))
        .collect();
    assert!(!ids.is_empty());
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut wrong = naming(&ids, |_| false);
    // Examples in the reference are documentation.
    wrong.retain(|line| !line.contains("schemars("));
    assert!(wrong.is_empty(), "operations are data, in schemas/connectors/:\n{}", wrong.join("\n"));
}

/// A module file declares, documents and re-exports; code is in other files.
#[test]
fn module_files_hold_no_logic() {
    let is_module = |source: &&Source| source.path.ends_with("mod.rs");
    let logic = ["fn ", "impl ", "impl<", "struct ", "enum ", "trait "];
    let is_logic = |line: &str| {
        let words = line.trim_start().trim_start_matches("pub ").trim_start_matches("async ");
        logic.iter().any(|word| words.starts_with(word))
    };
    let sources = sources();
    let wrong = sources.iter().filter(is_module).flat_map(|source| {
        let lines = source.code.lines().filter(|line| is_logic(line));
        lines.map(|line| format!("{}: {}", source.path.display(), line.trim()))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "move it to a file beside the module file:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_imported_by_a_glob() {
    let wrong = naming(&["::*;", "::*}", "::*,"], |_| false);
    assert!(wrong.is_empty(), "name what is used:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source, source.code.lines().filter(|line| !line.trim().is_empty()).count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(source, lines)| format!("{}: {lines} lines of code", source.path.display()))
        .collect();
    assert!(long.is_empty(), "split what is several concepts:\n{}", long.join("\n"));
}

/// Lines of code that contain one of `words`, in files other than the excepted ones.
fn naming(words: &[&str], except: impl Fn(&Source) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !except(source)) {
        for line in source.code.lines() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{}: {word}: {}", source.path.display(), line.trim()));
            }
        }
    }
    found
}

#[test]
fn the_scanner_sees_groups_and_supers() {
    let file = |module: &[&str], code: &str| Source {
        path: PathBuf::from("x.rs"),
        module: module.iter().map(|part| (*part).to_owned()).collect(),
        code: code.into(),
    };
    let group =
        uses(&file(&["cli"], "use crate::{journal::{Error, Lease}, run};\nfn f(_: crate::event::Event) {}"));
    assert_eq!(group.into_iter().collect::<Vec<_>>(), ["event", "journal", "run"]);
    let upward = uses(&file(&["run", "entry"], "use super::super::engine::Engine;\nuse super::RunState;"));
    assert_eq!(upward.into_iter().collect::<Vec<_>>(), ["engine"]);
}
