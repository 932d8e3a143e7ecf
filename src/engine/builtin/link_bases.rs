//! `links.base`, `links.settle`: what two linked records had when they were last made equal.

use serde_json::{Map, Value, json};

use super::inputs::{ends, text};
use crate::engine::step_outcome::{StepOutcome, refuse, store_failure};
use crate::journal::{BaseValues, BaseWrite, Journal, Link};
use crate::run::{StepError, StepResult};

pub(super) async fn base(journal: &dyn Journal, inputs: &Map<String, Value>) -> StepOutcome {
    match ends(inputs) {
        Err(problem) => refuse(problem),
        Ok((name, from, to)) => match journal.link_base(&name, from.as_deref(), to.as_deref()).await {
            Ok(base) => StepResult::Done(json!(base.unwrap_or_default())).into(),
            Err(error) => store_failure(&error),
        },
    }
}

/// `dry_run`: nothing is noted, as nothing was written.
pub(super) async fn settle(journal: &dyn Journal, inputs: &Map<String, Value>, dry_run: bool) -> StepOutcome {
    let (link, seen, values) = match asked(inputs) {
        Ok(asked) => asked,
        Err(problem) => return refuse(problem),
    };
    if dry_run {
        return StepResult::Done(json!({ "settled": false })).into();
    }
    match journal.settle_link(&link, seen, &values).await {
        Ok(BaseWrite::Saved) => StepResult::Done(json!({ "settled": true })).into(),
        Ok(BaseWrite::Outdated) => again(format!(
            "another run made `{}` and `{}` equal meanwhile, and its writes may have crossed those of this one",
            link.from, link.to
        )),
        Ok(BaseWrite::Unlinked) => {
            again(format!("`{}` is not linked to `{}` as `{}` any more", link.from, link.to, link.name))
        }
        Err(error) => store_failure(&error),
    }
}

/// A retry may find out more.
fn again(reason: String) -> StepOutcome {
    StepResult::Again { error: StepError::new(reason), not_before: None, lost: false }.into()
}

fn asked(inputs: &Map<String, Value>) -> Result<(Link, u64, BaseValues), String> {
    let seen = inputs.get("revision").and_then(Value::as_u64);
    let seen = seen.ok_or_else(|| "`revision` must be the one that `links.base` told".to_owned())?;
    let side = |name: &str| match inputs.get("values").and_then(|values| values.get(name)) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(fields)) => Ok(fields.clone()),
        Some(other) => Err(format!("`{name}` of `values` must be a mapping of fields, not {other}")),
    };
    Ok((link(inputs)?, seen, BaseValues { from: side("from")?, to: side("to")? }))
}

fn link(inputs: &Map<String, Value>) -> Result<Link, String> {
    Ok(Link { name: text(inputs, "name")?, from: text(inputs, "from")?, to: text(inputs, "to")? })
}
