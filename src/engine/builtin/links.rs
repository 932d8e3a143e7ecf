//! `links.save`, `links.find`, `links.delete`: associations of records in different apps.

use serde_json::{Map, Value, json};

use super::inputs::{ends, flag, text};
use crate::engine::step_outcome::{StepOutcome, refuse, store_failure};
use crate::journal::{Journal, Link, LinkWrite};
use crate::run::{StepError, StepResult};
use crate::value::SAMPLE_TEXT;

/// `dry_run`: all records that would be created have one sample id, so that their links do not count as conflicts.
pub(super) async fn save(journal: &dyn Journal, inputs: &Map<String, Value>, dry_run: bool) -> StepOutcome {
    let asked = (|| {
        let link = Link { name: text(inputs, "name")?, from: text(inputs, "from")?, to: text(inputs, "to")? };
        Ok::<_, String>((link, flag(inputs, "replace")?))
    })();
    match asked {
        Err(problem) => refuse(problem),
        Ok((link, true)) => match journal.replace_links(&link).await {
            Ok(replaced) => {
                let remark = (!replaced.is_empty()).then(|| replacement(&link, &replaced));
                StepOutcome { remark, ..StepResult::Done(json!(link)).into() }
            }
            Err(error) => store_failure(&error),
        },
        Ok((link, false)) => match journal.save_link(&link).await {
            Ok(LinkWrite::Saved) => StepResult::Done(json!(link)).into(),
            Ok(LinkWrite::Taken(_))
                if dry_run && [&link.from, &link.to].iter().any(|id| *id == SAMPLE_TEXT) =>
            {
                StepResult::Done(json!(link)).into()
            }
            Ok(LinkWrite::Taken(holders)) => StepResult::Refused(conflict(&link, &holders)).into(),
            Err(error) => store_failure(&error),
        },
    }
}

/// The error of a link whose ends are linked otherwise.
fn conflict(Link { name, from, to }: &Link, holders: &[Link]) -> StepError {
    let held = holders.iter().map(|holder| match holder.from == *from {
        true => format!("`{from}` is linked to `{}`", holder.to),
        false => format!("`{to}` is linked to `{}`", holder.from),
    });
    let held = held.collect::<Vec<_>>().join(", and ");
    let message = format!("`{from}` cannot be linked to `{to}` as `{name}`: {held} already");
    let help =
        "a record has one link of a name; if the old one is wrong, delete it with `links.delete`, or give \
                `links.save` the input `replace: true`, which puts the new link in its place"
            .to_owned();
    StepError { help: Some(help), ..StepError::new(message) }
}

fn replacement(Link { name, from, to }: &Link, replaced: &[Link]) -> String {
    let gone = replaced.iter().map(|link| format!("`{}` to `{}`", link.from, link.to));
    let gone = gone.collect::<Vec<_>>().join(" and ");
    format!("the link `{name}` from `{from}` to `{to}` takes the place of {gone}")
}

pub(super) async fn find(journal: &dyn Journal, inputs: &Map<String, Value>) -> StepOutcome {
    let ends = ends(inputs).and_then(|ends| match ends {
        (_, Some(_), Some(_)) => Err("give either `from` or `to`, the end that is known".to_owned()),
        ends => Ok(ends),
    });
    match ends {
        Err(problem) => refuse(problem),
        Ok((name, from, to)) => match journal.find_link(&name, from.as_deref(), to.as_deref()).await {
            Ok(link) => {
                let other = link.map(|link| if from.is_some() { link.to } else { link.from });
                StepResult::Done(json!(other)).into()
            }
            Err(error) => store_failure(&error),
        },
    }
}

pub(super) async fn delete(journal: &dyn Journal, inputs: &Map<String, Value>) -> StepOutcome {
    match ends(inputs) {
        Err(problem) => refuse(problem),
        Ok((name, from, to)) => match journal.delete_link(&name, from.as_deref(), to.as_deref()).await {
            Ok(deleted) => StepResult::Done(json!({ "deleted": deleted })).into(),
            Err(error) => store_failure(&error),
        },
    }
}
