//! Filters, one file per family: the functions, their reference and tests. All arguments are positional: `bind` has
//! moved keyword arguments there.

mod all;
mod choose;
mod decimal;
mod encode;
mod input;
mod json;
mod lists;
mod numbers;
mod ordering;
mod pattern;
mod phone;
pub(super) mod result;
pub(super) mod strftime;
mod text;
mod time;

pub(super) use all::WITHHELD;
pub use all::all;
pub(super) use decimal::MAX_PLACES;
pub(super) use input::{decimal, describe, text, unfit};
pub(super) use json::check_path;
pub(super) use numbers::{METHODS, SIGNS};
pub(super) use pattern::{check_pattern, compiled};
pub(super) use phone::check_country;
pub use time::zone_advice;
pub(super) use time::{check_duration, zone};
