//! What two linked records had when they were last made equal, and what was to be written to them since.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::run::RunId;

/// What is noted of the records at both ends of a link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkBase {
    /// How often something was noted: it tells whether somebody else did meanwhile.
    pub revision: u64,
    /// What they had when they were last made equal, in the form of each side.
    #[serde(flatten)]
    pub values: BaseValues,
    /// What runs were about to write to them since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<WriteIntent>,
}

/// Field by field, what the records at both ends have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BaseValues {
    /// The record at the end `from`.
    pub from: Map<String, Value>,
    /// The record at the end `to`.
    pub to: Map<String, Value>,
}

/// What a run is about to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteIntent {
    /// The run.
    pub run: RunId,
    /// Fields of both records, as they are sent.
    #[serde(flatten)]
    pub values: BaseValues,
}

/// What became of a base that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseWrite {
    /// It is stored, now or since before.
    Saved,
    /// Nothing was stored: it does not follow what is stored.
    Outdated,
    /// Nothing was stored: there is no such link.
    Unlinked,
}

impl LinkBase {
    /// Whether nothing was ever noted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The next base: a run is about to write.
    #[must_use]
    pub fn intended(mut self, intent: WriteIntent) -> Self {
        self.revision += 1;
        if !self.intents.contains(&intent) {
            self.intents.push(intent);
        }
        self
    }

    /// The next base: the records are equal, and what the runs `over` were about to write is no longer under way.
    #[must_use]
    pub fn settled(self, values: BaseValues, over: &[RunId]) -> Self {
        let mut intents = self.intents;
        intents.retain(|intent| !over.contains(&intent.run));
        // The revision changes even if no value does: who settles has written, and others may have read before.
        Self { revision: self.revision + 1, values, intents }
    }

    /// All that was to be written: lists of values by field.
    pub fn sent(&self) -> BaseValues {
        let mut sent = BaseValues::default();
        for WriteIntent { values, .. } in &self.intents {
            for (all, fields) in [(&mut sent.from, &values.from), (&mut sent.to, &values.to)] {
                for (field, value) in fields {
                    let list = all.entry(field.clone()).or_insert_with(|| Value::Array(Vec::new()));
                    list.as_array_mut().into_iter().for_each(|list| list.push(value.clone()));
                }
            }
        }
        sent
    }
}
