//! Values with `{{ expression }}`, used in `sandbox.yaml` for answers, fields and seeds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use minijinja::value::Object;
use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior, Value as Any};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::convert::{any, json};
use super::template_filters;
use crate::catalog::placeholder::{Part, split};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Data, Node};

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    template_filters::add_to(&mut environment);
    environment
});

/// Key of a mapping that is repeated per item: `{ for_each: "{{ list }}", do: … }`, with the item as `item`.
const FOR_EACH: &str = "for_each";
const DO: &str = "do";
/// Keywords of the engine that look like names.
const RESERVED: [&str; 6] = ["true", "True", "false", "False", "none", "None"];

/// A compiled value. A text that is one `{{ … }}` keeps the expression's type; an undefined one is omitted from its
/// mapping or list.
#[derive(Debug)]
pub(super) enum Template {
    Literal(Value),
    /// A name, or a field of one: most expressions are, and need no engine.
    Path(Vec<String>),
    Expression(Expression<'static, 'static>),
    List(Vec<Template>),
    Map(Vec<(String, Template)>),
    Each {
        list: Box<Template>,
        item: Box<Template>,
    },
}

impl JsonSchema for Template {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Fill".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "any value, with expressions" })
    }
}

impl Template {
    /// Compiles `value`.
    pub(super) fn compile(value: &Value) -> Result<Self, minijinja::Error> {
        Ok(match value {
            Value::String(text) if text.contains("{{") => {
                let unclosed = |reason| minijinja::Error::new(ErrorKind::SyntaxError, reason);
                let parts = split(text, "{{", "}}").map_err(unclosed)?;
                match path(&parts) {
                    Some(path) => Self::Path(path),
                    None => Self::Expression(ENVIRONMENT.compile_expression_owned(expression(&parts))?),
                }
            }
            Value::Array(items) => Self::List(items.iter().map(Self::compile).collect::<Result<_, _>>()?),
            Value::Object(map) if map.len() == 2 && map.contains_key(FOR_EACH) && map.contains_key(DO) => {
                let part = |name: &str| Self::compile(&map[name]).map(Box::new);
                Self::Each { list: part(FOR_EACH)?, item: part(DO)? }
            }
            Value::Object(map) => {
                Self::Map(
                    map.iter()
                        .map(|(name, value)| Ok((name.clone(), Self::compile(value)?)))
                        .collect::<Result<_, minijinja::Error>>()?,
                )
            }
            other => Self::Literal(other.clone()),
        })
    }

    /// The value in `scope`; `None` when it is undefined.
    pub(super) fn render(&self, scope: &Scope) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Path(path) => scope.follow(path).as_ref().and_then(json),
            Self::Expression(expression) => evaluate(expression, scope),
            Self::List(items) => Some(items.iter().filter_map(|item| item.render(scope)).collect()),
            Self::Map(fields) => {
                let fields = fields
                    .iter()
                    .filter_map(|(name, template)| Some((name.clone(), template.render(scope)?)));
                Some(Value::Object(fields.collect()))
            }
            Self::Each { list, item } => {
                let Some(Value::Array(members)) = list.render(scope) else { return None };
                let each = members.iter().filter_map(|member| item.render(&scope.with("item", member)));
                Some(each.collect())
            }
        }
    }

    /// The value as text; `None` when it is undefined, null or a mapping or list.
    pub(super) fn text(&self, scope: &Scope) -> Option<String> {
        as_text(&self.render(scope)?).map(Cow::into_owned)
    }

    /// Whether the value is not false, null, zero, empty or undefined.
    pub(super) fn holds(&self, scope: &Scope) -> bool {
        match self.render(scope) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        }
    }
}

/// Adds a diagnostic for each invalid template below `node`.
pub fn template_mistakes(node: &Node, found: &mut Vec<Diagnostic>) {
    match &node.value {
        Data::Text(text) => {
            if let Err(error) = Template::compile(&Value::from(text.as_str())) {
                found.push(Diagnostic::new(Code::TemplateSyntax, node.span, error.to_string()));
            }
        }
        Data::List(items) => items.iter().for_each(|item| template_mistakes(item, found)),
        Data::Map(entries) => entries.iter().for_each(|(_, value)| template_mistakes(value, found)),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Float(_) => {}
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::compile(&value).map_err(|error| serde::de::Error::custom(format!("{error:#} in {value}")))
    }
}

/// A scalar as text.
pub(super) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}

/// The names in a text `{{ name.field }}`.
fn path(parts: &[Part<String>]) -> Option<Vec<String>> {
    let [Part::Placeholder(inner)] = parts else { return None };
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !RESERVED.contains(&name)
    };
    inner.split('.').map(|name| is_name(name).then(|| name.to_owned())).collect()
}

/// `Mr {{ name }}!` as one expression: `"Mr " ~ (name) ~ "!"`.
fn expression(parts: &[Part<String>]) -> String {
    let parts = parts.iter().map(|part| match part {
        Part::Text(text) => Value::from(text.as_str()).to_string(),
        Part::Placeholder(inner) => format!("({inner})"),
    });
    parts.collect::<Vec<_>>().join(" ~ ")
}

fn evaluate(expression: &Expression<'static, 'static>, scope: &Scope) -> Option<Value> {
    json(&expression.eval(scope.root()).ok()?)
}

/// The names available to expressions. Cheap to clone and to extend.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope(Arc<Names>);

#[derive(Debug, Clone, Default)]
struct Names {
    values: BTreeMap<Cow<'static, str>, Any>,
    /// Provides names that are not in `values`.
    fallback: Option<Any>,
}

impl Scope {
    /// Adds a name.
    pub(super) fn with(&self, name: impl Into<Cow<'static, str>>, value: &Value) -> Self {
        self.with_any(name, any(value))
    }

    /// Adds a name.
    pub(super) fn with_any(&self, name: impl Into<Cow<'static, str>>, value: Any) -> Self {
        let mut scope = self.clone();
        scope.set_any(name, value);
        scope
    }

    /// Adds a name.
    pub(super) fn set(&mut self, name: impl Into<Cow<'static, str>>, value: &Value) {
        self.set_any(name, any(value));
    }

    /// Adds a name.
    pub(super) fn set_any(&mut self, name: impl Into<Cow<'static, str>>, value: Any) {
        Arc::make_mut(&mut self.0).values.insert(name.into(), value);
    }

    /// The value of a name, or of a field in it.
    fn follow(&self, path: &[String]) -> Option<Any> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.find(first)?, |value, name| value.get_attr(name).ok())
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<Any> {
        self.0.values.get(name).cloned()
    }

    /// A scope that gets all names from `object`.
    pub(super) fn with_fallback(object: Any) -> Self {
        Self(Arc::new(Names { values: BTreeMap::new(), fallback: Some(object) }))
    }

    fn root(&self) -> Any {
        Any::from_dyn_object(Arc::clone(&self.0))
    }
}

impl Names {
    fn find(&self, name: &str) -> Option<Any> {
        match self.values.get(name) {
            Some(value) => Some(value.clone()),
            None => self.fallback.as_ref()?.get_attr(name).ok().filter(|value| !value.is_undefined()),
        }
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Any> {
        self.find(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(template: Value, scope: &Scope) -> Option<Value> {
        Template::compile(&template).expect("compiles").render(scope)
    }

    #[test]
    fn whole_values_keep_their_type_and_undefined_ones_go() {
        let scope = Scope::default().with("body", &json!({ "n": 3, "tags": ["a"], "quote": "\"x\"" }));
        let template = json!({ "n": "{{ body.n }}", "t": "{{ body.tags }}", "no": "{{ body.x.y }}", "s": "{{ body.quote }} and {{ body.n }}!" });
        assert_eq!(render(template, &scope), Some(json!({ "n": 3, "t": ["a"], "s": "\"x\" and 3!" })));
        assert_eq!(render(json!("{{ nothing }}"), &scope), None);
    }

    #[test]
    fn a_text_that_is_not_closed_does_not_compile() {
        let error = Template::compile(&json!({ "a": ["x {{ body.n"] })).unwrap_err();
        assert!(error.to_string().contains("is not closed by `}}`"), "{error}");
    }

    #[test]
    fn one_for_each_member() {
        let scope = Scope::default().with("list", &json!([{ "id": 1 }, { "id": 2 }]));
        let template = json!({ "for_each": "{{ list }}", "do": { "key": "{{ item.id }}" } });
        assert_eq!(render(template, &scope), Some(json!([{ "key": 1 }, { "key": 2 }])));
    }

    #[test]
    fn truth_is_what_people_expect() {
        let scope = Scope::default().with("a", &json!({ "zero": 0, "empty": "", "yes": "x" }));
        let holds = |text: &str| Template::compile(&json!(text)).expect("compiles").holds(&scope);
        assert!(!holds("{{ a.zero }}") && !holds("{{ a.empty }}") && !holds("{{ a.none }}"));
        assert!(holds("{{ a.yes }}") && holds("{{ a.yes == 'x' }}"));
    }
}
