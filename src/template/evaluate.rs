//! `Template` and `Scope` → value.

use super::error::Error;
use super::explain::Explainer;
use super::parse::{Form, Template};
use super::scope::Scope;
use super::{convert, engine, lower, syntax};
use crate::value::Value;

impl Template {
    /// The value: of any type if the template is one `{{ … }}`, else text. Anything undefined is an
    /// error, as is using up the allowance of work and memory.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, Error> {
        match self.form() {
            Form::Literal => Ok(Value::String(self.text().to_owned())),
            Form::Access(access) => match access.follow(scope) {
                Some(value) => Ok(value.clone()),
                None => Err(Explainer::new(self, scope).undefined_result()),
            },
            Form::Whole => self.expression(scope),
            Form::Text => self.rendered(scope).map(Value::String),
        }
    }

    /// Whether a condition (`when`, `if`) holds, see [`truthy`]. Unlike elsewhere, a path whose very
    /// last part is missing counts as false: APIs leave out what is empty.
    pub fn holds(&self, scope: &Scope) -> Result<bool, Error> {
        if let Form::Access(access) = self.form()
            && access.lacks_only_its_end(scope)
            && access.follow(scope).is_none()
        {
            return Ok(false);
        }
        self.evaluate(scope).map(|value| truthy(&value))
    }

    fn expression(&self, scope: &Scope) -> Result<Value, Error> {
        let template = syntax::statements(self.text())?;
        let Some(only) = syntax::only_expression(&template) else { return Ok(Value::Null) };
        let lowered = lower::expression(&only.expr)?;
        let explainer = Explainer::new(self, scope);
        let result =
            engine::expression(self.text(), &lowered, scope).map_err(|error| explainer.explain(&error))?;
        if result.is_undefined() {
            return Err(explainer.undefined_result());
        }
        convert::to_json(&result).map_err(|error| explainer.explain(&error))
    }

    fn rendered(&self, scope: &Scope) -> Result<String, Error> {
        let template = syntax::statements(self.text())?;
        let lowered = lower::statement(&template)?;
        let explainer = Explainer::new(self, scope);
        engine::render(self.text(), &lowered, scope).map_err(|error| explainer.explain(&error))
    }
}

/// Whether a value counts as true where a condition is wanted: everything but `null`, `false`, 0, the
/// empty text, list and mapping, and the texts that conditions mixed with text come to: `false`, `no`,
/// `off`, `0`, `null` and `none`, in any case and with white space around.
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => {
            let text = text.trim().to_ascii_lowercase();
            !matches!(text.as_str(), "" | "false" | "no" | "off" | "0" | "null" | "none")
        }
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}
