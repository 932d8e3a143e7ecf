//! Text to model: what a recipe says, before anything is checked against the catalog.

pub mod cron;

pub use cron::Cron;
