//! Golden pairs: a recipe and its diagnostics. `HOB_BLESS=1 cargo test --test check` rewrites the `.out` files; a new
//! case is a new `.yaml`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use hob::catalog::Catalog;
use hob::check::{ConnectionInfo, WorkspaceInfo, check, schema, schema_text};
use hob::diagnostic::{Code, Diagnostic, apply, render};
use hob::source::SourceFile;
use proptest::prelude::{Strategy, any, proptest};

#[path = "fuzz/src/lib.rs"]
mod fuzz;

/// Codes that a recipe's text cannot cause: those of runs and of hob.yaml.
const ELSEWHERE: [Code; 3] = [Code::TemplateFailed, Code::TestFailed, Code::UnsetVariable];

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::built_in()));

/// Whether to rewrite the committed outputs.
#[expect(clippy::disallowed_methods, reason = "the one switch of these tests")]
fn blessed() -> bool {
    std::env::var_os("HOB_BLESS").is_some()
}

fn workspace_info() -> WorkspaceInfo {
    let connection = |connector: &str, settings: &[&str]| ConnectionInfo {
        connector: connector.into(),
        settings: settings.iter().map(|name| (*name).to_owned()).collect(),
        version: None,
    };
    WorkspaceInfo {
        known: true,
        connections: [
            ("studio-1".to_owned(), connection("highlevel", &["location"])),
            ("fitr".to_owned(), connection("fitr", &[])),
        ]
        .into_iter()
        .collect(),
        env: vec!["ALERT_URL".into(), "HOOK_SECRET".into()],
        files: Some(("/workspace".into(), vec!["/workspace/attachments".into()])),
        ..WorkspaceInfo::default()
    }
}

/// The workspace requested by a case's first line: a second studio, or one without a location.
fn facts_for(text: &str) -> WorkspaceInfo {
    let mut workspace_info = workspace_info();
    let first = text.lines().next().unwrap_or("");
    if first.contains("two studios") {
        let studio = workspace_info.connections["studio-1"].clone();
        workspace_info.connections.insert("studio-2".into(), studio);
    }
    if first.contains("no location") {
        workspace_info.connections["studio-1"].settings.clear();
    }
    if first.contains("no connections") {
        workspace_info.connections.clear();
    }
    workspace_info
}

/// The diagnostics of `text`, and whether it passes.
fn complaints(file: &SourceFile, workspace_info: &WorkspaceInfo) -> (Vec<Diagnostic>, bool) {
    let checked = check(file, &CATALOG, workspace_info);
    (checked.report.diagnostics, !checked.recipes.is_empty())
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn source(path: &Path) -> SourceFile {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    SourceFile::new(name, fs::read_to_string(path).expect("a case"))
}

/// The cost is linear in the number of mistakes: anything quadratic takes minutes here.
#[test]
fn eight_thousand_mistakes_are_reported_quickly() {
    let all = |line: &dyn Fn(usize) -> String| (0..8000).map(line).collect::<String>();
    let actions = "name: a\ntrigger: { manual: {} }\nactions:\n";
    for text in [
        format!("{actions}{}", all(&|n| format!("  - do: contacts.gett{n}\n"))),
        format!("{actions}{}", all(&|n| format!("  - {{ do: log, wth: {{ message: a{n} }} }}\n"))),
        format!(
            "{actions}{}",
            all(&|n| format!("  - {{ do: log, with: {{ message: '{{{{ steps.x{n}.a }}}}' }} }}\n"))
        ),
        format!(
            "name: a\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: stop }}]\nvars:\n{}",
            all(&|n| format!("  a{n}: '{{{{ vars.b{n} }}}}'\n"))
        ),
        format!(
            "name: a\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: stop }}]\n{}",
            all(&|n| format!("b{n}: 1\n"))
        ),
        format!(
            "name: a\ntrigger: {{ manual: {{}} }}\nactions: [{}]\n",
            all(&|n| format!("{{ do: log, wth: {n} }},"))
        ),
    ] {
        let begun = std::time::Instant::now();
        let file = SourceFile::new("a.yaml", text.as_str());
        let (diagnostics, _) = complaints(&file, &workspace_info());
        let shown = render(&file, &diagnostics, false);
        assert!(shown.contains(" more are not shown") && diagnostics.len() >= 8000, "{}", diagnostics.len());
        assert!(begun.elapsed().as_secs() < 30, "{:?} for {}", begun.elapsed(), &text[..200]);
    }
}

#[test]
fn broken_recipes_get_all_their_diagnostics() {
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    let mut with_several = 0;
    for path in cases("err") {
        let file = source(&path);
        let (diagnostics, _) = complaints(&file, &facts_for(file.text()));
        assert!(!diagnostics.is_empty(), "{}: nothing is wrong with it", path.display());
        with_several += usize::from(diagnostics.len() > 1);
        shown.extend(diagnostics.iter().map(|diagnostic| diagnostic.code.name()));
        let output = render(&file, &diagnostics, false) + "\n";
        let golden = path.with_extension("out");
        if blessed() {
            fs::write(&golden, &output).expect("written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != output {
            wrong.push(format!("{}:\n{output}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "HOB_BLESS=1 rewrites these:\n{}", wrong.join("\n"));
    assert!(with_several >= 10, "only {with_several} cases have two mistakes or more");
    let unshown: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !ELSEWHERE.contains(code))
        .map(|code| code.name())
        .filter(|name| !shown.contains(name))
        .collect();
    assert!(unshown.is_empty(), "no case shows {unshown:?}");
}

/// The text after all safe fixes, round by round; `None` if there are none.
fn mended(path: &Path) -> Option<String> {
    let original = source(path);
    let mut file = original.clone();
    for _ in 0..10 {
        let report = check(&file, &CATALOG, &facts_for(file.text())).report;
        let (text, made) = apply(file.text(), report.safe_fixes());
        if made == 0 {
            break;
        }
        file = SourceFile::new(original.name(), text);
    }
    (file.text() != original.text()).then(|| file.text().to_owned())
}

/// Its recipe causes the code and nothing else, and the mended one nothing at all: what `hob explain` shows. Those of
/// other files are tried with the program.
#[test]
fn each_code_has_an_example_and_a_mended_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/codes");
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().filter(|code| !ELSEWHERE.contains(code)) {
        let file = source(&folder.join(code.name()).with_extension("yaml"));
        let (diagnostics, _) = complaints(&file, &workspace_info());
        let output = render(&file, &diagnostics, false) + "\n";
        if diagnostics.is_empty() || diagnostics.iter().any(|diagnostic| diagnostic.code != *code) {
            wrong.push(format!("{} is the example of another code, too:\n{output}", file.name()));
        }
        let golden = folder.join(code.name()).with_extension("out");
        if blessed() {
            fs::write(&golden, &output).expect("written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != output {
            wrong.push(output);
        }
        let mended = source(&folder.join(code.name()).with_extension("mended.yaml"));
        let (diagnostics, passes) = complaints(&mended, &workspace_info());
        if !passes || !diagnostics.is_empty() {
            wrong.push(render(&mended, &diagnostics, false));
        }
    }
    assert!(wrong.is_empty(), "HOB_BLESS=1 rewrites outputs:\n{}", wrong.join("\n"));
    let names: BTreeSet<String> = cases("codes")
        .iter()
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    let named = |code: &Code| [format!("{}.yaml", code.name()), format!("{}.mended.yaml", code.name())];
    assert_eq!(names, Code::ALL.iter().flat_map(named).collect());
}

#[test]
fn broken_recipes_are_mended_where_that_is_certain() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in cases("err") {
        let golden = path.with_extension("mended");
        let known = fs::read_to_string(&golden).ok();
        let text = mended(&path);
        count += usize::from(text.is_some());
        if blessed() {
            match &text {
                Some(text) => fs::write(&golden, text).expect("written"),
                None => drop(fs::remove_file(&golden)),
            }
        } else if known != text {
            wrong.push(format!("{}:\n{}", path.display(), text.unwrap_or_default()));
        }
    }
    assert!(wrong.is_empty(), "HOB_BLESS=1 rewrites these:\n{}", wrong.join("\n"));
    assert!(count >= 20, "only {count} cases are mended");
}

#[test]
fn valid_recipes_have_no_diagnostics() {
    for path in cases("ok") {
        let file = source(&path);
        let (diagnostics, passes) = complaints(&file, &facts_for(file.text()));
        assert!(diagnostics.is_empty(), "{}", render(&file, &diagnostics, false));
        assert!(passes, "{}", path.display());
    }
}

#[test]
fn the_editor_schema_is_the_committed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/recipe.schema.json");
    let text = schema_text(&CATALOG);
    if blessed() {
        fs::write(&path, &text).expect("written");
    }
    let same = fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(
        same,
        "schemas/recipe.schema.json is not what the code generates: HOB_BLESS=1 cargo test --test check"
    );
}

#[test]
fn the_editor_schema_takes_sound_recipes_and_refuses_broken_structure() {
    let schema = schema(&CATALOG);
    let validator = jsonschema::validator_for(&schema).expect("a schema of draft 7");
    let value = |path: &Path| hob::source::parse(&source(path)).node.expect("a tree").to_value();
    for path in cases("ok") {
        let errors: Vec<String> = validator.iter_errors(&value(&path)).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
    for path in cases("err") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("shape-") {
            assert!(!validator.is_valid(&value(&path)), "{name}");
        }
    }
}

/// Texts close to recipes: a valid one with pieces removed, moved or replaced.
fn near_recipes() -> impl Strategy<Value = String> {
    let sound: Vec<String> =
        cases("ok").iter().chain(&cases("err")).map(|path| source(path).text().to_owned()).collect();
    let odd = proptest::sample::select(vec![
        "{{ ",
        " }}",
        "{%",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "\n",
        "\n  ",
        "- ",
        "|",
        "&a ",
        "*a",
        "é",
        "\u{1f600}",
        "~",
        "0",
        "-1",
        "event",
        "steps.",
        "vars.first",
        "$",
        "do:",
        "with:",
        "<<: ",
        "#",
        "\t",
        "\0",
        "!!str ",
    ]);
    let change = (any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), odd, 0..3u8);
    (proptest::sample::select(sound), proptest::collection::vec(change, 0..6)).prop_map(|(text, changes)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, length, odd, kind) in changes {
            if characters.is_empty() {
                break;
            }
            let start = at.index(characters.len());
            let end = (start + length.index(30)).min(characters.len());
            match kind {
                0 => drop(characters.drain(start..end)),
                1 => drop(characters.splice(start..start, odd.chars()).collect::<Vec<_>>()),
                _ => {
                    let moved: Vec<char> = characters.drain(start..end).collect();
                    let to = length.index(characters.len() + 1);
                    drop(characters.splice(to..to, moved).collect::<Vec<_>>());
                }
            }
        }
        characters.into_iter().collect()
    })
}

fn survives(text: &str) {
    let file = SourceFile::new("any.yaml", text);
    let (diagnostics, passes) = complaints(&file, &workspace_info());
    let refused = diagnostics.iter().any(|d| d.code.severity() == hob::diagnostic::Severity::Error);
    assert_ne!(passes, refused, "{}", render(&file, &diagnostics, false));
    for diagnostic in &diagnostics {
        assert!(diagnostic.span.end <= text.len(), "{diagnostic:?}");
    }
    let fixes: Vec<_> = diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_deref()).collect();
    for edit in fixes.iter().flat_map(|fix| &fix.edits) {
        assert_eq!(text.get(edit.span.range()), Some(edit.replaced.as_str()), "{edit:?}");
    }
    let (_, made) = apply(text, fixes.iter().copied());
    assert_eq!(made > 0, fixes.iter().any(|fix| !fix.edits.is_empty()));
    render(&file, &diagnostics, true);
}

proptest! {
    #[test]
    fn nothing_near_a_recipe_panics(text in near_recipes()) {
        survives(&text);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn no_template_panics(text in "[-a-z0-9_.|(){}%#'\\[\\], \u{e9}]{0,80}", whole in any::<bool>()) {
        let template = if whole { format!("{{{{ {text} }}}}") } else { text };
        let quoted = serde_json::Value::from(template).to_string();
        survives(&format!(
            "name: a\ntrigger: {{ manual: {{}} }}\nwhen: {quoted}\nvars: {{ v: {quoted} }}\nactions:\n  - do: log\n    with: {{ message: {quoted} }}\n    for_each: {quoted}\n    pick: {quoted}\n"
        ));
    }

    #[test]
    fn no_json_panics(value in json()) {
        survives(&value.to_string());
    }
}

/// Bytes close to one of `seeds`.
fn near(seeds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<proptest::sample::Index>(),
        proptest::sample::select(&b"\0{}[]\"'%:,|~/.?#@=&9 \x80\xff\n"[..]),
    );
    (proptest::sample::select(seeds), proptest::collection::vec(change, 0..8)).prop_map(|(seed, changes)| {
        let mut bytes = seed.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes.insert(at.index(bytes.len() + 1), byte);
        }
        bytes
    })
}

// The functions of the fuzz targets, with few cases.
proptest! {
    #[test]
    fn no_webhook_panics(data in near(&[
        "\0\0{\"type\":\"ContactCreate\",\"id\":\"c1\",\"n\":[1.5e3,null,{}]}", "\x03\0a[b][]=1&a%5Bc%5D=%zz&=&x",
        "\x05\0--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nb\r\n--x--", "\x02\x01\x1f",
    ])) {
        fuzz::webhook(&data);
    }

    #[test]
    fn no_template_is_taken_apart_wrongly(data in near(&[
        "https://a.test/{{ event }}/x?q={{ event }}\0../..", "https://a.test/{{ 'a' ~ event | lower }}\0{\"a\":[1]}",
        "{{ ['https://a.test', event, event.a] | join('/') }}", "https://a.test/{% if event %}{{ event }}{% endif %}",
        "{{ 'https://a.test/ID' | replace('ID', event) }}", "{{ 1.10 + event.n }} {{ event['a'] | default(omit) }}",
    ])) {
        fuzz::template(&data);
    }

    #[test]
    fn no_answer_panics(data in near(&[
        "\x05\0{\"contacts\":[{\"id\":\"1\"}],\"meta\":{\"total\":1e30,\"nextPage\":18446744073709551615}}",
        "\x11\x09{\"message\":[\"a\",{\"b\":1}],\"traceId\":[]}", "\x20\0[]", "\x21\x01<html>",
    ]), operation in any::<u8>()) {
        let mut data = data;
        if let Some(first) = data.first_mut() {
            *first = operation;
        }
        fuzz::answer(&data);
    }

    #[test]
    fn no_cron_goes_back(data in near(&["*/5 9-17 * * MON-FRI\0Europe/Berlin", "0 0 29 2 *", "@daily", "5,10 1/2 L * 7"])) {
        fuzz::cron(&data);
    }

    #[test]
    fn no_message_of_an_editor_panics(data in near(&[
        "\x04\x0c- do: contacts.upsert\n  with: { email: \"{{ event.", "\x05\x04- { id: a, do: log }\n- with:\n    \n  do: x",
        "\x03\0{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}", "\x06\x02- do: log\n  with:\n    message: |\n      {{ steps['a",
    ])) {
        fuzz::lsp(&data);
    }

    #[test]
    fn no_path_panics(data in near(&[
        "$.a[?@.b > 1]['c d']", "$..b[-1:0:-1]", "$['a'][*,0,?length(@.b) == 2]", "$.a[?match(@.b, '^[0-9]{1,9}$')].b\0{\"a\":[1]}",
    ])) {
        fuzz::jsonpath(&data);
    }

    #[test]
    fn no_test_file_panics(data in near(&[
        "recipe: a\nnow: 2026-11-28T09:00:00Z\ntests:\n  - name: a\n    event: { id: 1 }\n    stubs: { contacts.upsert: [{ status: 503 }, { result: { id: c1 } }] }\n",
        "tests:\n  - event_sample: true\n    links: { a: { b: c } }\n    cases: [{ name: b, expect: { run: failed, requests: [{ do: log, with: { message: x } }] } }]\n",
    ])) {
        fuzz::tests(&data);
    }

    #[test]
    fn no_bytes_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        for run in [fuzz::webhook, fuzz::yaml, fuzz::template, fuzz::answer, fuzz::cron, fuzz::jsonpath, fuzz::tests] {
            run(&data);
        }
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let key = || {
        proptest::sample::select(vec![
            "name",
            "trigger",
            "poll",
            "webhook",
            "schedule",
            "manual",
            "verify",
            "hmac",
            "actions",
            "do",
            "with",
            "if",
            "for_each",
            "retry",
            "vars",
            "connections",
            "emit",
            "start",
            "cron",
            "x",
        ])
    };
    let leaf = proptest::prop_oneof![
        proptest::strategy::Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        key().prop_map(serde_json::Value::from),
        "[a-z{} .$/]{0,12}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        proptest::prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            proptest::collection::vec((key(), inner), 0..8).prop_map(|entries| {
                entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<serde_json::Value>()
            }),
        ]
    })
}
