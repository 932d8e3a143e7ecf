//! Data exchanged between apps, and its shape according to the catalog.
//!
//! `Value` is JSON; `Shape` describes the JSON of a parameter or an answer. This module knows nothing about recipes,
//! requests or files.

pub mod address;
mod backoff;
mod comparison;
mod duration;
mod format;
mod header_name;
mod id;
mod iso8601;
mod json;
mod json_path;
mod json_schema;
mod path;
mod same;
mod sample;
mod shape;
mod shape_problem;
mod shorten;
mod text;
mod timestamp;
mod zone;

pub use backoff::Backoff;
pub use comparison::{Difference, changes, differences};
pub use duration::{Error as DurationError, parse as parse_duration};
pub use format::Misfit;
pub use header_name::is_header_name;
pub use id::{id, short_id};
pub use iso8601::Written;
pub use json::{JsonError, MAX_VALUES, read_json, read_json_text, read_json_within};
pub use json_path::unparsed as unparsed_json_path;
pub use json_schema::schema_of;
pub use path::normalized;
pub use same::{is_nothing, is_same, is_same_in_any_case};
pub use sample::SAMPLE_TEXT;
pub use serde_json::{Map, Number, Value};
pub use shape::{Kind, Shape, Step};
pub use shape_problem::{ProblemKind, ShapeProblem};
pub use shorten::shortened;
pub use text::{beginning, charset, decode, decode_part, parameter};
pub use timestamp::{after, before, from_epoch, is_coarse, leeway, time_in, timestamp};
pub use zone::Zone;
