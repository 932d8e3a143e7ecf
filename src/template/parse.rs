//! Parsing of templates.

use std::fmt;
use std::sync::Arc;

use minijinja::machinery::ast::{Expr, Stmt};

use super::call::Call;
use super::comparison::Comparison;
use super::foreign;
use super::lower;
use super::name_use::Use;
use super::omit;
use super::path::Access;
use super::path_key::Key;
use super::syntax::{self, SyntaxError};
use super::uses::{self, Named};

/// A text that may contain expressions. It has been parsed, so it is well-formed. Cheap to clone.
#[derive(Clone)]
pub struct Template {
    parsed: Arc<Parsed>,
}

struct Parsed {
    text: String,
    form: Form,
    uses: Vec<Use>,
    calls: Vec<Call>,
    comparisons: Vec<Comparison>,
}

/// How a template is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// Text without any template syntax.
    Literal,
    /// `{{ event.email }}`: a single path.
    Access(Access),
    /// `{{ … }}`: a single expression.
    Whole,
    /// Anything else.
    Text,
}

impl Template {
    /// Parses `text`. Names are not resolved: see [`Template::uses`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let (form, Named { uses, calls, comparisons }) = match has_syntax(text) {
            true => analyse(text).map_err(|error| foreign::explain(text, error))?,
            false => (Form::Literal, Named::default()),
        };
        Ok(Self { parsed: Arc::new(Parsed { text: text.to_owned(), form, uses, calls, comparisons }) })
    }

    /// Whether it has no template syntax, so that its value is its text.
    pub fn is_literal(&self) -> bool {
        self.parsed.form == Form::Literal
    }

    /// Whether it is exactly one `{{ … }}` (ignoring surrounding white space), so that its value keeps its type.
    pub fn is_whole(&self) -> bool {
        matches!(self.parsed.form, Form::Access(_) | Form::Whole)
    }

    /// The parsed text.
    pub fn text(&self) -> &str {
        &self.parsed.text
    }

    /// All values, filters, functions and tests that it uses, in order of the text.
    pub fn uses(&self) -> &[Use] {
        &self.parsed.uses
    }

    /// All calls of filters, tests and functions with their arguments.
    pub fn calls(&self) -> &[Call] {
        &self.parsed.calls
    }

    /// All comparisons by order.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.parsed.comparisons
    }

    pub(super) fn form(&self) -> &Form {
        &self.parsed.form
    }
}

/// Whether `text` contains template syntax.
fn has_syntax(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// Whether `text` is a well-formed template.
pub(super) fn parses(text: &str) -> bool {
    analyse(text).is_ok()
}

fn analyse(text: &str) -> Result<(Form, Named), SyntaxError> {
    let template = syntax::statements(text)?;
    let check = lower::statement(&template);
    check.map_err(|error| SyntaxError { range: syntax::clamp(text, error.range.clone()), ..error })?;
    Ok((form(&template), uses::find(&template)))
}

fn form(template: &Stmt<'_>) -> Form {
    let Some(only) = syntax::only_expression(template) else { return Form::Text };
    match Access::from_expr(&only.expr) {
        Some(access) if access.root != omit::NAME => Form::Access(access),
        _ => Form::Whole,
    }
}

/// Equality compares texts.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text()).finish()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Access {
    /// The path in `expr`, if it is only a path.
    fn from_expr(expr: &Expr<'_>) -> Option<Self> {
        match expr {
            Expr::Var(name) => Some(Self { root: name.id.into(), keys: Vec::new() }),
            Expr::GetAttr(get) => Self::from_expr(&get.expr)?.then(Key::Name(get.name.into())),
            Expr::GetItem(get) => {
                let key = get.subscript_expr.as_const()?;
                let key = match (key.as_str(), key.as_i64()) {
                    (Some(name), _) => Key::Name(name.into()),
                    (None, Some(index)) if key.is_integer() => Key::Index(index),
                    _ => return None,
                };
                Self::from_expr(&get.expr)?.then(key)
            }
            _ => None,
        }
    }

    fn then(mut self, key: Key) -> Option<Self> {
        self.keys.push(key);
        Some(self)
    }
}
