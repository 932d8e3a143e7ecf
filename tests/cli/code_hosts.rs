//! The action for GitHub's workflows, and the hooks for pre-commit.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use regex::Regex;
use serde_json::Value;

use crate::program::hob;

const RECIPE: &str = "name: greet\ntrigger: { manual: {} }\nactions:\n  - { do: contacts.upsert, with: { email: \"{{ event.email }}\" } }\n";
const TEST: &str = "tests:\n  - name: a greeting\n    event: { email: ada@example.com }\n    expect:\n      \
    requests: [{ do: contacts.upsert, with: { email: ada@example.com } }]\n";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

/// A folder with the workspace `studio` in it.
fn checkout(recipe: &str, test: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let recipes = folder.path().join("studio/recipes");
    fs::create_dir_all(&recipes).unwrap();
    let connection =
        "connections:\n  highlevel: { connector: highlevel, location: here, auth: { token: none } }\n";
    fs::write(folder.path().join("studio/hob.yaml"), connection).unwrap();
    fs::write(recipes.join("greet.yaml"), recipe).unwrap();
    if let Some(test) = test {
        fs::write(recipes.join("greet.test.yaml"), test).unwrap();
    }
    folder
}

/// What the action's script does in `folder`.
fn check(folder: &Path, tests: &str, min_coverage: &str) -> (Option<i32>, String) {
    let ended: Output = Command::new(root().join(".github/actions/hob/check.sh"))
        .current_dir(folder)
        .env("HOB", assert_cmd::cargo::cargo_bin!("hob"))
        .envs([("WORKSPACE", "studio"), ("TESTS", tests), ("MIN_COVERAGE", min_coverage)])
        .output()
        .unwrap();
    (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
}

#[test]
fn the_action_shows_mistakes_and_failures_beside_their_lines() {
    let other = &TEST.replace("with: { email: ada", "with: { email: eve");
    let misspelt = &RECIPE.replace("upsert", "upsrt");
    for (recipe, test, tests, min, code, expected) in [
        (RECIPE, Some(TEST), "true", "", 0, "1 test: 1 passed"),
        (RECIPE, Some(TEST), "true", "100", 0, "100 %"),
        (RECIPE, None, "true", "", 0, "::notice title=hob::No recipe has tests"),
        (RECIPE, None, "true", "50", 2, ""),
        (misspelt, Some(TEST), "true", "", 1, "::error file=studio/recipes/greet.yaml,line=4,col="),
        (RECIPE, Some(other), "true", "", 1, "::error file=studio/recipes/greet.test.yaml,line=5,col="),
        (RECIPE, Some(other), "false", "", 0, ""),
    ] {
        let folder = checkout(recipe, test);
        let (ended, output) = check(folder.path(), tests, min);
        assert_eq!(ended, Some(code), "{output}");
        assert!(output.contains(expected), "{output}");
    }
}

#[test]
fn a_failure_names_its_test_and_the_values() {
    let other = TEST.replace("with: { email: ada", "with: { email: eve");
    let folder = checkout(RECIPE, Some(&other));
    let output = hob(folder.path(), &["test", "studio", "--format", "github"]).code(1).output;
    let commands: Vec<&str> = output.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 1, "{output}");
    for part in ["title=test-failed::a greeting: ", "eve@example.com", "ada@example.com"] {
        assert!(commands[0].contains(part), "{part}: {output}");
    }
}

#[test]
fn the_action_uses_the_inputs_that_it_declares() {
    let action = yaml(".github/actions/hob/action.yml");
    let declared: BTreeSet<&str> = action["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
    let text = action["runs"].to_string();
    let names = Regex::new(r"inputs\.([a-z-]+)").unwrap();
    let used: BTreeSet<&str> = names.captures_iter(&text).map(|found| found.extract::<1>().1[0]).collect();
    assert_eq!(declared, used);
    // GitHub requires a shell for each script, and inputs are never part of one.
    for step in action["runs"]["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else { continue };
        assert!(step["shell"] == "bash" && !script.contains("${{"), "{step}");
    }
}

#[test]
fn hooks_for_pre_commit_run_in_a_workspace() {
    let folder = checkout(RECIPE, Some(TEST));
    let hooks = yaml(".pre-commit-hooks.yaml");
    for hook in hooks.as_array().unwrap() {
        let words: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
        let (program, arguments) = words.split_first().unwrap();
        assert_eq!(*program, "hob");
        hob(&folder.path().join("studio"), arguments).code(0);
        let files = Regex::new(hook["files"].as_str().unwrap()).unwrap();
        assert!(files.is_match("studio/recipes/greet.test.yaml"), "{hook}");
    }
}
