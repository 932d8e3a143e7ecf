//! Validates the files of a workspace's connectors: all mistakes at once, with their places.

use crate::catalog::{self, FileKind, form};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::recipe::schema_validation;
use crate::sandbox;
use crate::source::{SourceFile, Span, parse};

/// The mistakes in the files of a connector (path and text) that failed to load with `error`; at least one.
pub(super) fn mistakes(files: &[(String, String)], error: &catalog::Error) -> Vec<Report> {
    let mut reports: Vec<Report> = files.iter().filter_map(|(path, text)| check(path, text)).collect();
    let reported = |reports: &[Report], file: &str| {
        reports.iter().any(|report| report.file.name() == file && report.has_errors())
    };
    let text = |file: &str| files.iter().find(|(path, _)| path == file).map_or("", |(_, text)| text.as_str());
    match error {
        // Errors that the schema does not express, such as an invalid duration.
        catalog::Error::Invalid { file, reason, line } if !reported(&reports, file) => {
            let file = SourceFile::new(file.as_str(), text(file));
            let span = line.map_or(Span::default(), |line| file.line_span(line));
            reports.push(one(file, span, reason.clone()));
        }
        catalog::Error::Invalid { .. } => {}
        catalog::Error::Duplicate { file, id } => {
            let file = SourceFile::new(file.as_str(), text(file));
            let node = parse(&file).node;
            let span = node.as_ref().and_then(|node| Some(node.get("operations")?.entry(id)?.0.span));
            let message = format!("operation `{id}` is described twice; ids are unique in the whole catalog");
            reports.push(one(file, span.unwrap_or_default(), message));
        }
        catalog::Error::NoConnector { folder } => {
            let message = format!("no {} here; a connector's folder needs one", FileKind::Connector);
            reports.push(one(SourceFile::new(folder.as_str(), ""), Span::default(), message));
        }
    }
    reports
}

fn one(file: SourceFile, span: Span, message: String) -> Report {
    Report { file, diagnostics: vec![Diagnostic::new(Code::NotAllowed, span, message)] }
}

/// Structural mistakes in a file, if any.
pub fn check(path: &str, text: &str) -> Option<Report> {
    let kind = FileKind::from_path(path);
    let schema = if kind == FileKind::Sandbox { sandbox::schema() } else { form(kind)? };
    let file = SourceFile::new(path, text);
    let parsed = parse(&file);
    let mut diagnostics: Vec<Diagnostic> = parsed.errors.into_iter().map(Diagnostic::from).collect();
    if let Some(node) = parsed.node {
        diagnostics.extend(
            schema_validation::check(schema, &node, parsed.incomplete, "a connector's file").diagnostics,
        );
        if kind == FileKind::Sandbox {
            sandbox::template_mistakes(&node, &mut diagnostics);
        }
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    (!diagnostics.is_empty()).then_some(Report { file, diagnostics })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::render;

    fn shown(files: &[(&str, &str)]) -> String {
        let files: Vec<(String, String)> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let error = crate::catalog::Catalog::built_in().add_folder("club", files.clone()).unwrap_err();
        let reports = mistakes(&files, &error);
        reports
            .iter()
            .map(|report| render(&report.file, &report.diagnostics, false))
            .collect::<Vec<_>>()
            .join("\n")
    }

    const CONNECTOR: (&str, &str) = ("club/connector.yaml", "connector: club\ntitle: Club\nabout: A club.\n");

    #[test]
    fn every_mistake_of_every_file_has_its_place() {
        let text = shown(&[
            ("club/connector.yaml", "connector: club\ntitel: Club\nabout: [A club.]\n"),
            ("club/a.yaml", "operations:\n  club.a:\n    title: A\n    summary: S.\n    kinds: [cook]\n"),
            (
                "club/b.yaml",
                "operations:\n  club.b: { title: B, summary: S., kinds: [action], methd: GET }\n",
            ),
            ("club/c.yml", "operations: {\n"),
        ]);
        for place in ["connector.yaml:2:1", "connector.yaml:3:8", "a.yaml:5:13", "b.yaml:2:53", "c.yml:"] {
            assert!(text.contains(place), "{place} is missing in:\n{text}");
        }
        assert!(text.contains("did you mean `title`?") && text.contains("did you mean `method`?"), "{text}");
    }

    #[test]
    fn whole_recipe_errors_have_a_place_too() {
        let operation = "operations:\n  contacts.get: { title: B, summary: S., kinds: [action], method: GET, path: /x }\n";
        let text = shown(&[CONNECTOR, ("club/twice.yaml", operation)]);
        assert!(text.contains("twice.yaml:2:3") && text.contains("is described twice"), "{text}");
        let text = shown(&[("club/a.yaml", operation)]);
        assert!(text.contains("no connector.yaml here"), "{text}");
    }

    #[test]
    fn placeholders_name_something_and_nothing_else_looks_like_one() {
        let operations = |create: &str| {
            format!(
                "operations:\n  club.list: {{ title: L, summary: S., kinds: [action], method: GET, path: /x }}\n  \
                 club.add:\n    title: A\n    summary: S.\n    kinds: [action]\n    method: POST\n    path: /x\n    \
                 body: {{ shape: {{ type: object, fields: {{ email: {{ type: string }} }} }} }}\n    {create}\n"
            )
        };
        let probe = |with: &str| {
            operations(&format!(
                "probe:\n      operation: club.list\n      with:\n        {with}\n      match: {{}}"
            ))
        };
        let open = |with: &str| probe(with).replace("type: object,", "type: object, open: true,");
        for (text, place, part) in [
            (
                probe("mail: '{{ emial }}'"),
                "a.yaml:13:1",
                "names no input of this operation; did you mean `email`?",
            ),
            (probe("mail: ['a {{ email']"), "a.yaml:13:1", "`{{` in `a {{ email` is not closed by `}}`"),
            (probe("mail: email"), "a.yaml:13:1", "write `{{ email }}`"),
            (probe("mail: $.email"), "a.yaml:13:1", "write `{{ name }}` for an input"),
            (probe("mail: '{{ $.email }}'"), "a.yaml:13:1", "names no input"),
            (open("number: phone"), "a.yaml:13:1", "write `{{ phone }}`"),
            (
                operations("").replace("path: /x\n", "path: /x/{id}\n"),
                "a.yaml:8:1",
                "`{id}` is no path parameter",
            ),
            (
                operations("").replace("path: /x\n", "path: /x/{id\n"),
                "a.yaml:8:1",
                "`{` in `/x/{id` is not closed",
            ),
        ] {
            let text = shown(&[CONNECTOR, ("club/a.yaml", &text)]);
            assert!(text.contains(place) && text.contains(part), "{place} {part}:\n{text}");
        }
        let events = |with: &str| {
            format!(
                "events:\n  made:\n    title: M\n    id: [$.id]\n    \
                 hydrate:\n      operation: club.list\n      with:\n        {with}\n"
            )
        };
        for (with, part) in [
            ("id: $.id", "write `{{ $.id }}`"),
            ("id: '{{ id }}'", "names no place in the event"),
            ("id: '{{ $.id['", "is not closed by `}}`"),
            ("id: '{{ $.[ }}'", "is no JSONPath"),
        ] {
            let text =
                shown(&[CONNECTOR, ("club/a.yaml", &operations("")), ("club/events.yaml", &events(with))]);
            assert!(text.contains("events.yaml:8:1") && text.contains(part), "{part}:\n{text}");
        }
        let fine = [
            (probe("{ mail: 'x {{email}}', limit: 5, state: open, price: $5 }")),
            (open("{ mail: '{{ phone }}', state: open }")),
        ];
        for text in fine {
            let files =
                [CONNECTOR, ("club/a.yaml", &text)].map(|(path, text)| (path.to_owned(), text.to_owned()));
            crate::catalog::Catalog::default().add_folder("club", files.to_vec()).expect("loads");
        }
    }

    /// Files that load have no mistakes.
    #[test]
    fn the_built_in_connectors_are_without_mistakes() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/connectors");
        let mut checked = 0;
        for connector in std::fs::read_dir(folder).unwrap() {
            for file in std::fs::read_dir(connector.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                if let Some(report) = check(path.to_str().unwrap(), &text) {
                    panic!("{}", render(&report.file, &report.diagnostics, false));
                }
                checked += 1;
            }
        }
        assert!(checked > 20, "{checked} files");
    }
}
