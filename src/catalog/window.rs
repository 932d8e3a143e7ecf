//! Lists that answer only for a window of time, such as the events of a calendar.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The window of time that a list answers for. A poll moves it along: it asks for what lies between some days before
/// and some days after its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWindow {
    /// Input for the beginning of the window.
    pub from: String,
    /// Input for its end.
    pub to: String,
    /// How both are written.
    #[serde(default)]
    pub form: BoundForm,
    /// Field of an item with the time by which it is in the window, as it is under `created`.
    pub time: String,
    /// Days before the poll, if the recipe does not say.
    pub days_past: u32,
    /// Days after the poll, if the recipe does not say.
    pub days_ahead: u32,
    /// The most days that the API answers for; a wider window is read in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u32>,
}

/// How a bound of a window is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BoundForm {
    /// Milliseconds since 1970.
    #[default]
    EpochMs,
    /// Seconds since 1970.
    Epoch,
    /// ISO 8601, in UTC.
    DateTime,
    /// The day, in UTC; both days belong to the window.
    Date,
}

impl BoundForm {
    /// How far from a bound the API may draw the line: it may take a day in its own time zone.
    fn blur(self) -> TimeDelta {
        match self {
            Self::EpochMs | Self::Epoch | Self::DateTime => TimeDelta::seconds(1),
            Self::Date => TimeDelta::days(1),
        }
    }

    fn write(self, time: DateTime<Utc>) -> String {
        match self {
            Self::EpochMs => time.timestamp_millis().to_string(),
            Self::Epoch => time.timestamp().to_string(),
            Self::DateTime => time.to_rfc3339_opts(SecondsFormat::Secs, true),
            Self::Date => time.format("%Y-%m-%d").to_string(),
        }
    }
}

impl ListWindow {
    /// The inputs for the bounds.
    pub fn inputs(&self) -> [&str; 2] {
        [&self.from, &self.to]
    }

    /// The inputs that ask for what lies between `from` and `to`.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Map<String, Value> {
        let bound = |name: &String, time| (name.clone(), Value::from(self.form.write(time)));
        Map::from_iter([bound(&self.from, from), bound(&self.to, to)])
    }

    /// Whether an item of this time is certainly shown for a window from `from` to `to`.
    pub fn shows(&self, time: DateTime<Utc>, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let blur = self.form.blur();
        time - from > blur && to - time > blur
    }
}
