//! Parses YAML into a located tree, recovering from errors so that one run shows them all.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::quote::quoted;
use super::scalar::resolve;
use super::{Data, Node, SourceFile, Span, Spanned};

/// Limit of nodes after alias expansion, against alias bombs.
const MAX_NODES: usize = 200_000;
/// Maximum nesting of lists and mappings.
const MAX_DEPTH: usize = 64;
/// Lines skipped or repaired before giving up.
const MAX_REPAIRS: usize = 20;

/// A YAML syntax error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, lower-case, without a final period.
    pub message: String,
    /// The location.
    pub span: Span,
    /// The remedy.
    pub help: Option<String>,
    /// The value, if the cause is that it is a template without quotes.
    pub unquoted: Option<String>,
}

/// The result of parsing.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The tree, as far as it could be built.
    pub node: Option<Node>,
    /// All errors, in the order of the text.
    pub errors: Vec<SyntaxError>,
    /// Whether lines were skipped, so that the tree may lack parts of the text.
    pub incomplete: bool,
}

/// Parses one YAML document. Never panics.
pub fn parse(file: &SourceFile) -> Parsed {
    let mut text = file.text().to_owned();
    let mut parsed = Parsed::default();
    for _ in 0..MAX_REPAIRS {
        let (node, mut errors, failure) = Builder::new(&text).build();
        let Some(failure) = failure else {
            parsed.node = node;
            parsed.errors.append(&mut errors);
            break;
        };
        let line = file.position(failure.span.start).line;
        if let Some((span, repaired)) = quote_template(&text, file, line) {
            parsed.errors.push(unquoted(file, span));
            text = repaired;
            continue;
        }
        let span = file.line_span(line);
        let blank = text[span.range()].trim().is_empty();
        parsed.errors.push(failure);
        parsed.incomplete = true;
        if blank {
            parsed.errors.append(&mut errors);
            break;
        }
        text.replace_range(span.range(), &" ".repeat(span.end - span.start));
    }
    if let Some(node) = &mut parsed.node {
        for error in parsed.errors.iter().filter(|error| error.unquoted.is_some()) {
            restore(node, error.span, file);
        }
    }
    parsed.errors.sort_by_key(|error| error.span);
    parsed.errors.dedup();
    parsed
}

fn unquoted(file: &SourceFile, span: Span) -> SyntaxError {
    let template = file.slice(span).trim_end();
    SyntaxError {
        message: "a value that begins with `{{` needs quotes; YAML takes it for a mapping".into(),
        span: Span::new(span.start, span.start + template.len()),
        help: Some(format!("write {}", quoted(template))),
        unquoted: Some(template.to_owned()),
    }
}

/// Restores the text of a value that was quoted for the parser.
fn restore(node: &mut Node, place: Span, file: &SourceFile) {
    match &mut node.value {
        Data::Text(text) if node.span.start == place.start => {
            file.slice(place).clone_into(text);
            node.span = place;
        }
        Data::List(items) => items.iter_mut().for_each(|item| restore(item, place, file)),
        Data::Map(entries) => entries.iter_mut().for_each(|(_, value)| restore(value, place, file)),
        _ => {}
    }
}

/// If a value on `line` begins with an unquoted `{{`: its span, and the text with the value replaced by a quoted one
/// of the same length, so that other spans stay valid.
fn quote_template(text: &str, file: &SourceFile, line: usize) -> Option<(Span, String)> {
    let whole = file.line_span(line);
    let content = text.get(whole.range())?;
    let at = [": {{", "- {{"].iter().filter_map(|lead| content.find(lead)).min()? + 2;
    let end = content.rfind("}}").map_or(content.len(), |end| end + 2).max(at + 4);
    let value = content.get(at..end)?;
    let inner: String =
        value.get(1..value.len() - 1)?.chars().map(|c| if "\"\\".contains(c) { '\'' } else { c }).collect();
    let mut repaired = text.to_owned();
    let start = whole.start + at;
    let rest = &content[end..];
    // Text after the template belongs to the same value, or it would be a second syntax error.
    let tail = if rest.trim().is_empty() || rest.trim_start().starts_with(['#', ',', '}', ']']) {
        0
    } else {
        rest.len()
    };
    repaired.replace_range(start..whole.start + end + tail, &format!("\"{inner}\"{}", " ".repeat(tail)));
    Some((Span::new(start, whole.start + end + tail), repaired))
}

/// A list or mapping being built.
enum Open {
    List { start: usize, anchor: usize, items: Vec<Node> },
    Map { start: usize, anchor: usize, entries: Vec<(Spanned<String>, Node)>, key: Option<Spanned<String>> },
}

struct Builder<'t> {
    text: &'t str,
    /// Byte offset of each character, because the parser counts characters. Empty for ASCII texts.
    offsets: Vec<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
    errors: Vec<SyntaxError>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        let offsets =
            if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Self {
            text,
            offsets,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            root: None,
            errors: Vec::new(),
        }
    }

    /// The tree, recoverable errors, and the error that ended it.
    fn build(mut self) -> (Option<Node>, Vec<SyntaxError>, Option<SyntaxError>) {
        let mut documents = 0;
        for event in Parser::new_from_str(self.text) {
            let (event, span) = match event {
                Ok((event, span)) => {
                    (event, Span::new(self.byte(span.start.index()), self.byte(span.end.index())))
                }
                Err(error) => {
                    let failure = self.scan_error(&error);
                    return (self.root, self.errors, Some(failure));
                }
            };
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    self.complain(
                        span,
                        "a second document in one file",
                        Some("give it a file of its own".into()),
                    );
                    break;
                }
            }
            if let Err(failure) = self.event(event, span) {
                return (self.root, self.errors, Some(failure));
            }
        }
        (self.root, self.errors, None)
    }

    fn byte(&self, character: usize) -> usize {
        if self.offsets.is_empty() {
            return character.min(self.text.len());
        }
        self.offsets.get(character).copied().unwrap_or(self.text.len())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = matches!(style, ScalarStyle::Plain) && tag.is_none();
                let data = if plain { resolve(&text) } else { Data::Text(text.into_owned()) };
                let span = self.tight(span);
                self.add(Spanned::new(data, span), anchor, 1)
            }
            Event::SequenceStart(anchor, _) => {
                self.enter(Open::List { start: span.start, anchor, items: Vec::new() }, span)
            }
            Event::MappingStart(anchor, _) => {
                self.enter(Open::Map { start: span.start, anchor, entries: Vec::new(), key: None }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(span),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, size)) => {
                    let (data, size) = (node.value.clone(), *size);
                    self.add(Spanned::new(data, span), 0, size)
                }
                None => Err(problem(span, "an alias inside the value it names", None)),
            },
            _ => Ok(()),
        }
    }

    /// The span up to the end of the scalar's text instead of the next token.
    fn tight(&self, span: Span) -> Span {
        let text = self.text.get(span.range()).unwrap_or("");
        Span::new(span.start, span.start + text.trim_end().len())
    }

    fn enter(&mut self, open: Open, span: Span) -> Result<(), SyntaxError> {
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            let help = "keys are plain text; a template as a value needs quotes: \"{{ … }}\"".to_owned();
            return Err(problem(span, "a list or mapping cannot be a key", Some(help)));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(problem(span, &format!("nested deeper than {MAX_DEPTH} levels"), None));
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self, span: Span) -> Result<(), SyntaxError> {
        let (start, anchor, data) = match self.open.pop() {
            Some(Open::List { start, anchor, items }) => (start, anchor, Data::List(items)),
            Some(Open::Map { start, anchor, entries, .. }) => (start, anchor, Data::Map(entries)),
            None => return Ok(()),
        };
        let last = match &data {
            Data::List(items) => items.last().map(|node| node.span.end),
            Data::Map(entries) => entries.last().map(|(_, node)| node.span.end),
            _ => None,
        };
        // The end of a block collection is noticed at the next token, that of a flow collection at its bracket.
        let flow = self.text[start..].starts_with(['{', '[']);
        let end = if flow { span.end } else { last.unwrap_or(span.end) };
        self.add(Spanned::new(data, Span::new(start, end)), anchor, 1)
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), SyntaxError> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return Err(problem(
                node.span,
                "aliases expand to too much",
                Some("write the values out".into()),
            ));
        }
        if anchor > 0 {
            let size = count(&node.value);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            let name = self.key(node)?;
            if let Some(Open::Map { key, .. }) = self.open.last_mut() {
                *key = Some(name);
            }
            return Ok(());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => entries.extend(key.take().map(|key| (key, node))),
        }
        Ok(())
    }

    fn key(&mut self, node: Node) -> Result<Spanned<String>, SyntaxError> {
        let span = node.span;
        let text = match node.value {
            Data::Text(text) => text,
            Data::List(_) | Data::Map(_) => {
                return Err(problem(span, "a list or mapping cannot be a key", None));
            }
            // For keys such as `on:` and `404:`, the source text is the key.
            _ => self.text.get(span.range()).unwrap_or("").to_owned(),
        };
        if text == "<<" {
            self.complain(span, "merge keys are not supported", Some("write the values out".into()));
        }
        let earlier = match self.open.last() {
            Some(Open::Map { entries, .. }) => {
                entries.iter().find(|(key, _)| key.value == text).map(|(key, _)| key.span)
            }
            _ => None,
        };
        if let Some(earlier) = earlier {
            let line = self.text[..earlier.start].matches('\n').count() + 1;
            let help = format!("the first one is on line {line}; keep one of them");
            self.complain(span, &format!("the key `{text}` appears twice"), Some(help));
        }
        Ok(Spanned::new(text, span))
    }

    fn complain(&mut self, span: Span, message: &str, help: Option<String>) {
        self.errors.push(problem(span, message, help));
    }

    fn scan_error(&self, error: &ScanError) -> SyntaxError {
        let at = self.byte(error.marker().index());
        let end = self.text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        let line = self.text[..at].rsplit('\n').next().unwrap_or("");
        let tab = line.contains('\t') && line.trim().is_empty();
        let help = tab.then(|| "indent with spaces; YAML does not take tabs".to_owned());
        problem(Span::new(at, end), &format!("not valid YAML: {}", error.info()), help)
    }
}

fn problem(span: Span, message: &str, help: Option<String>) -> SyntaxError {
    SyntaxError { message: message.to_owned(), span, help, unquoted: None }
}

fn count(data: &Data) -> usize {
    match data {
        Data::List(items) => 1 + items.iter().map(|item| count(item)).sum::<usize>(),
        Data::Map(entries) => 1 + entries.iter().map(|(_, value)| count(value)).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Parsed {
        parse(&SourceFile::new("t.yaml", text))
    }

    #[test]
    fn places_are_in_bytes() {
        let text = "name: ünï\nlist:\n  - a\n  - { b: 'c' }\n";
        let node = parsed(text).node.unwrap();
        let at = |path: &[&str]| &text[node.span_at(path).range()];
        assert_eq!(at(&["name"]), "ünï");
        assert_eq!(at(&["list", "0"]), "a");
        assert_eq!(at(&["list", "1"]), "{ b: 'c' }");
        assert_eq!(at(&["list", "1", "b"]), "'c'");
        assert_eq!(at(&["list"]), "- a\n  - { b: 'c' }");
    }

    #[test]
    fn every_mistake_is_reported_and_the_rest_read() {
        let text = "name: a\nname: b\nwhen: {{ event.x }}\nlist:\n  - {{ event.y | default(\"z\") }}\n<<: 1\nlast: 1\n";
        let parsed = parsed(text);
        let lines: Vec<usize> =
            parsed.errors.iter().map(|e| SourceFile::new("t", text).position(e.span.start).line).collect();
        assert_eq!(lines, [2, 3, 5, 6], "{:#?}", parsed.errors);
        assert_eq!(parsed.errors[1].help.as_deref(), Some("write \"{{ event.x }}\""));
        assert_eq!(parsed.errors[2].help.as_deref(), Some("write '{{ event.y | default(\"z\") }}'"));
        assert!(parsed.node.unwrap().get("last").is_some());
    }

    #[test]
    fn text_beside_an_unquoted_template_is_part_of_the_repair() {
        let parsed = parsed("a: {{ x }} and {{ y }} more\nb: 1\n");
        assert_eq!(parsed.errors.len(), 1, "{:#?}", parsed.errors);
        let node = parsed.node.unwrap();
        assert_eq!(node.get("a").unwrap().as_text(), Some("{{ x }} and {{ y }} more"));
        assert!(node.get("b").is_some());
    }

    #[test]
    fn an_alias_bomb_ends_at_once() {
        let mut text = String::from("a0: &a0 [1,2,3,4,5,6,7,8,9]\n");
        for level in 1..40 {
            let below = level - 1;
            text.push_str(&format!("a{level}: &a{level} [*a{below},*a{below},*a{below},*a{below},*a{below},*a{below},*a{below}]\n"));
        }
        let parsed = parsed(&text);
        assert!(parsed.errors.iter().any(|error| error.message.contains("aliases expand")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z:{}\\[\\]&*!|>'\"%@`#,\\- \n\t\u{e9}\u{1f600}]{0,120}") {
            let file = SourceFile::new("t", text.as_str());
            for error in parse(&file).errors {
                prop_assert!(error.span.start <= text.len());
            }
        }

        #[test]
        fn any_bytes_as_text_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            parse(&SourceFile::new("t", text));
        }
    }
}
