//! The examples of codes that no recipe's text causes: those of hob.yaml, of tests and of runs. They are what
//! `hob explain` shows.

use std::fs;
use std::path::Path;

use super::program::hob;

/// A file of the example of `code`.
fn example(code: &str, extension: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/codes");
    fs::read_to_string(folder.join(code).with_extension(extension)).unwrap()
}

/// What a command tells in a workspace with these files, and how it ends.
fn told(files: &[(&str, &str)], command: &str, code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), "connections: {}\n").unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    hob(folder.path(), &[command]).code(code).output
}

#[test]
fn a_variable_that_is_not_set() {
    let validated = |extension: &str| {
        let text = example("unset-variable", extension);
        told(&[(".env", "FITR_KEY=q8w7e6r5t4z3\n"), ("hob.yaml", &text)], "validate", 0)
    };
    assert_eq!(validated("yaml").trim(), example("unset-variable", "out").trim());
    assert_eq!(validated("mended.yaml").trim(), "");
}

#[test]
fn a_template_that_fails_in_a_run() {
    let test = "tests:\n  - name: without a total\n    event: {}\n    expect: { run: succeeded }\n";
    let tested = |extension: &str, code| {
        let text = example("template-failed", extension);
        told(&[("recipes/greet.yaml", &text), ("recipes/greet.test.yaml", test)], "test", code)
    };
    let output = example("template-failed", "out");
    let failed = tested("yaml", 1);
    assert!(failed.contains(output.trim()), "{failed}");
    assert!(tested("mended.yaml", 0).contains("1 passed"));
}

#[test]
fn a_test_that_fails() {
    let recipe = "name: greet\ntrigger: { manual: {} }\nactions:\n  - do: log\n    with: { message: \"hello {{ event.name }}\" }\n";
    let tested = |extension: &str, code| {
        let text = example("test-failed", extension);
        told(&[("recipes/greet.yaml", recipe), ("recipes/greet.test.yaml", &text)], "test", code)
    };
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n");
    let failed = lines(&tested("yaml", 1));
    assert!(failed.contains(&lines(&example("test-failed", "out"))), "{failed}");
    assert!(tested("mended.yaml", 0).contains("1 passed"));
}
