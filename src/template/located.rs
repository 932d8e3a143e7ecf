//! Templates with spans.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::error::Error;
use super::origin::Sources;
use super::parse::Template;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::source::{Data, Node, SourceFile, Span, Spanned, quoted};
use crate::value::address::Origin;
use crate::value::{Map, Value};

/// A template with its span.
#[derive(Clone)]
pub struct LocatedTemplate {
    /// The template.
    pub template: Template,
    /// The span of the whole value, including its quotes.
    pub span: Span,
    file: SourceFile,
}

/// A template error with its span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct LocatedError {
    /// The error.
    pub error: Error,
    /// Its span.
    pub span: Span,
}

impl LocatedTemplate {
    /// Parses the text of `node`. Numbers, flags and null are taken as written.
    pub fn parse(node: &Node, file: &SourceFile) -> Result<Self, Diagnostic> {
        match &node.value {
            Data::Text(text) => Self::parse_text(text, node.span, file),
            Data::List(_) | Data::Map(_) => {
                Err(Diagnostic::new(Code::WrongType, node.span, "expected text, found a list or mapping"))
            }
            scalar => Self::parse_text(&scalar.to_value().to_string(), node.span, file),
        }
    }

    /// Parses `text`, the value of the scalar at `span`.
    pub fn parse_text(text: &str, span: Span, file: &SourceFile) -> Result<Self, Diagnostic> {
        match Template::parse(text) {
            Ok(template) => Ok(Self { template, span, file: file.clone() }),
            Err(error) => {
                let within = Span::new(error.range.start, error.range.end);
                let mut diagnostic = Diagnostic::new(
                    Code::TemplateSyntax,
                    file.span_within(span, text, within),
                    error.message,
                );
                diagnostic.help = error.help;
                let edit = error.mended.and_then(|(range, mended)| edit(file, span, text, range, &mended));
                Err(diagnostic
                    .fix(edit.map(|edit| Fix::new("write it in the language of recipes", vec![edit]))))
            }
        }
    }

    /// The span of a range of the template's text.
    pub fn place(&self, range: Range<usize>) -> Span {
        self.file.span_within(self.span, self.template.text(), Span::new(range.start, range.end))
    }

    /// The edit that replaces a range of the text, in the quotes in which it stands; `None` where it cannot be told
    /// apart from the layout of the file.
    pub fn edit(&self, range: Range<usize>, replacement: &str) -> Option<Edit> {
        edit(&self.file, self.span, self.text(), range, replacement)
    }

    /// The edit that writes `word` instead of the value, without quotes.
    pub fn unquoted(&self, word: &str) -> Option<Edit> {
        Some(Edit { replacement: word.to_owned(), ..self.rewritten(word)? })
    }

    /// The edit that gives the value another text, if it stands in one line.
    pub fn rewritten(&self, text: &str) -> Option<Edit> {
        let raw = self.file.slice(self.span);
        let is_line = !raw.contains('\n') && !raw.starts_with(['|', '>']);
        let replacement = match raw.starts_with('\'') && !text.contains('\'') {
            true => format!("'{text}'"),
            false => quoted(text),
        };
        is_line.then(|| Edit { span: self.span, replaced: raw.to_owned(), replacement })
    }

    /// The value.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, LocatedError> {
        self.template.evaluate(scope).map_err(|error| self.locate(error))
    }

    /// The value, shared with the scope if the template is only a path.
    pub fn evaluate_shared(&self, scope: &Scope) -> Result<Arc<Value>, LocatedError> {
        self.template.evaluate_shared(scope).map_err(|error| self.locate(error))
    }

    /// The value, or `None` for `omit`.
    pub fn evaluate_input(&self, scope: &Scope) -> Result<Option<Value>, LocatedError> {
        self.template.evaluate_input(scope).map_err(|error| self.locate(error))
    }

    /// Whether the condition is true.
    pub fn holds(&self, scope: &Scope) -> Result<bool, LocatedError> {
        self.template.holds(scope).map_err(|error| self.locate(error))
    }

    /// Adds the span of `error`.
    pub fn locate(&self, error: Error) -> LocatedError {
        let span = error.range.clone().map_or(self.span, |range| self.place(range));
        LocatedError { error, span }
    }
}

/// The edit that replaces `range` of `text`, the value of the scalar at `scalar`.
fn edit(file: &SourceFile, scalar: Span, text: &str, range: Range<usize>, replacement: &str) -> Option<Edit> {
    let replaced = text.get(range.clone())?.to_owned();
    let span = file.span_within(scalar, text, Span::new(range.start, range.end));
    let raw = file.slice(scalar);
    let replacement = match raw.chars().next() {
        Some('\'') => replacement.replace('\'', "''"),
        Some('"') => replacement.replace('\\', "\\\\").replace('"', "\\\""),
        Some('|' | '>') => replacement.to_owned(),
        _ if replacement.contains([':', '#', ',', '[', ']', '{', '}']) => return None,
        _ => replacement.to_owned(),
    };
    (file.slice(span) == replaced && !replaced.is_empty() && !replacement.contains('\n')).then_some(Edit {
        span,
        replaced,
        replacement,
    })
}

impl Deref for LocatedTemplate {
    type Target = Template;

    fn deref(&self) -> &Template {
        &self.template
    }
}

/// Equality ignores spans.
impl PartialEq for LocatedTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.template == other.template
    }
}

impl Eq for LocatedTemplate {}

impl fmt::Debug for LocatedTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocatedTemplate").field("text", &self.text()).field("span", &self.span).finish()
    }
}

/// A YAML value in which any text may be a template. Keys are literal.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateTree {
    /// Its span.
    pub span: Span,
    /// Its content.
    pub shape: TreeShape,
}

/// The content of a `TemplateTree`.
#[derive(Debug, Clone, PartialEq)]
pub enum TreeShape {
    /// A number, a flag or null.
    Fixed(Value),
    /// Text, with or without expressions.
    Text(LocatedTemplate),
    /// A list.
    List(Vec<TemplateTree>),
    /// A mapping, in the order of the file.
    Map(Vec<(Spanned<String>, TemplateTree)>),
}

impl TemplateTree {
    /// Parses `node`; reports all mistakes at once.
    pub fn parse(node: &Node, file: &SourceFile) -> Result<Self, Vec<Diagnostic>> {
        let mut mistakes = Vec::new();
        let tree = Self::build(node, file, &mut mistakes);
        if mistakes.is_empty() { Ok(tree) } else { Err(mistakes) }
    }

    fn build(node: &Node, file: &SourceFile, mistakes: &mut Vec<Diagnostic>) -> Self {
        let shape = match &node.value {
            Data::Text(text) => match LocatedTemplate::parse_text(text, node.span, file) {
                Ok(template) => TreeShape::Text(template),
                Err(mistake) => {
                    mistakes.push(mistake);
                    TreeShape::Fixed(Value::Null)
                }
            },
            Data::List(items) => {
                TreeShape::List(items.iter().map(|item| Self::build(item, file, mistakes)).collect())
            }
            Data::Map(entries) => {
                let build = |(key, value): &(Spanned<String>, Node)| {
                    (key.clone(), Self::build(value, file, mistakes))
                };
                TreeShape::Map(entries.iter().map(build).collect())
            }
            scalar => TreeShape::Fixed(scalar.to_value()),
        };
        Self { span: node.span, shape }
    }

    /// All texts, including literal ones, in file order.
    pub fn templates(&self) -> Vec<&LocatedTemplate> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'t>(&'t self, found: &mut Vec<&'t LocatedTemplate>) {
        match &self.shape {
            TreeShape::Fixed(_) => {}
            TreeShape::Text(template) => found.push(template),
            TreeShape::List(items) => items.iter().for_each(|item| item.collect(found)),
            TreeShape::Map(entries) => entries.iter().for_each(|(_, value)| value.collect(found)),
        }
    }

    /// The value under `key`, if it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&TemplateTree> {
        let TreeShape::Map(entries) = &self.shape else { return None };
        entries.iter().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    /// The template, if it is text.
    pub fn as_template(&self) -> Option<&LocatedTemplate> {
        match &self.shape {
            TreeShape::Text(template) => Some(template),
            _ => None,
        }
    }

    /// Who controls its value.
    pub fn origin(&self, sources: &Sources) -> Origin {
        self.templates().into_iter().map(|t| t.origin(sources)).max().unwrap_or(Origin::Author)
    }

    /// The value as written, with the texts of templates.
    pub fn to_value(&self) -> Value {
        match &self.shape {
            TreeShape::Fixed(value) => value.clone(),
            TreeShape::Text(template) => Value::String(template.text().to_owned()),
            TreeShape::List(items) => items.iter().map(Self::to_value).collect(),
            TreeShape::Map(entries) => {
                entries.iter().map(|(key, value)| (key.value.clone(), value.to_value())).collect()
            }
        }
    }

    /// The value with all templates evaluated, without fields and items that are `omit`. Stops at the first error.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, LocatedError> {
        match &self.shape {
            TreeShape::Text(template) => template.evaluate(scope),
            _ => Ok(self.part(scope)?.unwrap_or_default()),
        }
    }

    /// The value of a field or item; `None` to omit it.
    fn part(&self, scope: &Scope) -> Result<Option<Value>, LocatedError> {
        Ok(Some(match &self.shape {
            TreeShape::Fixed(value) => value.clone(),
            TreeShape::Text(template) => return template.evaluate_input(scope),
            TreeShape::List(items) => {
                items.iter().filter_map(|item| item.part(scope).transpose()).collect::<Result<_, _>>()?
            }
            TreeShape::Map(entries) => {
                let evaluate = |(key, value): &(Spanned<String>, TemplateTree)| {
                    let value = value.part(scope).transpose()?;
                    Some(value.map(|value| (key.value.clone(), value)))
                };
                entries.iter().filter_map(evaluate).collect::<Result<_, _>>()?
            }
        }))
    }

    /// Fields that are missing in the evaluated `value` because they were `omit`.
    pub fn omitted<'t>(
        &'t self,
        value: &'t Map<String, Value>,
    ) -> impl Iterator<Item = &'t (Spanned<String>, TemplateTree)> {
        let entries = match &self.shape {
            TreeShape::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().filter(|(key, _)| !value.contains_key(&key.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;
    use chrono::DateTime;
    use serde_json::json;

    fn parsed(text: &str) -> (SourceFile, Node) {
        let file = SourceFile::new("r.yaml", text);
        let node = source::parse(&file).node.expect("a tree");
        (file, node)
    }

    #[test]
    fn values_take_the_place_of_templates() {
        let (file, node) = parsed(
            "email: \"{{ event.email | lower }}\"\ntags: [a, \"x-{{ event.n }}\"]\nn: \"{{ event.n }}\"\nlimit: 3\nnone: ~\n",
        );
        let tree = TemplateTree::parse(&node, &file).unwrap();
        let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", json!({ "email": "A@B.de", "n": 7 }));
        assert_eq!(
            tree.evaluate(&scope).unwrap(),
            json!({ "email": "a@b.de", "tags": ["a", "x-7"], "n": 7, "limit": 3, "none": null })
        );
        assert_eq!(tree.templates().iter().filter(|template| !template.is_literal()).count(), 3);
    }

    #[test]
    fn all_mistakes_of_a_tree_have_places() {
        let (file, node) = parsed("a: \"{{ x. }}\"\nb:\n  - 'ok'\n  - '{{ it''s }}'\n");
        let mistakes = TemplateTree::parse(&node, &file).unwrap_err();
        let lines: Vec<usize> = mistakes.iter().map(|m| file.position(m.span.start).line).collect();
        assert_eq!(lines, [1, 4], "{mistakes:?}");
    }

    #[test]
    fn failures_while_running_have_places_too() {
        let (file, node) = parsed("with:\n  body: |\n    Dear\n    {{ event.nmae }}\n");
        let tree = TemplateTree::parse(&node, &file).unwrap();
        let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", json!({ "name": "x" }));
        let error = tree.evaluate(&scope).unwrap_err();
        assert_eq!(file.slice(error.span), "event.nmae");
        assert_eq!(error.error.help.as_deref(), Some("did you mean `event.name`?"));
    }
}
