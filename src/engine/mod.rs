//! Runs recipes: leases runs from the journal, asks the pure machine what is to be done, does it, and
//! records what became of it. It decides nothing itself, and knows nothing of triggers.

mod act;
mod book;
mod builtin;
mod choice;
mod dispatch;
mod dry_run;
mod first_time;
mod held;
mod kept;
mod kept_limits;
mod known;
mod look;
mod options;
mod pages;
mod paused;
mod persist;
mod recorder;
mod tally;
mod thinking;
mod translate;
mod worker;

pub use book::RecipeBook;
pub use dispatch::{Engine, Idle};
pub use kept_limits::KeptLimits;
pub use options::{Options, World};
pub use tally::{Ended, Tally};

#[cfg(test)]
mod tests;
