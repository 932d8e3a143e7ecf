//! Links and their bases, as a journal keeps them.

use serde_json::{Map, Value, json};

use crate::catalog::Builtin;
use crate::journal::{BaseValues, LinkBase};
use crate::run::{StepError, StepResult};

/// The links of the sync.
#[derive(Default)]
pub(super) struct MemoryLinks(Vec<(String, String, LinkBase)>);

impl MemoryLinks {
    /// The link with the end that is given.
    fn at(&mut self, inputs: &Map<String, Value>) -> Option<&mut (String, String, LinkBase)> {
        let end = |name: &str| inputs.get(name).and_then(Value::as_str);
        let (from, to) = (end("from"), end("to"));
        self.0
            .iter_mut()
            .find(|link| from.is_none_or(|from| from == link.0) && to.is_none_or(|to| to == link.1))
    }

    pub(super) fn perform(&mut self, which: Builtin, inputs: &Map<String, Value>) -> StepResult {
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
                let base = self.at(inputs).map(|link| link.2.clone());
                StepResult::Done(json!(base.unwrap_or_default()))
            }
            Builtin::LinksSettle => {
                let values: BaseValues = serde_json::from_value(inputs["values"].clone()).unwrap();
                let link = self.at(inputs).unwrap();
                if inputs["revision"] != link.2.revision {
                    let error = StepError::new("another run made them equal meanwhile");
                    return StepResult::Again { error, not_before: None, lost: false };
                }
                link.2 = LinkBase { revision: link.2.revision + 1, values };
                StepResult::Done(json!({ "settled": true }))
            }
            other => panic!("{other:?}"),
        }
    }
}
