//! `links.base`, `links.intend`, `links.settle`: what two linked records had when they were last made equal, and what
//! is about to be written to them.

use serde_json::{Map, Value, json};

use super::inputs::{ends, text};
use crate::engine::step_context::StepContext;
use crate::engine::step_outcome::{StepOutcome, refuse, store_failure};
use crate::journal::{BaseValues, BaseWrite, Error, Journal, Link, LinkBase, WriteIntent};
use crate::run::{RunId, StepError, StepResult};

pub(super) async fn base(context: &StepContext<'_>, inputs: &Map<String, Value>) -> StepOutcome {
    let journal = context.services.journal.as_ref();
    let (name, from, to) = match ends(inputs) {
        Ok(ends) => ends,
        Err(problem) => return refuse(problem),
    };
    let found = async {
        let base = journal.link_base(&name, from.as_deref(), to.as_deref()).await?.unwrap_or_default();
        Ok::<_, Error>((over(journal, &base, context.run).await?, base))
    };
    match found.await {
        Ok((over, base)) => {
            let LinkBase { revision, values: BaseValues { from, to }, .. } = &base;
            let sent = base.sent();
            let result = json!({ "revision": revision, "from": from, "to": to, "sent": sent, "over": over });
            StepResult::Done(result).into()
        }
        Err(error) => store_failure(&error),
    }
}

/// The runs that were about to write and do so no more: the run `own` itself, which has begun again, and those that
/// have ended.
async fn over(journal: &dyn Journal, base: &LinkBase, own: &RunId) -> Result<Vec<RunId>, Error> {
    let mut over: Vec<RunId> = Vec::new();
    for WriteIntent { run, .. } in &base.intents {
        if over.contains(run) {
            continue;
        }
        let is_over = run == own || {
            let found = journal.runs_by_prefix(&run.0, 1).await?;
            found.iter().find(|row| row.id == *run).is_none_or(|row| row.state.is_finished())
        };
        over.extend(is_over.then(|| run.clone()));
    }
    Ok(over)
}

pub(super) async fn intend(context: &StepContext<'_>, inputs: &Map<String, Value>) -> StepOutcome {
    let Asked { link, seen, values } = match Asked::read(inputs) {
        Ok(asked) => asked,
        Err(problem) => return refuse(problem),
    };
    // In a dry run nothing is written.
    if context.options.dry_run {
        return StepResult::Done(json!({ "revision": seen })).into();
    }
    let intent = WriteIntent { run: context.run.clone(), values };
    let journal = context.services.journal.as_ref();
    note(journal, &link, seen, |base| base.intended(intent), json!({ "revision": seen + 1 })).await
}

pub(super) async fn settle(context: &StepContext<'_>, inputs: &Map<String, Value>) -> StepOutcome {
    let asked = Asked::read(inputs).and_then(|asked| Ok((asked, over_input(inputs)?)));
    let (Asked { link, seen, values }, mut over) = match asked {
        Ok(asked) => asked,
        Err(problem) => return refuse(problem),
    };
    if context.options.dry_run {
        return StepResult::Done(json!({ "settled": false })).into();
    }
    over.push(context.run.clone());
    let journal = context.services.journal.as_ref();
    note(journal, &link, seen, |base| base.settled(values, &over), json!({ "settled": true })).await
}

/// Stores what follows from the base of `link`, if its revision is still `seen`.
async fn note(
    journal: &dyn Journal,
    link: &Link,
    seen: u64,
    next: impl FnOnce(LinkBase) -> LinkBase,
    result: Value,
) -> StepOutcome {
    let written = async {
        match journal.link_base(&link.name, Some(&link.from), Some(&link.to)).await? {
            None => Ok(BaseWrite::Unlinked),
            Some(base) if base.revision != seen => Ok(BaseWrite::Outdated),
            Some(base) => journal.put_link_base(link, &next(base)).await,
        }
    };
    match written.await {
        Ok(BaseWrite::Saved) => StepResult::Done(result).into(),
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

/// The inputs of both operations that note something.
struct Asked {
    link: Link,
    /// The revision that the run knows.
    seen: u64,
    values: BaseValues,
}

impl Asked {
    fn read(inputs: &Map<String, Value>) -> Result<Self, String> {
        let seen = inputs.get("revision").and_then(Value::as_u64);
        let seen = seen.ok_or_else(|| "`revision` must be the one that `links.base` told".to_owned())?;
        let side = |name: &str| match inputs.get("values").and_then(|values| values.get(name)) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(fields)) => Ok(fields.clone()),
            Some(other) => Err(format!("`{name}` of `values` must be a mapping of fields, not {other}")),
        };
        let link = Link { name: text(inputs, "name")?, from: text(inputs, "from")?, to: text(inputs, "to")? };
        Ok(Self { link, seen, values: BaseValues { from: side("from")?, to: side("to")? } })
    }
}

fn over_input(inputs: &Map<String, Value>) -> Result<Vec<RunId>, String> {
    let Some(over) = inputs.get("over").filter(|over| !over.is_null()) else { return Ok(Vec::new()) };
    let runs = over.as_array().and_then(|runs| {
        runs.iter().map(|run| run.as_str().map(|id| RunId(id.to_owned()))).collect::<Option<Vec<_>>>()
    });
    runs.ok_or_else(|| format!("`over` must be the list of runs that `links.base` told, not {over}"))
}
