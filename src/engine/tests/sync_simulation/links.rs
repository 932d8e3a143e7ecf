//! Links and what is noted with them, as a journal keeps them.

use serde_json::{Map, Value, json};

use crate::catalog::Builtin;
use crate::journal::{BaseValues, LinkBase, WriteIntent};
use crate::run::{RunId, StepError, StepResult};

/// The links of a sync.
#[derive(Default)]
pub(super) struct MemoryLinks(Vec<(String, String, LinkBase)>);

impl MemoryLinks {
    /// The link with the ends that are given.
    pub(super) fn find(&self, from: Option<&str>, to: Option<&str>) -> Option<&(String, String, LinkBase)> {
        self.0.iter().find(|link| from.is_none_or(|from| from == link.0) && to.is_none_or(|to| to == link.1))
    }

    fn at(&self, inputs: &Map<String, Value>) -> Option<&(String, String, LinkBase)> {
        let end = |name: &str| inputs.get(name).and_then(Value::as_str);
        self.find(end("from"), end("to"))
    }

    /// Performs an operation for the run `own`. `has_ended` tells of a run whether it has.
    pub(super) fn perform(
        &mut self,
        which: Builtin,
        inputs: &Map<String, Value>,
        own: &RunId,
        has_ended: impl Fn(&RunId) -> bool,
    ) -> StepResult {
        let text = |name: &str| inputs[name].as_str().unwrap().to_owned();
        match which {
            Builtin::LinksFind => {
                let is_from = inputs.contains_key("from");
                let other = self.at(inputs).map(|link| if is_from { link.1.clone() } else { link.0.clone() });
                StepResult::Done(json!(other))
            }
            Builtin::LinksSave => {
                let (from, to) = (text("from"), text("to"));
                let taken = self.0.iter().find(|link| link.0 == from || link.1 == to);
                match taken.map(|link| link.0 == from && link.1 == to) {
                    None => self.0.push((from, to, LinkBase::default())),
                    Some(true) => {}
                    Some(false) => return StepResult::Refused(StepError::new("linked already")),
                }
                StepResult::Done(json!({}))
            }
            Builtin::LinksBase => {
                let base = self.at(inputs).map(|link| link.2.clone()).unwrap_or_default();
                let runs = base.intents.iter().map(|intent| &intent.run);
                let over: Vec<&RunId> = runs.filter(|run| *run == own || has_ended(run)).collect();
                let LinkBase { revision, values: BaseValues { from, to }, .. } = &base;
                let sent = base.sent();
                StepResult::Done(
                    json!({ "revision": revision, "from": from, "to": to, "sent": sent, "over": over }),
                )
            }
            Builtin::LinksIntend => {
                let mut values = inputs["values"].clone();
                for end in ["from", "to"] {
                    values.as_object_mut().unwrap().entry(end).or_insert_with(|| json!({}));
                }
                let values = serde_json::from_value(values).unwrap();
                let intent = WriteIntent { run: own.clone(), values };
                self.note(inputs, |base| base.intended(intent))
            }
            Builtin::LinksSettle => {
                let values: BaseValues = serde_json::from_value(inputs["values"].clone()).unwrap();
                let mut over: Vec<RunId> = serde_json::from_value(inputs["over"].clone()).unwrap();
                over.push(own.clone());
                self.note(inputs, |base| base.settled(values, &over))
            }
            other => panic!("{other:?}"),
        }
    }

    fn note(&mut self, inputs: &Map<String, Value>, next: impl FnOnce(LinkBase) -> LinkBase) -> StepResult {
        let known = self.at(inputs).unwrap().clone();
        let base = &mut self.0.iter_mut().find(|link| **link == known).unwrap().2;
        if inputs["revision"] != base.revision {
            let error = StepError::new("another run made them equal meanwhile");
            return StepResult::Again { error, not_before: None, lost: false };
        }
        *base = next(std::mem::take(base));
        StepResult::Done(json!({ "revision": base.revision }))
    }
}
