//! Diagnostics for people: the source line with a caret, as compilers show it.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::printable;
use crate::source::SourceFile;

/// The most diagnostics shown per file; the others are only counted.
pub const MAX_SHOWN: usize = 100;
/// Most characters of a message or file name.
const MAX_LENGTH: usize = 4_000;
/// Most characters shown after the location.
const MAX_AFTER: usize = 300;

/// Renders the diagnostics of one file in the order of the text: the first hundred, and the number of the others.
pub fn render(file: &SourceFile, diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.span);
    let mut shown: Vec<String> =
        sorted.iter().take(MAX_SHOWN).map(|diagnostic| one(file, diagnostic, &renderer)).collect();
    if sorted.len() > MAX_SHOWN {
        shown.push(format!(
            "{}: {} more are not shown; mend these first",
            file.name(),
            sorted.len() - MAX_SHOWN
        ));
    }
    shown.join("\n\n")
}

fn one(file: &SourceFile, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.code.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let (text, line, span) = excerpt(file.text(), visible(file.text(), diagnostic));
    let line = file.position(line).line;
    let mut annotation = AnnotationKind::Primary.span(span);
    // The renderer itself escapes the source, whose columns it must know.
    if let Some(label) = &diagnostic.label {
        annotation = annotation.label(printable::lines(label));
    }
    let name = printable::line(file.name(), MAX_LENGTH);
    let message = shortened(&diagnostic.message);
    let snippet = Snippet::source(text).line_start(line).path(&name).annotation(annotation);
    let mut group = level.primary_title(&*message).id(diagnostic.code.name()).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(shortened(help)));
    }
    renderer.render(&[group])
}

/// The printable text, cut if very long.
fn shortened(text: &str) -> String {
    let text = printable::lines(text);
    match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// The line of `span`, its offset, and the span within it. A long line is cut, because a whole file may be one line.
fn excerpt(text: &str, span: std::ops::Range<usize>) -> (&str, usize, std::ops::Range<usize>) {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[span.end..];
    let end = rest.find('\n').unwrap_or(rest.len());
    let end = rest.char_indices().map(|(at, _)| at).nth(MAX_AFTER).map_or(end, |most| end.min(most));
    (&text[start..span.end + end], start, span.start - start..span.end - start)
}

/// The first line of the span, on character boundaries, so that a caret never covers half a file.
fn visible(text: &str, diagnostic: &Diagnostic) -> std::ops::Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(diagnostic.span.start);
    let end = boundary(diagnostic.span.end).max(start);
    let line_end = text[start..end].find('\n').map_or(end, |at| start + at);
    start..line_end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::source::Span;

    #[test]
    fn shows_place_code_and_advice() {
        let file = SourceFile::new("recipes/a.yaml", "name: a\ndo: contact.get\n");
        let diagnostic =
            Diagnostic::new(Code::UnknownOperation, Span::new(12, 23), "no operation `contact.get`")
                .suggest("contact.get", ["contacts.get"]);
        let shown = render(&file, &[diagnostic], false);
        assert!(shown.contains("recipes/a.yaml:2:5"), "{shown}");
        assert!(shown.contains("^^^^^^^^^^^"), "{shown}");
        assert!(shown.contains("error[unknown-operation]: no operation `contact.get`"), "{shown}");
        assert!(shown.contains("help: did you mean `contacts.get`?"), "{shown}");
    }

    #[test]
    fn only_the_first_hundred_are_shown() {
        let file = SourceFile::new("a.yaml", "x\n".repeat(300));
        let found: Vec<Diagnostic> =
            (0..300).map(|n| Diagnostic::new(Code::Syntax, Span::new(2 * n, 2 * n + 1), "odd")).collect();
        let shown = render(&file, &found, false);
        assert_eq!(shown.matches("odd").count(), 100);
        assert!(shown.ends_with("a.yaml: 200 more are not shown; mend these first"), "{shown}");
    }

    #[test]
    fn a_span_beyond_the_text_is_shown_at_its_end() {
        let file = SourceFile::new("a.yaml", "é");
        let diagnostic = Diagnostic::new(Code::Syntax, Span::new(1, 99), "odd");
        assert!(render(&file, &[diagnostic], false).contains("odd"));
    }
}
