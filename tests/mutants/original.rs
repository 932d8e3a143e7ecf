//! A recipe of the gallery, taken apart for the rules.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use hob::catalog::{Catalog, Input, Operation};
use hob::source::{Data, Node, SourceFile, Span, Spanned, parse};
use regex::Regex;

pub static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::built_in()));

/// A recipe as written.
pub struct Original {
    /// The name of its file, without ending.
    pub name: String,
    pub text: String,
    /// The text of its tests, if there are some.
    pub tests: Option<String>,
    pub tree: Node,
}

/// A step as written.
pub struct Step<'a> {
    pub node: &'a Node,
    pub operation: &'static Operation,
}

/// An entry of a mapping.
pub type Entry = (Spanned<String>, Node);

impl Original {
    /// All recipes of the gallery.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let recipes = paths.iter().filter(|path| !path.to_str().unwrap().ends_with(".test.yaml"));
        recipes.map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let tree = parse(&SourceFile::new(name.as_str(), text.as_str())).node.unwrap();
        // The tests of a sync are tests of the recipes that it stands for.
        let tests = std::fs::read_to_string(path.with_extension("test.yaml")).ok();
        let tests = tests.filter(|_| tree.get("sync").is_none());
        Self { name, text, tests, tree }
    }

    pub fn slice(&self, span: Span) -> &str {
        &self.text[span.range()]
    }

    /// The nodes of its steps.
    pub fn steps(&self) -> Vec<Step<'_>> {
        let Some(Data::List(actions)) = self.tree.get("actions").map(|actions| &actions.value) else {
            return Vec::new();
        };
        let steps = actions.iter().map(|node| {
            let operation = CATALOG.operation(node.get("do").unwrap().as_text().unwrap()).unwrap();
            Step { node, operation: operation.as_ref() }
        });
        steps.collect()
    }

    /// Every value with the input of an operation that it is for.
    pub fn inputs(&self) -> Vec<(&Node, &Entry, Option<Input<'static>>)> {
        let mut inputs = Vec::new();
        for step in self.steps() {
            if let Some(with) = step.node.get("with") {
                let entries = with.as_map().into_iter().flatten();
                inputs.extend(entries.map(|entry| (with, entry, step.operation.input(&entry.0.value))));
            }
        }
        inputs
    }

    /// The places of all scalars.
    pub fn scalars(&self) -> Vec<&Node> {
        let mut found = Vec::new();
        scalars(&self.tree, &mut found);
        found
    }

    /// The places of all expressions, without their braces.
    pub fn expressions(&self) -> Vec<Span> {
        static BRACES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)\{\{(.*?)\}\}").unwrap());
        let of_scalar = |node: &&Node| {
            let start = node.span.start;
            let found = BRACES.captures_iter(self.slice(node.span));
            found
                .map(|found| found.get(1).unwrap())
                .map(|inner| shifted(inner.range(), start))
                .collect::<Vec<_>>()
        };
        self.scalars().iter().flat_map(of_scalar).collect()
    }

    /// The places of the first group of `pattern`, or of all of it, in expressions; not in their quoted texts.
    pub fn in_expressions(&self, pattern: &Regex) -> Vec<Span> {
        let mut found = Vec::new();
        for expression in self.expressions() {
            let text = without_quoted(self.slice(expression));
            for captures in pattern.captures_iter(&text) {
                let place = captures.get(1).or(captures.get(0)).unwrap();
                found.push(shifted(place.range(), expression.start));
            }
        }
        found
    }

    /// The places of quoted texts in expressions, with their quotes.
    pub fn quoted(&self) -> Vec<Span> {
        static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new("'[^']*'").unwrap());
        let expressions = self.expressions().into_iter();
        let found = expressions.flat_map(|expression| {
            let text = self.slice(expression).to_owned();
            let places: Vec<Span> =
                QUOTED.find_iter(&text).map(|found| shifted(found.range(), expression.start)).collect();
            places
        });
        found.collect()
    }
}

fn scalars<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    match &node.value {
        Data::Map(entries) => entries.iter().for_each(|(_, value)| scalars(value, found)),
        Data::List(items) => items.iter().for_each(|item| scalars(item, found)),
        _ => found.push(node),
    }
}

fn shifted(range: Range<usize>, by: usize) -> Span {
    Span::new(range.start + by, range.end + by)
}

/// The text with what is within quotes blanked, at the same places.
fn without_quoted(text: &str) -> String {
    let mut inside = false;
    let blanked = text.bytes().map(|byte| {
        let quote = byte == b'\'';
        inside ^= quote;
        if inside && !quote { b'#' } else { byte }
    });
    String::from_utf8(blanked.collect()).unwrap()
}
