//! Inputs that refer to something: addresses, where it matters which part of the text an event controls, and files,
//! where it matters whether this run downloaded them.

use super::Machine;
use super::progress::CurrentStep;
use super::template_error::template_error;
use crate::run::entry::StepError;
use crate::run::status::Phase;
use crate::template::{Error, ErrorKind, LocatedTemplate, Scope, Sources, TemplateTree};
use crate::value::address::{Origin, Reach, Unfit, fill};
use crate::value::{Map, Value};

/// Format of inputs that take an address.
const ADDRESS: &str = "url";

impl Machine {
    /// Evaluates the addresses among `inputs`, the values of `scope`, and determines where they may lead.
    pub(super) fn addresses(
        &self,
        current: &CurrentStep<'_>,
        scope: &Scope,
        inputs: &mut Map<String, Value>,
    ) -> Result<Reach, StepError> {
        let mut reach = Reach::Anywhere;
        let operation = current.action.operation;
        let takes = |name: &str| {
            let shape = operation.input(name).map(|input| input.shape);
            shape.is_some_and(|shape| shape.format.as_deref() == Some(ADDRESS))
        };
        let names: Vec<String> = inputs.keys().filter(|name| takes(name)).cloned().collect();
        if names.is_empty() {
            return Ok(reach);
        }
        let sources = self.sources(current, scope);
        for name in names {
            let Some(TemplateTree { shape, .. }) = current.action.with.get(&name) else {
                // All of `with` is one template.
                reach = Reach::Public;
                continue;
            };
            let crate::template::TreeShape::Text(template) = shape else { continue };
            let address = self.address(template, scope, &sources)?;
            if let Some((text, to)) = address {
                inputs.insert(name, Value::String(text));
                reach = if to == Reach::Public { to } else { reach };
            }
        }
        Ok(reach)
    }

    /// Files downloaded by finished steps, as far as their results are stored.
    pub(super) fn downloaded(&self) -> Vec<String> {
        let downloads: Vec<String> = (self.recipe.all_actions())
            .filter(|action| action.operation.download.is_some())
            .map(|action| action.id.clone())
            .collect();
        let mut files = Vec::new();
        for (key, step) in &self.status.steps {
            if let Phase::Done(result) = &step.phase
                && downloads.contains(&key.action)
            {
                collect(result, &mut files);
            }
        }
        files
    }

    /// The address built by `template`; `None` if it is not text.
    fn address(
        &self,
        template: &LocatedTemplate,
        scope: &Scope,
        sources: &Sources,
    ) -> Result<Option<(String, Reach)>, StepError> {
        let file = &self.recipe.recipe().file;
        let located = |error| template_error(file, &template.locate(error));
        let Some(pieces) = template.pieces(scope, sources).map_err(located)? else { return Ok(None) };
        let address = fill(&pieces).map_err(|unfit| located(unfitting(template, unfit)))?;
        Ok(Some((address.text, address.reach)))
    }

    /// Who controls the values in `scope`.
    fn sources(&self, current: &CurrentStep<'_>, scope: &Scope) -> Sources {
        let mut sources = Sources::default().with("env", Origin::Author).with("connection", Origin::Author);
        let vars = scope.get("vars").unwrap_or_default();
        // Variables are evaluated with the time at which the run started.
        let began = self.status.started.as_ref().map_or(current.now, |started| started.at);
        let then = scope.clone().at(self.wall(began));
        for (name, tree) in &self.recipe.recipe().vars {
            let origin = tree.origin(&sources);
            let template = tree.as_template().filter(|_| origin == Origin::Outside);
            let pieces = template.and_then(|template| template.pieces(&then, &sources).ok().flatten());
            let whole = |pieces: &Vec<_>| {
                let text: String =
                    pieces.iter().map(|piece: &crate::value::address::Piece| piece.text.as_str()).collect();
                vars.get(&name.value) == Some(&Value::String(text))
            };
            sources = sources.with_member(("vars", &name.value), origin, pieces.filter(whole));
        }
        if let Some(list) = &current.action.for_each {
            let origin = list.origin(&sources);
            sources = sources.with(&current.action.item_name, origin);
        }
        sources
    }
}

/// Collects the files among the results of a download: `{ file, … }`, a picked part of it, or a list of these.
fn collect(result: &Value, files: &mut Vec<String>) {
    match result {
        Value::String(file) => files.push(file.clone()),
        Value::Object(fields) => files.extend(fields.get("file").and_then(Value::as_str).map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, files)),
        _ => {}
    }
}

/// The error for a value that does not fit its place in an address.
fn unfitting(template: &LocatedTemplate, unfit: Unfit) -> Error {
    let written = template.text().get(unfit.range.clone()).unwrap_or_default();
    Error {
        message: format!("`{written}` {}", unfit.reason),
        range: Some(unfit.range),
        help: Some("hob sends no request that would be about something else; leave the step out with `if`, or write the fixed parts of the address outside of `{{ … }}`".into()),
        kind: ErrorKind::Other,
    }
}
