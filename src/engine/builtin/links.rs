//! `links.save`, `links.find`, `links.delete`: associations of records in different apps.

use serde_json::{Map, Value, json};

use super::inputs::{optional_text, text};
use crate::engine::step_outcome::{StepOutcome, refuse, store_failure};
use crate::journal::{Journal, Link};
use crate::run::StepResult;

pub(super) async fn save(journal: &dyn Journal, inputs: &Map<String, Value>) -> StepOutcome {
    let link = (|| {
        Ok::<_, String>(Link {
            name: text(inputs, "name")?,
            from: text(inputs, "from")?,
            to: text(inputs, "to")?,
        })
    })();
    match link {
        Err(problem) => refuse(problem),
        Ok(link) => match journal.save_link(&link).await {
            Ok(()) => StepResult::Done(json!(link)).into(),
            Err(error) => store_failure(&error),
        },
    }
}

pub(super) async fn find(journal: &dyn Journal, inputs: &Map<String, Value>) -> StepOutcome {
    let ends = (|| {
        let ends = (text(inputs, "name")?, optional_text(inputs, "from")?, optional_text(inputs, "to")?);
        match ends {
            (_, None, None) => Err("one of `from` and `to` must be given".to_owned()),
            (_, Some(_), Some(_)) => Err("give either `from` or `to`, the end that is known".to_owned()),
            ends => Ok(ends),
        }
    })();
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
    match text(inputs, "name").and_then(|name| Ok((name, text(inputs, "from")?))) {
        Err(problem) => refuse(problem),
        Ok((name, from)) => match journal.delete_link(&name, &from).await {
            Ok(deleted) => StepResult::Done(json!({ "deleted": deleted })).into(),
            Err(error) => store_failure(&error),
        },
    }
}
