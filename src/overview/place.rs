//! Places in recipes.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::recipe::Recipe;
use crate::run::RunState;
use crate::source::Position;

/// A place in a recipe's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it is displayed.
    pub file: String,
    /// Where in it.
    pub position: Position,
}

impl Place {
    /// The place of a step; of the start, its condition if the run would end `after` so.
    pub fn of(model: &Recipe, step: Option<&str>, after: Option<RunState>) -> Option<Self> {
        let span = match step {
            Some(step) => model.all_actions().find(|action| action.id == step)?.operation.span,
            None => match &model.when {
                Some(when) if after == Some(RunState::Filtered) => when.span,
                _ => model.name.span,
            },
        };
        let position = model.file.position(span.range().start);
        Some(Self { file: model.file.name().to_owned(), position })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.position.line, self.position.column)
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut place = serializer.serialize_struct("Place", 3)?;
        place.serialize_field("file", &self.file)?;
        place.serialize_field("line", &self.position.line)?;
        place.serialize_field("column", &self.position.column)?;
        place.end()
    }
}
