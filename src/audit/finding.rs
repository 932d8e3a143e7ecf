//! A record that is not as it should be.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::run::{Difference, RunId};

/// A record that is not as it should be, or of which that cannot be told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The record; null for a run without one.
    pub record: Option<String>,
    /// The recipe.
    pub recipe: String,
    /// What is the matter.
    pub what: What,
    /// Since when: the time of the change or of the run.
    pub since: Option<DateTime<Utc>>,
    /// Why, for people.
    pub why: String,
    /// The run that shows it.
    pub run: Option<RunId>,
    /// What to do about it, for people; empty where nothing is to do.
    pub todo: String,
    /// The fields that differ, for a record that was written to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Difference>,
    /// Its event was made by this audit.
    pub mended: bool,
}

/// What is the matter with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was made or changed, and hob has no event of that.
    Missed,
    /// Its last run failed.
    Failed,
    /// Its run waits for a person.
    Parked,
    /// The recipe is paused.
    Paused,
    /// The credential of a connection is refused.
    Held,
    /// Fields that a recipe wrote were not kept by the API.
    NotKept,
    /// Fields that a recipe wrote were changed since by others.
    Changed,
    /// A record that a recipe wrote to does not exist any more.
    Gone,
    /// It was changed, and whether the recipe should have heard of that cannot be told.
    Unclear,
    /// Its poll is not due yet, or its run is under way.
    OnItsWay,
}

impl What {
    /// Whether something is wrong, rather than under way or unclear.
    pub fn is_difference(self) -> bool {
        !matches!(self, What::Unclear | What::OnItsWay)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            What::Missed => "missed",
            What::Failed => "failed",
            What::Parked => "parked",
            What::Paused => "paused",
            What::Held => "held",
            What::NotKept => "not kept",
            What::Changed => "changed",
            What::Gone => "gone",
            What::Unclear => "unclear",
            What::OnItsWay => "on its way",
        })
    }
}

impl Finding {
    /// Whether something is wrong that this audit has not mended.
    pub fn is_open(&self) -> bool {
        self.what.is_difference() && !self.mended
    }
}
