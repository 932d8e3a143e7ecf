//! Filters, a file per family: the functions, what the reference says of them, and their tests.

mod all;
mod choose;
mod decimal;
mod encode;
mod input;
mod json;
mod lists;
mod numbers;
mod pattern;
mod phone;
mod text;
mod time;

pub(super) use all::WITHHELD;
pub use all::all;
pub(super) use input::text;
pub(super) use pattern::compiled;
