//! From the text of a test file to its cases.

use super::case::Case;
use super::schema::schema;
use super::syntax::{File, Test};
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::schema_validation;
use crate::source::{Data, Node, SourceFile, Span, Spanned, parse as parse_yaml, read};

/// The tests of a file.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// The file.
    pub file: SourceFile,
    /// The name of the recipe, if the file states it.
    pub recipe: Option<Spanned<String>>,
    /// The tests, with each case of a table as one.
    pub cases: Vec<Case>,
}

impl TestFile {
    /// The tests for each recipe by themselves, in the order in which they are stated first.
    pub fn by_recipe(self) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        for mut case in self.cases {
            let recipe = case.recipe.take().or_else(|| self.recipe.clone());
            let name = |recipe: &Option<Spanned<String>>| recipe.as_ref().map(|name| name.value.clone());
            match parts.iter_mut().find(|part| name(&part.recipe) == name(&recipe)) {
                Some(part) => part.cases.push(case),
                None => parts.push(Self { file: self.file.clone(), recipe, cases: vec![case] }),
            }
        }
        parts
    }
}

/// Parses `file` and reports all mistakes at once. Never panics.
pub fn parse(file: &SourceFile, catalog: &Catalog) -> (TestFile, Vec<Diagnostic>) {
    let parsed = parse_yaml(file);
    let mut found: Vec<Diagnostic> = parsed.errors.into_iter().map(Diagnostic::from).collect();
    let mut tests = TestFile { file: file.clone(), recipe: None, cases: Vec::new() };
    let Some(node) = parsed.node else {
        if found.is_empty() {
            let place = Span::new(0, file.text().len());
            let message = "the file is empty; it needs `tests`";
            found.push(Diagnostic::new(Code::MissingField, place, message));
        }
        return (tests, found);
    };
    let checked = schema_validation::check(schema(), &node, parsed.incomplete, "a test file");
    found.extend(checked.diagnostics);
    if !found.is_empty() {
        return (tests, found);
    }
    let content: File = match read(&checked.node) {
        Ok(content) => content,
        Err(error) => {
            found.push(unreadable(error, node.span));
            return (tests, found);
        }
    };
    for node in &content.tests {
        for node in with_cases(node, &mut found) {
            match read::<Test>(&node) {
                Ok(test) => tests.cases.extend(Case::new(test, node.span, &content, catalog, &mut found)),
                Err(error) => found.push(unreadable(error, node.span)),
            }
        }
    }
    repeated_names(&tests.cases, &mut found);
    if tests.cases.is_empty() && found.is_empty() {
        found.push(Diagnostic::new(Code::MissingField, node.span, "`tests` is empty"));
    }
    tests.recipe = content.recipe;
    (tests, found)
}

fn unreadable(error: crate::source::ReadError, place: Span) -> Diagnostic {
    Diagnostic::new(Code::WrongType, error.span.unwrap_or(place), error.message)
}

fn repeated_names(cases: &[Case], found: &mut Vec<Diagnostic>) {
    for (at, case) in cases.iter().enumerate() {
        if cases[..at].iter().any(|earlier| earlier.name == case.name) {
            let message = format!("another test is called `{}` already", case.name);
            found.push(Diagnostic::new(Code::DuplicateName, case.span, message));
        }
    }
}

/// The test itself, or one test for each of its cases.
fn with_cases(test: &Node, found: &mut Vec<Diagnostic>) -> Vec<Node> {
    let named = |node: &Node| node.get("name").and_then(|name| name.as_text().map(str::to_owned));
    let Some(name) = named(test) else {
        found.push(Diagnostic::new(Code::MissingField, test.span, "a test needs a `name`"));
        return Vec::new();
    };
    let Some(Data::List(cases)) = test.get("cases").map(|cases| &cases.value) else {
        return vec![test.clone()];
    };
    let mut shared = test.clone();
    if let Data::Map(entries) = &mut shared.value {
        entries.retain(|(key, _)| key.value != "cases");
    }
    let mut tests = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        if let Some((key, _)) = case.entry("cases") {
            let message = "a case has no cases of its own";
            found.push(Diagnostic::new(Code::NotAllowed, key.span, message));
        }
        let mut merged = laid_over(&shared, case, 0);
        merged.span = case.span;
        let own = named(case).unwrap_or_else(|| format!("case {}", at + 1));
        if let Data::Map(entries) = &mut merged.value
            && let Some((_, value)) = entries.iter_mut().find(|(key, _)| key.value == "name")
        {
            value.value = Data::Text(format!("{name}: {own}"));
            value.span = case.get("name").map_or(case.span, |name| name.span);
        }
        tests.push(merged);
    }
    tests
}

/// `over` laid over `base`: mappings field by field, all else replaced. The answers of one operation are replaced as a
/// whole, because a part of each would be an answer of neither.
fn laid_over(base: &Node, over: &Node, depth: usize) -> Node {
    let (Data::Map(below), Data::Map(above)) = (&base.value, &over.value) else { return over.clone() };
    let mut entries = below.clone();
    for (key, value) in above {
        let merged = |there: &Node| match (depth, key.value.as_str()) {
            (0, "stubs") => replaced(there, value),
            _ => laid_over(there, value, depth + 1),
        };
        match entries.iter_mut().find(|(name, _)| name.value == key.value) {
            Some((_, there)) => *there = merged(there),
            None => entries.push((key.clone(), value.clone())),
        }
    }
    Spanned::new(Data::Map(entries), over.span)
}

/// The entries of both mappings; where both have one, that of `over`.
fn replaced(base: &Node, over: &Node) -> Node {
    let (Data::Map(below), Data::Map(above)) = (&base.value, &over.value) else { return over.clone() };
    let kept = below.iter().filter(|(key, _)| above.iter().all(|(name, _)| name.value != key.value));
    Spanned::new(Data::Map(kept.chain(above).cloned().collect()), over.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (TestFile, Vec<Diagnostic>) {
        parse(&SourceFile::new("a.test.yaml", text), &Catalog::built_in())
    }

    #[test]
    fn cases_are_laid_over_their_test() {
        let (file, found) = parsed(
            "tests:\n  - name: t\n    event: { id: 1, email: a }\n    stubs: { contacts.get: { status: 500 } }\n    cases:\n      - { name: one, event: { email: b } }\n      - { stubs: { contacts.get: { result: x } }, expect: { run: failed } }\n",
        );
        assert!(found.is_empty(), "{found:#?}");
        let names: Vec<&str> = file.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["t: one", "t: case 2"]);
        assert_eq!(file.cases[0].event, Some(serde_json::json!({ "id": 1, "email": "b" })));
        assert!(file.cases[1].stubs["contacts.get"].all()[0].status.is_none(), "answers are not mixed");
    }

    #[test]
    fn tests_are_sorted_by_the_recipe_that_they_state() {
        let text = "recipe: a\ntests:\n  - { name: one, event: {} }\n  - { name: two, recipe: b, event: {} }\n  - { name: three, recipe: a, event: {} }\n";
        let (file, found) = parsed(text);
        assert!(found.is_empty(), "{found:#?}");
        let parts = file.by_recipe().into_iter().map(|part| {
            let names: Vec<String> = part.cases.into_iter().map(|case| case.name).collect();
            (part.recipe.unwrap().value, names)
        });
        let wanted = [("a", vec!["one", "three"]), ("b", vec!["two"])];
        let wanted =
            wanted.map(|(recipe, names)| (recipe.to_owned(), names.into_iter().map(str::to_owned).collect()));
        assert_eq!(parts.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn mistakes_have_their_place() {
        let text = "tests:\n  - name: a\n    event: { id: 1 }\n    stubs: { contacts.upserts: { result: 1 } }\n    expect: { requests: [{ do: contacts.upsert, with: { emial: x } }] }\n  - name: b\n    event: {}\n  - event: {}\n  - { name: b, event: {} }\n";
        let (file, found) = parsed(text);
        let places: Vec<(Code, usize)> =
            found.iter().map(|d| (d.code, file.file.position(d.span.start).line)).collect();
        assert_eq!(
            places,
            [
                (Code::UnknownOperation, 4),
                (Code::UnknownParameter, 5),
                (Code::MissingField, 8),
                (Code::DuplicateName, 9)
            ]
        );
        assert!(found[0].help.as_deref().unwrap().contains("contacts.upsert"), "{found:#?}");
    }
}
